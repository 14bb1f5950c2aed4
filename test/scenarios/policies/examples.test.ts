import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { approversIn } from '../../../scenarios/policies/approvers.ts'
import { diffPolicies } from '../../../scenarios/policies/diff.ts'
import { lintPolicy, ruleFor } from '../../../scenarios/policies/lint.ts'
import { type PolicySource, readPolicy } from '../../../scenarios/policies/policy-source.ts'
import { undecidedByPolicy } from '../../../server/issuer/policy/policy.ts'
import { factsOf, tryPolicy } from '../../../server/issuer/policy/try-policy.ts'
import { RequestFacts } from '../../../server/wire/index.ts'

const pathOf = (name: string) => fileURLToPath(new URL(`examples/${name}.yaml`, import.meta.url))
const textOf = (name: string) => readFileSync(pathOf(name), 'utf8')
const read = (name: string) => readPolicy(`${name}.yaml`, textOf(name)).policy as PolicySource

const lint = async (name: string) => lintPolicy(read(name), await approversIn(pathOf('bank-users')))

/** Lines of a policy marked `planted`. */
const plantedIn = (name: string) =>
  textOf(name)
    .split('\n')
    .flatMap((line, at) => (line.includes('# planted') ? [at + 1] : []))

describe('mistakes planted in a policy', () => {
  it.each<[string, [number, string][]]>([
    [
      'bank',
      [
        [11, 'too-few-approvers'],
        [22, 'never-applies'],
        [31, 'approves-unknown'],
        [36, 'time-gap'],
        [49, 'unknown-action'],
      ],
    ],
    [
      'hospital',
      [
        [9, 'pattern-never-matches'],
        [17, 'contradiction'],
        [22, 'approves-unknown'],
        [22, 'approves-unknown'],
        [26, 'approves-unknown'],
        [30, 'never-applies'],
        [30, 'no-catch-all'],
      ],
    ],
    [
      'start-up',
      [
        [5, 'pattern-never-matches'],
        [12, 'approves-unknown'],
        [12, 'approves-unknown'],
        [15, 'never-applies'],
        [16, 'unknown-action'],
        [19, 'same-name'],
        [19, 'never-applies'],
      ],
    ],
  ])('of a %s are found by lint, each at its rule', async (name, expected) => {
    const { findings } = await lint(name)

    expect(findings.map(({ at, kind }) => [at.line, kind])).toEqual(expected)
    // Each planted line belongs to a rule with a finding.
    const starts = read(name).policy.rules.map((_, rule) => read(name).locate(rule).line)
    const ruleAt = (line: number) => starts.findLastIndex((start) => start <= line)
    const found = new Set(findings.map(({ at }) => ruleAt(at.line)))
    expect(
      plantedIn(name).filter(
        (line) => !found.has(ruleAt(line)) && ruleAt(line) !== gapPartner(name),
      ),
    ).toEqual([])
  })

  it.each(['bank', 'hospital', 'start-up'])('of a %s are shown by requests', async (name) => {
    const { policy, locate } = read(name)
    const { findings } = await lint(name)
    const shown = findings.flatMap(({ kind, at, message, example }) =>
      example === undefined ? [] : [{ kind, at, message, rule: ruleFor(policy, example) }],
    )

    expect(shown.length).toBeGreaterThan(2)
    for (const { kind, at, message, rule } of shown) {
      if (kind === 'approves-unknown' || kind === 'too-few-approvers') {
        expect(locate(policy.rules.indexOf(rule)).line).toBe(at.line)
      } else if (kind === 'no-catch-all') expect(rule).toBe(undecidedByPolicy)
      // An earlier rule matches it, or another one where windows leave a gap.
      else if (kind !== 'unknown-action') expect(message).toContain(`"${rule.name}"`)
    }
  })

  it.each<[string, string[]]>([
    [
      'bank',
      [
        'deny → approve: nothing is released without its ticket → the batch run pays what was released before',
        'ask → approve: large payments need three people → the batch run pays what was released before',
        'ask → approve: payments need two people → the batch run pays what was released before',
        'deny → ask: nothing is released without its ticket → payments need two people',
        'ask → ask: large payments need three people → payments need two people',
      ],
    ],
    [
      'hospital',
      [
        'deny → approve: psychiatric records are for their own ward → wards read their records',
        'ask → approve: no rule applies, so a person is asked → laboratory results are read',
      ],
    ],
    [
      'start-up',
      [
        'ask → approve: production is changed with a reason → everything else is fine',
        'ask → approve: deletes are asked → everything else is fine',
        'scoring.suspend_from',
      ],
    ],
  ])('in the next version of the policy of a %s are found by diff', (name, expected) => {
    const [before, after] = [read(name).policy, read(`${name}-new`).policy]

    const { changes, settings } = diffPolicies(before, after)

    const looser = changes.filter(({ direction }) => direction === 'looser')
    expect([
      ...looser.map(
        (it) =>
          `${it.before.decision} → ${it.after.decision}: ${it.before.rule} → ${it.after.rule}`,
      ),
      ...settings.map(({ setting }) => setting),
    ]).toEqual(expected)
    for (const { example, ...change } of changes) {
      const facts = factsOf(RequestFacts.parse(example))
      expect(tryPolicy(before, facts)).toEqual(change.before)
      expect(tryPolicy(after, facts)).toEqual(change.after)
    }
  })
})

/** A gap is reported at the first of the rules that leave it; the planted line is in the second. */
const gapPartner = (name: string) => (name === 'bank' ? 6 : -1)
