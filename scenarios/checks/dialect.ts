import { Dialect, dialects } from '../../server/wire/index.ts'
import { parseJson } from '../../server/wire/json.ts'
import type { Loaded } from '../language/load.ts'
import { isObject } from '../language/match.ts'
import type { Target } from '../language/target.ts'
import { run } from '../runner/run.ts'
import type { Failure, Result } from '../runner/verdict.ts'

type Spoken = Readonly<Partial<Dialect>>

/**
 * Distinguishes deviations from dialects. A scenario that fails at a deployment, and fails in the
 * same way at the mock with a dialect switch changed, shows the dialect of the deployment.
 */
export class DialectDetector {
  /** Switches found to differ from the default. */
  readonly #found: Record<string, string>
  readonly #mock: Target
  readonly #names: readonly string[]
  readonly #known = new Map<string, Promise<string | undefined>>()
  /** Settles when no detection is running. */
  #before: Promise<unknown> = Promise.resolve()

  /**
   * @param known switches preset in the target file
   * @param names names of agents and users at the deployment, and its origins
   */
  constructor(mock: Target, known: Spoken = {}, names: readonly string[] = []) {
    this.#mock = mock
    this.#names = names.filter((it) => it.length > 2).sort((a, b) => b.length - a.length)
    this.#found = { ...known } as Record<string, string>
  }

  get found(): Readonly<Record<string, string>> {
    return this.#found
  }

  /**
   * A failed result, marked skipped where only the dialect made it fail. Results are processed one
   * at a time, because a switch found by one changes the search of the next.
   */
  heard(result: Result, scenario: Loaded): Promise<Result> {
    const heard = this.#before.then(() => this.#hear(result, scenario))
    this.#before = heard.catch(() => {})
    return heard
  }

  async #hear(result: Result, scenario: Loaded): Promise<Result> {
    const [failure] = result.failures
    if (result.verdict !== 'failed' || failure === undefined) return result
    const parts = partsOf(scenario)
    const seen = this.#signature(failure, result, parts)
    const { prefix } = result
    if (seen === (await this.#play(scenario, prefix, this.#found))) {
      return skipped(result, this.#found)
    }
    for (const { name, value } of findOtherSkips()) {
      if (name in this.#found) continue
      const spoken = { ...this.#found, [name]: value }
      if (seen !== (await this.#play(scenario, prefix, spoken))) continue
      // A failure that the default mock shows too says nothing about the dialect.
      if (seen === (await this.#play(scenario, prefix, {}))) return result
      this.#found[name] = value
      return skipped(result, { [name]: value })
    }
    return result
  }

  #play(scenario: Loaded, prefix: 'tenant' | 'org', dialect: Spoken): Promise<string | undefined> {
    const key = `${scenario.file} ${prefix} ${JSON.stringify(dialect)}`
    const played = this.#known.get(key) ?? this.#once(scenario, prefix, dialect)
    this.#known.set(key, played)
    return played
  }

  async #once(scenario: Loaded, prefix: 'tenant' | 'org', dialect: Spoken) {
    const spoken: Loaded = {
      ...scenario,
      prefixes: [prefix],
      tenants: scenario.tenants.map(({ name, given }) => ({
        name,
        given: { ...given, dialect: { ...dialect, ...given.dialect } },
      })),
    }
    const { results } = await run([spoken], this.#mock)
    const [played] = results
    const [failure] = played?.failures ?? []
    return played === undefined || failure === undefined
      ? undefined
      : this.#signature(failure, played, partsOf(scenario))
  }

  /** The parts of a failure that do not depend on the target. No messages. */
  #signature(failure: Failure, { exchanges }: Result, parts: readonly string[]): string {
    const { step, at, code, route, seat, differences, violations, exchange } = failure
    const { answer } = exchanges[exchange ?? -1] ?? {}
    const body = parseJson(answer?.body ?? '')
    const text = JSON.stringify([
      [step, at.line, at.column, code, route, seat],
      [answer?.status, isObject(body) ? body.error : undefined],
      differences.map((it) => [it.path, replaceHosts(it.expected), replaceHosts(it.received)]),
      violations.map((it) => [it.code, it.path, it.expected, it.received]),
    ])
    return [...this.#names, ...parts].reduce(
      (it, name) => it.replaceAll(name, name.includes('://') ? 'ORIGIN' : 'NAME'),
      text,
    )
  }
}

/** Names of agents and users in the scenario. */
const partsOf = ({ tenants }: Loaded): readonly string[] =>
  tenants
    .flatMap(({ given }) => [
      ...(given.agents?.map(({ name }) => name) ?? []),
      ...(given.users?.map(({ email }) => email) ?? []),
      'report-bot',
      'approver@example.com',
      'alice@example.com',
    ])
    .flatMap((name) => [`agt_${name}`, name])
    .filter((it) => it.length > 2)

const skipped = (result: Result, spoken: Readonly<Record<string, string>>): Result => ({
  ...result,
  verdict: 'skipped',
  failures: [],
  reason: `the issuer uses another dialect: ${Object.entries(spoken)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')}`,
})

/** All other values of all dialect switches of the issuer. */
const findOtherSkips = (): readonly Readonly<{ name: keyof Dialect; value: string }>[] => {
  const usual = Dialect.parse({})
  return (Object.keys(dialects) as (keyof Dialect)[])
    .filter((name) => name !== 'challenge' && name !== 'revocation')
    .flatMap((name) =>
      (Dialect.shape[name].unwrap().options as readonly string[])
        .filter((value) => value !== usual[name])
        .map((value) => ({ name, value })),
    )
}

const replaceHosts = (text: string): string =>
  text
    .replaceAll(/https:\/\/(?:issuer|api)\.lumoauth\.test/g, 'ORIGIN')
    .replaceAll(/\/(t|orgs)\/[\w.-]+/g, '/$1/TENANT')
    .replaceAll(/\b[a-z]+_[0-9a-f]{16}\b/g, 'ID')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/\b\d{10}\b/g, 'TIME')
    .replaceAll(/‹[^‹›]*›/g, 'SECRET')
    .replaceAll(/\beyJ[\w.-]+…?/g, 'JWT')
