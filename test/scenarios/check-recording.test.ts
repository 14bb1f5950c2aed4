import { describe, expect, it } from 'vitest'
import { Recording, recordingOf, replaying } from '../../scenarios/checks/recording.ts'
import { run } from '../../scenarios/runner/run.ts'
import { mock } from '../../scenarios/targets/mock.ts'
import { scenarioOf } from './support.ts'

const scenario = scenarioOf(`
scenario: One request, looked at twice
steps:
  - open_task: {}
  - request_permission: { details: { type: user_data, actions: [read], identifier: a } }
    save: { id: request_id }
  - request_status: {}
  - approve: {}
  - request_status: {}
  - http: { request: "GET /jit/request/\${id}/status" }
    with: agent
`)

describe('a recording', () => {
  it('holds no secret, and answers in the order it heard', async () => {
    const target = await mock('fetch')
    const { results, ...rest } = await run([scenario], target).finally(() => target.close())
    const [first] = results
    if (first === undefined) throw new Error('no result')

    const recording = recordingOf({ ...rest, results })

    expect(Recording.parse(JSON.parse(JSON.stringify(recording)))).toEqual(recording)
    expect(JSON.stringify(recording)).not.toMatch(/eyJ[\w-]+\.|‹/)
    const answer = replaying(recording)
    const status = recording.exchanges.find(({ path }) => path.endsWith('/status'))?.path ?? ''
    const seen = Array.from({ length: 3 }, () =>
      JSON.parse(answer('GET', status, 'http://127.0.0.1:1').body),
    )
    expect(seen.map((it) => it.status)).toEqual(['pending', 'approved', 'approved'])
  })

  it('says what it never heard', () => {
    const answer = replaying({ recorded: '2026-11-24T00:00:00Z', target: 'a', exchanges: [] })

    expect(answer('GET', '/nowhere', 'http://127.0.0.1:1')).toMatchObject({ status: 404 })
  })
})
