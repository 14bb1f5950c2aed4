import type { Dialect } from '../../server/wire/index.ts'
import type { Loaded } from '../language/load.ts'
import type { Target } from '../language/target.ts'
import type { Result } from '../runner/verdict.ts'
import type { Judged } from './deviations.ts'
import { DialectDetector } from './dialect.ts'
import { judgeResult, skipUnavailable } from './not-tested.ts'
import { PolicyDetector } from './policy-detector.ts'

export type IssuerJudge = Readonly<{
  /** Judges a result of `check issuer`, for `RunOptions.judge`. */
  judge: (result: Result, scenario: Loaded) => Promise<Result>
  /** Dialect switches found to differ from the default. */
  found: () => Readonly<Record<string, string>>
}>

/**
 * Decides what a result says about an issuer: nothing where it was not available, where its policy
 * is another one, where it uses another dialect, or where a precondition was not reached.
 * @param mock a mock with the documented policy and the default dialect
 * @param names names of agents and users at the issuer, and its origins
 */
export const createIssuerJudge = (
  mock: Target,
  subject: Judged,
  scenarios: readonly Loaded[],
  { dialect, names }: { dialect: Partial<Dialect> | undefined; names: readonly string[] },
): IssuerJudge => {
  const dialects = new DialectDetector(mock, dialect, names)
  const policy = new PolicyDetector(mock)
  const originals = new Map(scenarios.map((it) => [it.title, it]))
  return {
    judge: async (result, scenario) => {
      const original = originals.get(scenario.title) ?? scenario
      const decided = await policy.judge(skipUnavailable(result), original)
      return judgeResult(await dialects.heard(decided, original), subject)
    },
    found: () => dialects.found,
  }
}
