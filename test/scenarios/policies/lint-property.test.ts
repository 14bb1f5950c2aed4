import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lintPolicy, ruleFor } from '../../../scenarios/policies/lint.ts'
import { readPolicy } from '../../../scenarios/policies/policy-source.ts'
import { sampleText } from '../../../scenarios/policies/sample-text.ts'
import { textClasses } from '../../../scenarios/policies/text-classes.ts'
import { Universe } from '../../../scenarios/policies/universe.ts'
import { assess, matchesPattern, undecidedByPolicy } from '../../../server/issuer/policy/policy.ts'
import { smallUniverse } from './small-universe.ts'

/** Limited, so that the whole test takes seconds; raise it for a longer search. */
const runs = Number(process.env.POLICY_RUNS ?? 100)

describe('policy lint, against every request of a small universe', { timeout: 600_000 }, () => {
  it('a rule reported as never applying decides nothing, and an example is decided by its rule', () => {
    let unknown = 0
    fc.assert(
      fc.property(smallUniverse(), ({ policy, requests, names }) => {
        const deciding = new Set(requests.map((facts) => assess(policy, facts).rule))
        const universe = new Universe([policy])
        const ways = policy.rules.map((rule) => universe.waysOf(rule, policy))
        for (const [index, rule] of [...policy.rules, undecidedByPolicy].entries()) {
          const found = universe.find(ways[index] ?? [[]], ways.slice(0, index).flat())
          if (found === 'none') expect(deciding.has(rule)).toBe(false)
          else if (found !== 'unknown') expect(ruleFor(policy, found)).toBe(rule)
          else {
            unknown += 1
            expect(names).toContain('justification')
          }
        }
      }),
      { numRuns: runs },
    )
    expect(unknown).toBeLessThan(runs / 5)
  })

  it('every finding is true', () => {
    fc.assert(
      fc.property(smallUniverse(2), ({ policy, requests }) => {
        const deciding = new Set(requests.map((facts) => assess(policy, facts).rule))
        const { findings, notes } = lintPolicy(sourceOf(policy), 1)
        for (const { kind, at, message, example } of findings) {
          const rule = policy.rules[at.line]
          if (kind === 'never-applies' || kind === 'contradiction') {
            expect(rule && deciding.has(rule), message).toBe(false)
          }
          if (kind === 'approves-unknown') expect(example && ruleFor(policy, example)).toBe(rule)
          if (kind === 'too-few-approvers') expect(example && ruleFor(policy, example)).toBe(rule)
          if (kind === 'no-catch-all') {
            expect(example && ruleFor(policy, example)).toBe(undecidedByPolicy)
          }
        }
        const isCaughtAll =
          !findings.some(({ kind }) => kind === 'no-catch-all') &&
          !notes.some(({ message }) => message.includes('applies to every request'))
        if (isCaughtAll) expect(deciding.has(undecidedByPolicy)).toBe(false)
      }),
      { numRuns: runs },
    )
  })

  it('the earlier rules named for a rule that never applies suffice', () => {
    fc.assert(
      fc.property(smallUniverse(2), ({ policy }) => {
        const { findings } = lintPolicy(sourceOf(policy))
        for (const { at, message } of findings.filter(({ kind }) => kind === 'never-applies')) {
          const named = [...message.matchAll(/"rule (\d)" \(/g)].map(([, it]) => Number(it))
          const rules = policy.rules.filter(
            (_, index) => named.includes(index) || index === at.line,
          )
          const again = lintPolicy(sourceOf({ ...policy, rules }))
          expect(again.findings.filter(({ kind }) => kind === 'never-applies')).not.toEqual([])
        }
      }),
      { numRuns: runs },
    )
  })
})

/** A policy whose rule N is on line N. */
const sourceOf = (policy: Parameters<typeof lintPolicy>[0]['policy']) => ({
  ...(readPolicy('policy.yaml', '').policy as Parameters<typeof lintPolicy>[0]),
  policy,
  locate: (rule: number) => ({ file: 'policy.yaml', line: rule, column: 1 }),
})

describe('classes of texts', () => {
  const pattern = fc
    .array(fc.constantFrom('a', 'b', '*', '😀'), { minLength: 1, maxLength: 5 })
    .map((it) => it.join(''))
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', '*', '😀'), { minLength: 1, maxLength: 7 })
    .map((it) => it.join(''))

  it('are distinguished by the matching patterns, cover every text, and have the shortest example', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(pattern, { maxLength: 4 }),
        fc.array(text, { minLength: 30 }),
        (patterns, texts) => {
          const classes = textClasses(patterns, { min: 1, max: 100 }) ?? []
          const keyOf = (it: string) => patterns.map((one) => matchesPattern(one, it)).join()
          const known = new Map(classes.map((it) => [keyOf(it.text), it.text]))

          expect(known.size).toBe(classes.length)
          for (const { text, matches } of classes) {
            expect(patterns.map((_, at) => matches.has(at)).join()).toBe(keyOf(text))
          }
          for (const it of texts) {
            expect([...(known.get(keyOf(it)) ?? it.repeat(99))].length).toBeLessThanOrEqual(
              [...it].length,
            )
          }
        },
      ),
      { numRuns: runs },
    )
  })

  it('end at the maximum length', () => {
    expect(textClasses(['aaaa'], { min: 1, max: 3 })).toEqual([{ text: 'x', matches: new Set() }])
    expect(textClasses(['aaaa'], { min: 1, max: 4 })).toHaveLength(2)
  })
})

describe('a sample of a regular expression', () => {
  it.each([
    ['[A-Z]+-\\d+', 'A-1'],
    ['^(INC|CHG)-\\d{6,}$', 'INC-111111'],
    ['\\bticket\\b', 'ticket'],
    ['(?:a|b){3}x?', 'aaa'],
    ['(?<id>\\d\\d)-[^a-z]', '11-A'],
    ['a\\.b|c', 'a.b'],
    ['\\x41B', 'AB'],
    ['\\p{Lu}', 'A'],
    ['$a', undefined],
  ])('%s is %j', (pattern, text) => {
    expect(sampleText(pattern)).toBe(text)
  })
})
