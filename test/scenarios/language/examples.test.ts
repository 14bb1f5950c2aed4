import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { actions, type Word } from '../../../scenarios/language/actions.ts'
import { match, matchers } from '../../../scenarios/language/match.ts'
import type { Target } from '../../../scenarios/language/target.ts'
import { run } from '../../../scenarios/runner/run.ts'
import { mock } from '../../../scenarios/targets/mock/mock.ts'
import { scenarioOf } from '../support.ts'

let target: Target
/** Accepts every pushed signal (RFC 8935). */
let receiver: Server
beforeAll(async () => {
  target = await mock('fetch')
  receiver = createServer((_, response) => response.writeHead(202).end()).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
})
afterAll(async () => {
  receiver.close()
  receiver.closeAllConnections()
  await target.close()
})

const needed = [
  '- open_task: {}',
  '- call: GET /v1/documents/doc_9982',
  '  expect: { status: 403 }',
  '  save: { needed: challenge, first: status }',
]
const approved = [...needed, '- request_permission: { details: $needed, justification: A test }']
const withToken = [...approved, '- get_token: {}']
const pending = [
  '- open_task: {}',
  '- request_permission: { details: { type: file_access, actions: [delete], identifier: doc_1 } }',
]

type Context = Readonly<{ before?: readonly string[]; with?: string; expect?: string }>

/** Steps before an example, and its modifiers; most need none. */
const contexts: Partial<Record<Word, Context>> = {
  request_permission: { before: needed },
  request_status: { before: approved },
  wait_for_decision: {
    before: ['- script_approver: { decision: approve, after_polls: 2 }', ...pending],
  },
  get_token: { before: approved },
  complete_task: { before: ['- open_task: {}'] },
  evaluate_task: { before: ['- open_task: {}'] },
  exchange_token: {
    before: ['- mint_user_token: { user: alice@example.com }', '  save: { alice: access_token }'],
  },
  introspect: { before: withToken, expect: '{ active: true }' },
  revoke: { before: withToken },
  call: { expect: '{ status: 403 }' },
  http: { with: 'agent', expect: '{ status: 400 }' },
  list_pending: { before: pending },
  approve: { before: pending },
  deny: { before: pending },
  decode_token: { before: withToken },
  expect_journal: { before: approved },
  expect_exchanges: { before: approved },
  assert: {
    before: [
      ...withToken,
      '- call: GET /v1/documents/doc_9982',
      '  with: jit',
      '  save: { second: status }',
    ],
  },
  parallel: { before: approved },
  repeat: { before: approved },
  eventually: {
    before: [
      '- http: { request: POST /ssf/stream, json: { events_requested: ["https://schemas.openid.net/secevent/caep/event-type/session-revoked"], delivery: { method: "urn:ietf:rfc:8935", endpoint_url: "http://RECEIVER/" } } }',
      '  with: agent',
      ...withToken,
      '- complete_task: {}',
    ],
  },
}

describe('the example of the action', () => {
  it.for(Object.entries(actions))('%s passes', async ([word, { example }]) => {
    const { before = [], ...modifiers } = contexts[word as Word] ?? {}
    const steps = [
      ...before,
      `- ${example}`,
      ...Object.entries(modifiers).map(([word, value]) => `  ${word}: ${value}`),
    ]
    const { port } = receiver.address() as AddressInfo
    const yaml = steps.map((it) => `  ${it}\n`.replace('RECEIVER', `127.0.0.1:${port}`)).join('')
    const scenario = scenarioOf(`scenario: The example is run\nsteps:\n${yaml}`)

    const { results } = await run([scenario], target)

    expect(results.map((it) => [it.verdict, it.failures.map(({ message }) => message)])).toEqual(
      scenario.prefixes.map(() => ['passed', []]),
    )
  })
})

describe('the example of the matcher', () => {
  const jwt = ['{}', '{"jit":true}', 'signature']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.')
  const values: Readonly<
    Record<keyof typeof matchers, readonly [matching: unknown, other: unknown]>
  > = {
    equals: [{ type: 'file_access' }, { type: 'file_access', more: 1 }],
    at_most: [900, 901],
    at_least: [1, 0],
    matches: ['task_1', 'jit_1'],
    one_of: [201, 202],
    contains: [[{ type: 'file_access', actions: ['read'] }], [{ type: 'payment' }]],
    in_any_order: [
      [403, 200],
      [200, 200],
    ],
    length: [['a', 'b'], ['a']],
    absent: [undefined, null],
    present: [null, undefined],
    decodes_as: [jwt, 'no JWT'],
    not: ['denied', 'approved'],
  }

  it.for(Object.entries(values))('%s matches its own values only', ([word, pair]) => {
    const expected = parse(matchers[word as keyof typeof matchers].example)
    const [matching, other] = pair

    expect(match(expected, matching)).toEqual([])
    expect(match(expected, other)).not.toEqual([])
  })

  it('covers every matcher', () => {
    expect(Object.keys(values)).toEqual(Object.keys(matchers))
  })
})
