import type { Failure, Result } from '../runner/verdict.ts'

/** Where a seat does not keep a rule: the rule, and what showed it. */
export type Deviation = Readonly<{ rule: string; result: Result; failure: Failure }>

/** Every rule that was seen broken, in the order of the results. */
export const deviationsOf = (results: readonly Result[]): readonly Deviation[] =>
  results.flatMap((result) =>
    result.failures.flatMap((failure) =>
      findBrokenRules(failure, result).map((rule) => ({ rule, result, failure })),
    ),
  )

/** How a rule fared: broken, shown, or never reached, with the reasons. */
export type RuleVerdict = Readonly<{
  rule: string
  verdict: 'passed' | 'failed' | 'skipped'
  shownBy: number
  reasons: readonly string[]
}>

/** The verdict on every rule that the scenarios cover, or that was seen broken on the way. */
export const rulesOf = (results: readonly Result[]): readonly RuleVerdict[] => {
  const broken = Map.groupBy(deviationsOf(results), (it) => it.rule)
  const rules = new Set([...results.flatMap((it) => it.covers), ...broken.keys()])
  return [...rules].sort().map((rule) => {
    const about = results.filter((it) => it.covers.includes(rule))
    const shownBy = about.filter((it) => it.verdict === 'passed').length
    return {
      rule,
      shownBy,
      verdict: broken.has(rule) ? 'failed' : shownBy > 0 ? 'passed' : 'skipped',
      reasons: [...new Set(about.flatMap((it) => it.reason ?? []))],
    }
  })
}

const findBrokenRules = (failure: Failure, result: Result): readonly string[] => {
  if (failure.rules !== undefined) return failure.rules
  if (failure.kind === 'violation') {
    const says = failure.message.split('; ')
    const refused = says.some((it) => it.startsWith('a success was expected'))
    const broken = says
      .filter((it) => !it.startsWith('a success was expected'))
      .map((it) => ruleOfViolation(it, failure, result))
    return [...new Set([...broken, ...(refused ? result.covers : [])])]
  }
  if (failure.kind === 'crash' && /gave no answer within/.test(failure.message))
    return ['NET-TIMELY']
  if (failure.kind === 'crash' && /closed the connection/.test(failure.message))
    return ['NET-COMPLETE']
  return result.covers
}

/** Which rule an answer breaks that is not as its schema says. */
const ruleOfViolation = (
  says: string,
  { exchange, message }: Failure,
  { exchanges }: Result,
): string => {
  const { answer } = exchanges[exchange ?? -1] ?? {}
  if (answer !== undefined && answer.status < 300 && /"error":/.test(answer.body)) {
    return 'LUMO-ERROR-STATUS'
  }
  if (/contract of oauth\.introspect/.test(message)) return 'INT-02'
  const found = violations.find(({ pattern }) => pattern.test(says))
  if (found !== undefined) return found.rule
  if (answer !== undefined && answer.status >= 400) return 'LUMO-ERROR-BODY'
  return 'LUMO-JSON-OBJECT'
}

const violations: readonly Readonly<{ pattern: RegExp; rule: string }>[] = [
  { pattern: /content-type is nothing/, rule: 'LUMO-JSON-OBJECT' },
  { pattern: /content-type is/, rule: 'LUMO-CONTENT-TYPE' },
  { pattern: /a private key is published/, rule: 'LUMO-JWKS' },
  { pattern: /\bkeys\b/, rule: 'LUMO-JWKS' },
  { pattern: /a pending request carries status_url/, rule: 'LUMO-STATUS-URL' },
  { pattern: /(^|: )request_id: /, rule: 'LUMO-STATUS-ID' },
  { pattern: /(expires_in|granted_ttl): .*900/, rule: 'LUMO-TTL-MAX' },
  { pattern: /issued_token_type/, rule: 'TEX-06' },
  {
    pattern: /authorization_details: .*expected object, received array/,
    rule: 'LUMO-DETAILS-OBJECT',
  },
  { pattern: /authorization_details/, rule: 'RAR-10' },
  { pattern: /received null|expected object, received array/, rule: 'LUMO-NO-NULL' },
  { pattern: /\b(requests|pending_requests|data): /, rule: 'LUMO-PENDING-KEYS' },
]
