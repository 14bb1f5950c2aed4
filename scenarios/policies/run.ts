import { factsOf, type PolicyOutcome, tryPolicy } from '../../server/issuer/policy/try-policy.ts'
import { match } from '../language/match.ts'
import { placeOf } from '../language/source.ts'
import { emptyResult, type Failure, type Result } from '../runner/verdict.ts'
import type { PolicyCase, PolicyTests } from './load.ts'
import type { PolicySource } from './policy-source.ts'

/** Runs a case. Returns a result for the reports. */
export const runCase = (it: PolicyCase, { file, policy }: PolicyTests): Result => {
  const started = performance.now()
  const outcome = tryPolicy(it.policy, factsOf(it.request))
  const differences = Object.entries(it.expect).flatMap(([name, expected]) =>
    match(expected, outcome[name as keyof PolicyOutcome], name, [name]),
  )
  const failures: Failure[] = []
  const [first] = differences
  if (first !== undefined) {
    const paths = new Set(differences.map(({ path }) => path))
    const at = it.locate(first.at)
    failures.push({
      ...noExchange,
      message: `${[...paths].join(', ')}: the policy decides otherwise, by ${ruleText(policy, outcome.rule)}`,
      at,
      excerpt: it.excerpt(at),
      differences,
    })
  }
  return {
    ...emptyResult({
      title: it.title,
      file,
      line: it.at.line,
      theme: file,
      covers: [],
      target: policy.name,
    }),
    verdict: failures.length > 0 ? 'failed' : 'passed',
    failures,
    duration: performance.now() - started,
  }
}

/** The members that all failures of policies share: no request was sent. */
export const noExchange = {
  kind: 'expectation',
  code: 'differs',
  step: '1',
  violations: [],
} as const

/** A rule and its position. */
const ruleText = (policy: PolicySource, name: string): string => {
  const index = policy.policy.rules.findIndex((rule) => rule.name === name)
  return index < 0 ? `"${name}"` : `the rule "${name}" (${placeOf(policy.locate(index))})`
}
