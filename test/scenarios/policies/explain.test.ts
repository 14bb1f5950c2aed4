import { afterAll, describe, expect, it } from 'vitest'
import { explainRequest } from '../../../scenarios/policies/explain.ts'
import { type PolicySource, readPolicy } from '../../../scenarios/policies/policy-source.ts'
import { RequestFacts } from '../../../server/wire/index.ts'
import { workspace } from './world.ts'

const here = workspace()
afterAll(here.remove)

const policy = `sensitive: { identifiers: '*salary*' }
rules:
  - name: sensitive
    when: { sensitive: true }
    risk: high
    decision: deny
  - name: writes at night
    when: { actions: [write, update], outside: { from: '08:00', to: '18:00', zone: Europe/Berlin }, justification_lacks: { length: 10 } }
    risk: high
    decision: ask
    approvers: 2
  - name: the rest
    risk: low
    decision: approve
`

describe('policy explain', { timeout: 60_000 }, () => {
  const file = here.file('policy.yaml', policy)

  it('prints the rules in order, and why each applies or not', () => {
    const request =
      "{ authorization_details: { type: x, actions: [write] }, at: '2026-07-15T17:00:00Z', justification: urgent }"

    expect(here.policy('explain', file, request)).toEqual({
      status: 0,
      stderr: '',
      stdout: `ask by "writes at night": risk high, ttl 600, max_ttl 900, approvers 2, timeout 300

1 ✗ "sensitive" does not apply (policy.yaml:3:5)
    ✗ sensitive: [true, { identifiers: ["*salary*"] }]; the request has [x]
2 ✓ "writes at night" applies (policy.yaml:7:5)
    ✓ actions: [write, update]; the request has [write]
    ✓ justification_lacks: { length: 10 }; the request has urgent
    ✓ outside: { from: "08:00", to: "18:00", zone: Europe/Berlin }; the request has wed 19:00 Europe/Berlin
3 - "the rest" not reached (policy.yaml:12:5)
`,
    })
  })

  it('reads the request from a file, and prints JSON', () => {
    const request = here.file(
      'request.yaml',
      'authorization_details: { type: x, actions: [read] }\n',
    )

    const { status, stdout } = here.policy('explain', file, request, '--json')

    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: { decision: 'approve', rule: 'the rest' },
      rules: [{ state: 'does not apply' }, { state: 'does not apply' }, { state: 'applies' }],
    })
  })

  it('tells the mistakes of a request, each with its place', () => {
    const wrong = here.policy(
      'explain',
      file,
      '{ authorization_details: { actions: read }, scor: 1 }',
    )

    expect(wrong.status).toBe(2)
    expect(wrong.stderr).toBe(`lumoauth-harness: 3 mistakes; nothing was run
request:1:26: "type" is missing: expected a string
request:1:37: expected an array, not "read"
request:1:45: unknown key "scor"; did you mean "score"?
`)
    expect(here.policy('explain', file, 'none.yaml').stderr).toBe(
      'lumoauth-harness: there is no none.yaml\n',
    )
    expect(here.policy('explain', file).stderr).toContain("missing required argument 'request'")
  })

  it('shows what each condition looks at, and says when no rule applies', () => {
    const { policy } = readPolicy(
      'policy.yaml',
      `rules:
  - name: all
    risk: low
    decision: ask
    when: { type: a, identifier: b, actions: c, locations: d, datatypes: e, privileges: f, undocumented_actions: true, agent: g, task_type: h, on_behalf_of: true, ttl_over: 1, score_from: 9, denials_from: 9, agent_denials_from: 9, requests_last_minute_from: 9, time: { to: '01:00' } }
`,
    )
    const request = RequestFacts.parse({
      authorization_details: { type: 'x', actions: ['read'] },
      ancestors: ['boss'],
      requested_ttl: 60,
      denials: 2,
    })

    const { outcome, rules } = explainRequest(policy as PolicySource, request)

    expect(outcome.rule).toBe('no rule applies, so a person is asked')
    const received = rules[0]?.conditions.map((it) => [it.name, it.received, it.holds])
    expect(received).toEqual([
      ['type', 'x', false],
      ['actions', ['read'], false],
      ['identifier', undefined, false],
      ['locations', undefined, false],
      ['datatypes', undefined, false],
      ['privileges', undefined, false],
      ['undocumented_actions', ['read'], false],
      ['agent', ['report-bot', 'boss'], false],
      ['task_type', undefined, false],
      ['on_behalf_of', undefined, false],
      ['ttl_over', 60, true],
      ['score_from', 0, false],
      ['denials_from', 2, false],
      ['agent_denials_from', 0, false],
      ['requests_last_minute_from', 0, false],
      ['time', 'tue 12:00 UTC', false],
    ])
  })
})
