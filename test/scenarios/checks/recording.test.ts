import { describe, expect, it } from 'vitest'
import { recordingOf } from '../../../scenarios/checks/recording.ts'
import { run } from '../../../scenarios/runner/run.ts'
import { mock } from '../../../scenarios/targets/mock/mock.ts'
import { createHarness } from '../../../server/index.ts'
import { Recording } from '../../../server/wire/index.ts'
import { scenarioOf } from '../support.ts'

const scenario = scenarioOf(`
scenario: One request, looked at twice
steps:
  - open_task: {}
  - request_permission: { details: { type: user_data, actions: [read], identifier: a } }
    save: { id: request_id }
  - request_status: {}
  - approve: {}
  - request_status: {}
  - http: { request: "GET /jit/request/\${id}/status?of=interest" }
    with: agent
`)

/** A recording of the mock, and a harness that answers from it. */
const recorded = async () => {
  const target = await mock('fetch')
  const done = await run([scenario], target).finally(() => target.close())
  const recording = recordingOf(done)
  const harness = await createHarness({
    origins: { issuer: 'https://app.lumoauth.dev' },
    tenants: [{ tenant: 'alive' }],
    recording,
  })
  const ask = async (line: string, body?: URLSearchParams) => {
    const [method = '', path = ''] = line.split(' ')
    const response = await harness.fetch(`${harness.issuer}${path}`, {
      method,
      ...(body === undefined ? {} : { body }),
    })
    return { status: response.status, body: JSON.parse(await response.text()) }
  }
  const [found] = recording.exchanges.filter(({ path }) => path.endsWith('/status'))
  return { recording, harness, ask, status: found?.path ?? '' }
}

describe('a recording', () => {
  it('contains no secret, and start --recording reads it', async () => {
    const { recording } = await recorded()

    expect(Recording.parse(JSON.parse(JSON.stringify(recording)))).toEqual(recording)
    expect(JSON.stringify(recording)).not.toMatch(/eyJ[\w-]+\.|‹/)
  })

  it('answers in the recorded order, then repeats the last answer', async () => {
    const { ask, status } = await recorded()

    const seen = [
      await ask(`GET ${status}`),
      await ask(`GET ${status}`),
      await ask(`GET ${status}`),
    ]

    expect(seen.map(({ body }) => body.status)).toEqual(['pending', 'approved', 'approved'])
  })

  it('distinguishes a query from none, in any encoding', async () => {
    const { ask, status } = await recorded()

    expect((await ask(`GET ${status}?of=%69nterest`)).body.status).toBe('approved')
    expect((await ask(`GET ${status}?of=boredom`)).body.error).toBe('not_recorded')
  })

  it('replaces origins with those of the serving harness', async () => {
    const { recording, ask } = await recorded()
    const metadata = {
      ...recording.exchanges[0],
      scenario: 'any',
      method: 'GET',
      path: '/t/real/api/v1/.well-known/oauth-authorization-server',
      status: 200,
      headers: { link: '<http://recorded.invalid/docs>' },
      body: '{"issuer":"http://recorded.invalid/t/real/api/v1"}',
    }
    await using harness = await createHarness({
      listen: false,
      recording: { ...recording, exchanges: [metadata] },
    })

    const answer = await harness.fetch(harness.issuer + metadata.path)

    expect(answer.headers.get('link')).toBe(`<${harness.issuer}/docs>`)
    expect(await answer.json()).toEqual({ issuer: `${harness.issuer}/t/real/api/v1` })
    expect((await ask(`GET ${metadata.path}`)).status).toBe(404)
  })

  it('rejects an unrecorded request and names the closest one', async () => {
    const { ask, status } = await recorded()

    const { status: code, body } = await ask(`GET ${status.replace('/status', '/stauts')}`)

    expect(code).toBe(404)
    expect(body).toMatchObject({ error: 'not_recorded' })
    expect(body.error_description).toMatch(
      /^the recording has no answer for GET \S+stauts; did you mean /,
    )
    expect(body.error_description).toContain(`; did you mean "GET ${status}"?`)
  })

  it('leaves every other tenant, and the control plane, to the mock', async () => {
    const { ask, harness } = await recorded()
    const [{ client_id = '', client_secret = '' } = {}] = harness.tenants[0]?.agents ?? []

    const granted = await ask(
      'POST /t/alive/api/v1/oauth/token',
      new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret }),
    )

    expect(granted).toMatchObject({ status: 200, body: { token_type: 'Bearer' } })
    expect((await ask('GET /healthz')).status).toBe(200)
  })
})
