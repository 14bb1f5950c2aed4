import type { MatcherResult, MatcherState } from 'vitest'
import { factsOf, type PolicyOutcome, tryPolicy } from '../issuer/policy/try-policy.ts'
import { type AuthorizationDetail, Policy, RequestFacts } from '../wire/index.ts'

/** What a policy should say of a request. Asymmetric matchers may stand for any value. */
export type ExpectedOutcome = Readonly<{ [Name in keyof PolicyOutcome]?: unknown }>

/** What is known of a request beside its detail, as in policy tests. */
export type OtherFacts = Readonly<
  Omit<(typeof RequestFacts)['_zod']['input'], 'authorization_details'>
>

/** The matcher of policies, by the function that decides in the issuer. */
export function toDecide(
  this: MatcherState,
  received: unknown,
  detail: AuthorizationDetail,
  expected: ExpectedOutcome,
  facts: OtherFacts = {},
): MatcherResult {
  const policy = read(Policy, received, 'a policy')
  const request = read(
    RequestFacts,
    { ...facts, authorization_details: detail },
    'an authorization detail, and facts as in policy tests,',
  )
  const unknown = Object.keys(expected).filter((name) => !members.has(name))
  if (unknown.length > 0 || Object.keys(expected).length === 0) {
    throw new TypeError(
      `toDecide: expected some of ${[...members].join(', ')}, received ${JSON.stringify(expected)}`,
    )
  }
  const outcome = tryPolicy(policy, factsOf(request))
  const names = Object.keys(expected) as (keyof PolicyOutcome)[]
  const actual = Object.fromEntries(names.map((name) => [name, outcome[name]]))
  return {
    pass: names.every((name) => this.equals(outcome[name], expected[name])),
    message: () =>
      [
        `expected the policy ${this.isNot ? 'not ' : ''}to decide\n  ${JSON.stringify(expected)}`,
        `of\n  ${JSON.stringify({ authorization_details: detail, ...facts })}`,
        `It decides\n  ${JSON.stringify(outcome)}`,
      ].join('\n'),
    ...(this.isNot ? {} : { actual, expected }),
  }
}

const members: ReadonlySet<string> = new Set<keyof PolicyOutcome>([
  'decision',
  'risk',
  'rule',
  'ttl',
  'max_ttl',
  'approvers',
  'timeout',
  'reason',
  'would_pass',
])

/** @throws {TypeError} with everything that is wrong */
const read = <T>(
  schema: {
    safeParse: (value: unknown) => {
      data?: T | undefined
      error?: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } | undefined
    }
  },
  value: unknown,
  what: string,
): T => {
  const { data, error } = schema.safeParse(value)
  if (error === undefined) return data as T
  const flaws = error.issues.map(
    ({ path, message }) => [...path.map(String), ''].join('.').replace(/\.$/, ': ') + message,
  )
  throw new TypeError(`toDecide: expected ${what}\n${flaws.map((it) => `  ${it}`).join('\n')}`)
}
