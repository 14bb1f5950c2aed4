import { afterAll, describe, expect, it } from 'vitest'
import { isObject } from '../../../../scenarios/language/match.ts'
import type { Target } from '../../../../scenarios/language/target.ts'
import { reports } from '../../../../scenarios/reports/formats.ts'
import { run } from '../../../../scenarios/runner/run.ts'
import { mock } from '../../../../scenarios/targets/mock/mock.ts'
import { scenarioOf } from '../../support.ts'

const target = await mock('fetch')
afterAll(() => target.close())

const flow = scenarioOf(
  `
scenario: Everything that hands out a secret
steps:
  - authenticate: { method: basic }
  - open_task: {}
  - request_permission: { details: { type: user_data, actions: [read], identifier: alice } }
  - approve: {}
  - get_token: {}
  - introspect: { token: jit }
  - call: GET /v1/documents/doc_9982
    with: jit
    expect: { status: 403 }
  - http: { seat: control, request: GET /exchanges }
  - decode_token: jit
    expect: { claims: { sub: unknown } }
`,
)

const transcript = async (seed: number) => {
  const { results } = await run([flow], target, { seed })
  return results.flatMap(({ exchanges }) =>
    exchanges.map(({ step, seat, request, answer }) => ({
      ...{ step, seat, request },
      status: answer.status,
      body: answer.body,
    })),
  )
}

describe('the mock as a target', () => {
  it('gives equal redacted transcripts for equal seeds', async () => {
    expect(await transcript(7)).toEqual(await transcript(7))
  })

  it('gives another transcript for another seed', async () => {
    expect(await transcript(7)).not.toEqual(await transcript(8))
  })

  it('puts no issued secret into any report', async () => {
    const issued = new Set<string>()

    const done = await run([flow], watched(target, issued))

    expect(issued.size).toBeGreaterThan(5)
    expect(done.results[0]?.failures[0]?.message).toContain('does not match')
    for (const [format, report] of Object.entries(reports)) {
      const text = report([done])
      for (const secret of issued) expect(text, format).not.toContain(secret)
    }
  })
})

/** Records every issued secret. */
const watched = (target: Target, issued: Set<string>): Target => ({
  ...target,
  open: async (given, how) => {
    const session = await target.open(given, how)
    for (const { client_secret } of session.agents) issued.add(client_secret)
    issued.add(session.controlToken ?? '')
    issued.add(session.apiClient?.client_secret ?? '')
    return {
      ...session,
      fetch: (seat) => async (input, init) => {
        const response = await session.fetch(seat)(input, init)
        const body: unknown = await response
          .clone()
          .json()
          .catch(() => undefined)
        if (isObject(body) && typeof body.access_token === 'string') {
          issued.add(body.access_token)
          for (const part of body.access_token.split('.').slice(1)) issued.add(part)
        }
        return response
      },
    }
  },
})
