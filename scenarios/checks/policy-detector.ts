import { parseJson } from '../../server/wire/json.ts'
import type { Loaded } from '../language/load.ts'
import { isObject } from '../language/match.ts'
import type { Target } from '../language/target.ts'
import { run } from '../runner/run.ts'
import type { Result } from '../runner/verdict.ts'

/** The rules about what the documented policy decides. */
const policyRules: readonly string[] = ['LUMO-RISK-HUMAN', 'LUMO-RISK-LEVEL']

/**
 * Distinguishes deviations from a policy of the deployment's own. Where its policy decides a request
 * otherwise than the documented policy does at the mock, the steps that follow have another meaning:
 * the scenario is skipped, unless it covers a rule about the policy itself.
 */
export class PolicyDetector {
  readonly #mock: Target
  readonly #decisions = new Map<string, Promise<Decisions>>()

  constructor(mock: Target) {
    this.#mock = mock
  }

  /** The result, skipped or reduced to the rules about the policy where the policy is another one. */
  async judge(result: Result, scenario: Loaded): Promise<Result> {
    if (result.verdict === 'skipped') return result
    const seen = decisionsIn(result)
    if (seen.size === 0) return result
    const usual = await this.#usualDecisions(scenario, result.prefix)
    const [step, decision] =
      [...seen].find(([at, it]) => usual.has(at) && usual.get(at) !== it) ?? []
    if (step === undefined) return result
    const about = result.covers.filter((it) => policyRules.includes(it))
    const [failure] = result.failures
    if (failure !== undefined && failure.precondition === undefined && about.length > 0) {
      return { ...result, failures: [{ ...failure, rules: about }] }
    }
    return {
      ...result,
      verdict: 'skipped',
      failures: [],
      reason: `its policy decides a request as ${decision}, the documented policy as ${usual.get(step)}`,
    }
  }

  #usualDecisions(scenario: Loaded, prefix: 'tenant' | 'org'): Promise<Decisions> {
    const key = `${scenario.file} ${prefix}`
    const known = this.#decisions.get(key) ?? this.#play(scenario, prefix)
    this.#decisions.set(key, known)
    return known
  }

  async #play(scenario: Loaded, prefix: 'tenant' | 'org'): Promise<Decisions> {
    const { results } = await run([{ ...scenario, prefixes: [prefix] }], this.#mock)
    return results[0] === undefined ? new Map() : decisionsIn(results[0])
  }
}

/** What the policy decided about each request, by the number of its step. */
type Decisions = ReadonlyMap<string, string>

/** The status in the first answer to each request, before an approver can decide. */
const decisionsIn = ({ exchanges }: Result): Decisions =>
  new Map(
    exchanges.flatMap(({ route, step, answer }): [string, string][] => {
      if (route !== 'jit.request' || answer.status >= 300) return []
      const body = parseJson(answer.body)
      const status = isObject(body) ? body.status : undefined
      return typeof status === 'string' ? [[step, status]] : []
    }),
  )
