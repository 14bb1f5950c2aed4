import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { diffPolicies } from '../../../scenarios/policies/diff.ts'
import { factsOf, tryPolicy } from '../../../server/issuer/policy/try-policy.ts'
import { Policy, RequestFacts } from '../../../server/wire/index.ts'
import { smallUniverse } from './small-universe.ts'
import { workspace } from './world.ts'

const here = workspace()
afterAll(here.remove)

type Rule = Partial<
  (typeof Policy)['_zod']['input']['rules'] extends (infer R)[] | undefined ? R : never
>

const policyOf = (rules: readonly Rule[], more: object = {}) =>
  Policy.parse({
    ...more,
    rules: rules.map((it, at) => ({ name: `rule ${at}`, risk: 'low', decision: 'ask', ...it })),
  })

const changes = (before: Policy, after: Policy) =>
  diffPolicies(before, after).changes.map(({ direction, members, example }) => ({
    direction,
    members,
    example,
  }))

const any = { authorization_details: { type: 'file_access' } }

describe('policy diff between two policies', () => {
  it.each<[string, Rule, Rule, string, string[]]>([
    ['is approved instead of asked', {}, { decision: 'approve' }, 'looser', ['decision']],
    ['is asked instead of approved', { decision: 'approve' }, {}, 'stricter', ['decision']],
    ['is asked instead of denied', { decision: 'deny' }, {}, 'looser', ['decision']],
    ['takes fewer people', { approvers: 2 }, {}, 'looser', ['approvers']],
    ['takes more people', {}, { approvers: 2 }, 'stricter', ['approvers']],
    ['may live longer', { max_ttl: 60 }, { max_ttl: 700 }, 'looser', ['ttl', 'max_ttl']],
    ['leaves less time to approve', {}, { timeout: 60 }, 'stricter', ['timeout']],
    ['has another risk', {}, { risk: 'high' }, 'other', ['risk']],
    [
      'takes fewer people for less time',
      { approvers: 2 },
      { max_ttl: 60 },
      'looser',
      ['approvers', 'ttl', 'max_ttl'],
    ],
    [
      'has another reason',
      { decision: 'deny' },
      { decision: 'deny', reason: 'No.' },
      'other',
      ['reason'],
    ],
  ])('%s', (_, before, after, direction, members) => {
    expect(changes(policyOf([before]), policyOf([after]))).toEqual([
      { direction, members, example: any },
    ])
  })

  it('is empty when only names, order or rules that never apply differ', () => {
    const one = policyOf([
      { name: 'a', when: { type: 'x' }, decision: 'approve' },
      { name: 'b', when: { type: 'y' }, decision: 'deny', reason: 'No.' },
      { name: 'c' },
    ])
    const other = policyOf([
      { name: 'B', when: { type: 'y' }, decision: 'deny', reason: 'No.' },
      { name: 'A', when: { type: 'x' }, decision: 'approve' },
      { name: 'never', when: { type: ['x', 'y'], agent: 'z' }, decision: 'approve' },
      { name: 'C' },
    ])

    expect(diffPolicies(one, other)).toEqual({ changes: [], settings: [], notes: [] })
  })

  it('shows a lifetime when rules differ only above the default one', () => {
    const approve = (max_ttl: number) => policyOf([{ decision: 'approve', max_ttl }])

    expect(changes(approve(700), approve(800))).toEqual([
      { direction: 'looser', members: ['ttl'], example: { ...any, requested_ttl: 900 } },
    ])
  })

  it('lists looser decisions first, approvals before questions', () => {
    const rules = (decisions: readonly Rule['decision'][]) =>
      policyOf(
        decisions.map((decision, at) => ({
          decision: decision ?? 'ask',
          when: { type: `t${at}` },
        })),
      )

    const found = changes(
      rules(['approve', 'deny', 'ask', 'deny', 'approve']),
      rules(['deny', 'ask', 'approve', 'approve', 'ask']),
    )

    expect(found.map(({ example }) => example.authorization_details.type)).toEqual([
      't3',
      't2',
      't1',
      't0',
      't4',
    ])
  })

  it('covers sensitive types, and requests that no rule matches', () => {
    const rules = [{ decision: 'deny' as const, when: { sensitive: true } }]

    const found = changes(
      policyOf(rules, { sensitive: { identifiers: 'a*' } }),
      policyOf(rules, { sensitive: { identifiers: 'ab*' } }),
    )

    expect(found).toEqual([
      {
        direction: 'looser',
        members: ['decision', 'risk'],
        example: { authorization_details: { type: 'file_access', identifier: 'ax' } },
      },
    ])
  })

  it('lists settings that no request shows', () => {
    const { settings } = diffPolicies(
      policyOf([{}], { scoring: { suspend_from: 50, low: 2 }, poll_interval: 5 }),
      policyOf([{}], { scoring: { suspend_from: 60, low: 3 }, poll_interval: 6 }),
    )

    expect(settings.map(({ direction, setting }) => `${direction} ${setting}`)).toEqual([
      'looser scoring.suspend_from',
      'stricter scoring.low',
      'other poll_interval',
    ])
  })
})

/** Limited, so that the whole test takes seconds; raise it for a longer search. */
const runs = Number(process.env.POLICY_RUNS ?? 60)

describe('policy diff, against every request of a small universe', { timeout: 600_000 }, () => {
  it('reports each change, shows it by a request, and reports nothing redundant', () => {
    const two = smallUniverse().chain(({ policy, requests }) =>
      fc.record({
        before: fc.constant(policy),
        after: fc
          .tuple(fc.nat(policy.rules.length - 1), fc.nat(policy.rules.length - 1), fc.nat(2))
          .map(([one, other, how]) => changed(policy, one, other, how)),
        requests: fc.constant(requests),
      }),
    )
    fc.assert(
      fc.property(two, ({ before, after, requests }) => {
        const { changes, notes } = diffPolicies(before, after)
        const told = new Set(changes.map((it) => `${it.before.rule} → ${it.after.rule}`))
        for (const facts of requests) {
          const [a, b] = [tryPolicy(before, facts), tryPolicy(after, facts)]
          if (a.decision === b.decision && a.risk === b.risk && a.approvers === b.approvers)
            continue
          const isNoted = notes.some((it) => it.includes(`"${a.rule}" and "${b.rule}"`))
          expect(isNoted || told.has(`${a.rule} → ${b.rule}`)).toBe(true)
        }
        for (const { example, before: a, after: b } of changes) {
          const facts = factsOf(RequestFacts.parse(example))
          expect([tryPolicy(before, facts), tryPolicy(after, facts)]).toEqual([a, b])
          expect({ ...a, rule: '', would_pass: '' }).not.toEqual({ ...b, rule: '', would_pass: '' })
          for (const name of Object.keys(example).filter((it) => it !== 'authorization_details')) {
            const less = factsOf(RequestFacts.parse({ ...example, [name]: undefined }))
            const [c, d] = [tryPolicy(before, less), tryPolicy(after, less)]
            expect([c.rule, d.rule]).not.toEqual([a.rule, b.rule])
          }
        }
      }),
      { numRuns: runs },
    )
  })
})

/** A policy with two rules exchanged, one removed, or one that decides differently. */
const changed = (policy: Policy, one: number, other: number, how: number): Policy => {
  const { rules } = policy
  const [a, b] = [rules[one], rules[other]] as [Policy['rules'][number], Policy['rules'][number]]
  if (how === 0) return { ...policy, rules: rules.with(one, b).with(other, a) }
  if (how === 1) return { ...policy, rules: rules.toSpliced(one, 1) }
  const decision = a.decision === 'ask' ? 'approve' : 'ask'
  return { ...policy, rules: rules.with(one, { ...a, decision }) }
}

describe('policy diff', { timeout: 60_000 }, () => {
  const rules = (decision: string) =>
    `rules:\n  - { name: payments, when: { type: payment }, risk: high, decision: ${decision} }\n  - { name: rest, risk: low, decision: deny }\n`
  here.file('ask.yaml', rules('ask'))
  here.file('approve.yaml', rules('approve'))
  here.file('deny.yaml', rules('deny'))

  it('fails when a decision became looser, and shows it', () => {
    expect(here.policy('diff', 'ask.yaml', 'approve.yaml')).toEqual({
      status: 1,
      stderr: '',
      stdout: `looser: ask → approve
  before   "payments"
  after    "payments"
  example  { authorization_details: { type: payment } }
1 looser, 0 stricter, 0 other
`,
    })
  })

  it('passes when a decision became stricter, or none changed', () => {
    expect(here.policy('diff', 'ask.yaml', 'deny.yaml')).toMatchObject({ status: 0 })
    expect(here.policy('diff', 'ask.yaml', 'ask.yaml')).toMatchObject({
      status: 0,
      stdout: 'no request is decided otherwise\n',
    })
  })

  it('writes Markdown for a job summary, and JSON', () => {
    const { status } = here.policy(
      ...['diff', 'ask.yaml', 'approve.yaml'],
      ...['--report', 'markdown=diff.md', '--report', 'json=diff.json'],
    )

    expect(status).toBe(1)
    expect(
      readFileSync(join(here.folder, 'diff.md'), 'utf8'),
    ).toBe(`## Policy: 1 looser, 0 stricter, 0 other

| | Decision | Rule before | Rule after | Example |
|---|---|---|---|---|
| ⚠️ looser | ask → approve | payments | payments | { authorization\\_details: { type: payment } } |

`)
    expect(JSON.parse(readFileSync(join(here.folder, 'diff.json'), 'utf8'))).toMatchObject({
      changes: [{ direction: 'looser', before: { decision: 'ask' } }],
    })
  })

  it('reports the mistakes of both files', () => {
    here.file('one.yaml', 'rules: x\n')
    here.file('other.yaml', 'max_ttl: 0\n')

    const { status, stderr } = here.policy('diff', 'one.yaml', 'other.yaml')

    expect(status).toBe(2)
    expect(stderr).toContain('2 mistakes; nothing was run\none.yaml:1:8: ')
    expect(stderr).toContain('other.yaml:1:10: expected at least 1, not 0')
    expect(here.policy('diff', 'one.yaml')).toMatchObject({ status: 2 })
    expect(here.policy('diff', 'ask.yaml', 'deny.yaml', '--report', 'html').stderr).toContain(
      'Expected terminal, markdown, json',
    )
  })
})
