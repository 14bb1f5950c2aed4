import { parseJson } from '../../server/wire/json.ts'
import type { Violation } from '../../server/wire/violations.ts'
import type { Rule } from '../runner/rules.ts'
import type { Failure, Result } from '../runner/verdict.ts'

/** A broken rule of a seat, and the result that shows it. */
export type Deviation = Readonly<{ rule: string; result: Result; failure: Failure }>

/** The seat under test, and the rules of all seats. */
export type Judged = Readonly<{
  seat: 'issuer' | 'api' | 'agent'
  rules: ReadonlyMap<string, Pick<Rule, 'seat' | 'says'>>
}>

/** Whether a rule is one that the seat must keep. A rule of every seat counts for each. */
export const isRuleOf = (rule: string, { seat, rules }: Judged): boolean => {
  const of = rules.get(rule)?.seat ?? seat
  return of === seat || of === 'any'
}

/** All broken rules of the seat under test, in the order of the results. */
export const deviationsOf = (results: readonly Result[], subject: Judged): readonly Deviation[] =>
  results.flatMap((result) =>
    result.failures.flatMap((failure) =>
      findBrokenRules(failure, result)
        .filter((rule) => isBrokenBy(rule, failure, subject))
        .map((rule) => ({ rule, result, failure })),
    ),
  )

/** A rule of every seat is broken by the seat that answered. */
const isBrokenBy = (rule: string, { seat }: Failure, subject: Judged): boolean => {
  const isOfEvery = subject.rules.get(rule)?.seat === 'any' && subject.seat !== 'agent'
  return isRuleOf(rule, subject) && (!isOfEvery || seat === undefined || seat === subject.seat)
}

/** The verdict on a rule: failed, passed or skipped, with the reasons. */
export type RuleVerdict = Readonly<{
  rule: string
  verdict: 'passed' | 'failed' | 'skipped'
  shownBy: number
  reasons: readonly string[]
}>

/** The verdict on every rule of the seat under test that a scenario covers or a failure names. */
export const rulesOf = (results: readonly Result[], subject: Judged): readonly RuleVerdict[] => {
  const broken = Map.groupBy(deviationsOf(results, subject), (it) => it.rule)
  const covered = results.flatMap((it) => it.covers).filter((it) => isRuleOf(it, subject))
  return [...new Set([...covered, ...broken.keys()])].sort().map((rule) => {
    const about = results.filter((it) => it.covers.includes(rule))
    const shownBy = about.filter((it) => shows(it, rule, subject)).length
    return {
      rule,
      shownBy,
      verdict: broken.has(rule) ? 'failed' : shownBy > 0 ? 'passed' : 'skipped',
      reasons: [...new Set(about.flatMap((it) => it.reason ?? []))],
    }
  })
}

/** Whether a passed result shows a rule: one of every seat takes an answer of the seat under test. */
const shows = ({ verdict, steps }: Result, rule: string, { seat, rules }: Judged): boolean =>
  verdict === 'passed' &&
  (seat === 'agent' ||
    rules.get(rule)?.seat !== 'any' ||
    steps.some(({ judges }) => judges?.includes(seat)))

const findBrokenRules = (failure: Failure, result: Result): readonly string[] => {
  const { code, rules, violations, precondition } = failure
  const covers = precondition === undefined ? result.covers : []
  if (rules !== undefined) return rules
  switch (code) {
    case 'timeout':
      return ['NET-TIMELY']
    case 'connection_closed':
      return ['NET-COMPLETE']
    case 'contract_broken':
    case 'refused_and_broken': {
      const broken = violations.map((it) => ruleOfViolation(it, failure, result))
      return [...new Set([...broken, ...(code === 'refused_and_broken' ? covers : [])])]
    }
    default:
      return covers
  }
}

/** The rule that a violation of the wire schema breaks. */
const ruleOfViolation = (
  violation: Violation,
  { exchange, route }: Failure,
  { exchanges }: Result,
): string => {
  const { answer } = exchanges[exchange ?? -1] ?? {}
  if (answer !== undefined && answer.status < 300 && /"error":/.test(answer.body)) {
    return 'LUMO-ERROR-STATUS'
  }
  if (route === 'oauth.introspect') return 'INT-02'
  const { code, path, expected, received } = violation
  const has = (...names: readonly string[]) => names.some((it) => path.includes(it))
  const isListForObject = expected === 'object' && received === 'array'
  const isErrorWithoutBody =
    answer !== undefined && answer.status >= 400 && parseJson(answer.body) === undefined
  if (isErrorWithoutBody) return 'LUMO-ERROR-BODY'
  if (code === 'content_type')
    return received === undefined ? 'LUMO-JSON-OBJECT' : 'LUMO-CONTENT-TYPE'
  if (has('keys')) return 'LUMO-JWKS'
  if (has('status_url') && code === 'custom') return 'LUMO-STATUS-URL'
  if (path[0] === 'request_id') return 'LUMO-STATUS-ID'
  if (has('expires_in', 'granted_ttl') && code === 'too_big') return 'LUMO-TTL-MAX'
  if (has('issued_token_type')) return 'TEX-06'
  if (has('authorization_details')) return isListForObject ? 'LUMO-DETAILS-OBJECT' : 'RAR-10'
  if ((code === 'invalid_type' && received === 'null') || isListForObject) return 'LUMO-NO-NULL'
  if (has('requests', 'pending_requests', 'data')) return 'LUMO-PENDING-KEYS'
  if (answer !== undefined && answer.status >= 400) return 'LUMO-ERROR-BODY'
  return 'LUMO-JSON-OBJECT'
}
