import { conditionHolds, type Facts } from '../../server/issuer/policy/policy.ts'
import type { Condition, Policy } from '../../server/wire/index.ts'
import { placeOf } from '../language/source.ts'
import { emptyResult, type Result } from '../runner/verdict.ts'
import type { PolicySource } from './policy-source.ts'
import { noExchange } from './run.ts'

/** The coverage of one rule. */
export type RuleCoverage = Readonly<{
  name: string
  /** Number of cases that the rule decided. */
  decided: number
  /** Per condition: the number of cases that reached the rule and in which it held, or failed. */
  conditions: readonly Readonly<{ name: keyof Condition; held: number; failed: number }>[]
}>

/** A rule or condition that no case covers. */
type Gap = Readonly<{ rule: number; condition?: keyof Condition; message: string }>

/** The coverage of all rules of a policy. */
export type Coverage = Readonly<{
  policy: PolicySource
  rules: readonly RuleCoverage[]
  /** Counts one per rule that decides, and one each for a condition that holds and fails. */
  covered: number
  total: number
  gaps: readonly Gap[]
}>

/** A request, and the policy with the settings of its case. */
type Tried = Readonly<{ policy: Policy; facts: Facts }>

/** Tries every request and counts, for each rule that it reaches, which conditions held. */
export const coverageOf = (policy: PolicySource, requests: readonly Tried[]): Coverage => {
  const counted = policy.policy.rules.map((rule) => ({
    rule,
    decided: 0,
    conditions: (Object.keys(rule.when) as (keyof Condition)[])
      .filter((name) => rule.when[name] !== undefined)
      .map((name) => ({ name, held: 0, failed: 0 })),
  }))
  for (const { facts, policy: tried } of requests) {
    for (const count of counted) {
      let applies = true
      for (const condition of count.conditions) {
        const holds = conditionHolds(condition.name, count.rule, facts, tried)
        condition[holds ? 'held' : 'failed'] += 1
        applies &&= holds
      }
      if (!applies) continue
      count.decided += 1
      break
    }
  }
  const rules = counted.map(({ rule, decided, conditions }) => ({
    name: rule.name,
    decided,
    conditions,
  }))
  const gaps = rules.flatMap(gapsOf)
  const total = rules.reduce((sum, it) => sum + 1 + 2 * it.conditions.length, 0)
  return { policy, rules, gaps, total, covered: total - gaps.length }
}

const gapsOf = ({ name, decided, conditions }: RuleCoverage, rule: number): Gap[] => [
  ...(decided === 0 ? [{ rule, message: `the rule "${name}" decided nothing` }] : []),
  ...conditions.flatMap(({ name: condition, held, failed }) => [
    ...(held === 0 ? [{ rule, condition, message: `${condition} never held in "${name}"` }] : []),
    ...(failed === 0
      ? [{ rule, condition, message: `${condition} never failed in "${name}"` }]
      : []),
  ]),
]

/** In percent, rounded down: 100 means everything. */
export const percentOf = ({ covered, total }: Coverage): number =>
  total === 0 ? 100 : Math.floor((covered / total) * 100)

/** The coverage as lines: a summary, then each gap with its position. */
export const coverageText = (coverage: Coverage): string => {
  const { policy, rules, gaps, covered, total } = coverage
  const deciding = rules.filter(({ decided }) => decided > 0).length
  return [
    `coverage of ${policy.name}: ${percentOf(coverage)} % (${covered} of ${total}); ${deciding} of ${rules.length} rules decided something`,
    ...gaps.map((gap) => `  ${placeOf(policy.locate(gap.rule, gap.condition))}: ${gap.message}`),
    '',
  ].join('\n')
}

/** A result for the reports. It fails when the coverage is below a minimum. */
export const coverageResult = (coverage: Coverage, minimum: number): Result => {
  const { policy, gaps } = coverage
  const percent = percentOf(coverage)
  const [first = { rule: 0 }] = gaps
  return {
    ...emptyResult({
      title: `coverage of ${policy.name} is at least ${minimum} %`,
      file: policy.locate(0).file,
      line: policy.locate(first.rule).line,
      theme: 'coverage',
      covers: [],
      target: policy.name,
    }),
    ...(percent >= minimum
      ? { verdict: 'passed' as const }
      : {
          verdict: 'failed' as const,
          failures: gaps.map((gap) => {
            const at = policy.locate(gap.rule, gap.condition)
            const message = `${gap.message}; coverage is ${percent} %, not ${minimum} %`
            return { ...noExchange, message, at, excerpt: policy.excerpt(at), differences: [] }
          }),
        }),
  }
}
