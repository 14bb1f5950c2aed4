import type { Misbehaviours } from '../../server/wire/index.ts'
import type { Loaded } from '../language/load.ts'
import type { Target } from '../language/target.ts'
import { mapConcurrently } from './map-concurrently.ts'
import { withMisbehaviours } from './misbehaving-target.ts'
import { run } from './run.ts'
import type { Result } from './verdict.ts'

export type Misbehaviour = Misbehaviours['known'][number]

/** The outcome of one misbehaviour. */
export type Finding = Readonly<{
  misbehaviour: Misbehaviour
  /** The scenarios that failed and so noticed it. */
  caughtBy: readonly Loaded[]
  /** The scenarios that passed and did not notice it. */
  missedBy: readonly Loaded[]
  /** Why no client can notice it, from `unnoticed.yaml`. Excused ones run only with `full`. */
  excuse: string | undefined
}>

export type Sabotage = Readonly<{
  /** In the order of the misbehaviours. */
  findings: readonly Finding[]
  /** Scenarios that pass under every misbehaviour. */
  idle: readonly Loaded[]
}>

export type SabotageOptions = Readonly<{
  /** Reasons why no client can notice certain misbehaviours, by name. */
  excuses?: Readonly<Partial<Record<string, string>>> | undefined
  /** Run every scenario it could affect, even after one has noticed it. */
  full?: boolean | undefined
  /** Number of concurrent misbehaviours. */
  concurrency?: number | undefined
  /** Timeout for an answer, in milliseconds. */
  patience?: number | undefined
  onFinding?: ((finding: Finding, done: number, total: number) => void) | undefined
}>

/** The suite has failures without any misbehaviour. */
export class NotGreen extends Error {
  override readonly name = 'NotGreen'
  readonly failed: readonly Result[]
  constructor(failed: readonly Result[]) {
    super(`${failed.length} scenarios fail without any misbehaviour`)
    this.failed = failed
  }
}

/**
 * Switches each misbehaviour on and runs the scenarios that could notice it: those that cover the
 * rule it breaks, then those whose exchanges it affects, until one fails.
 * @throws {NotGreen} when a scenario fails without misbehaviour
 */
export const sabotage = async (
  scenarios: readonly Loaded[],
  misbehaviours: readonly Misbehaviour[],
  target: Target,
  { excuses = {}, full = false, concurrency = 6, patience = 3000, onFinding }: SabotageOptions = {},
): Promise<Sabotage> => {
  const traces = await honestTraces(scenarios, target)
  // A scenario about the switches themselves says nothing about the seats.
  const witnesses = scenarios.filter((it) => !it.covers.includes('CONTROL-MISBEHAVE'))
  const touching = (misbehaviour: Misbehaviour) =>
    witnesses.filter((it) => touches(misbehaviour, traces.get(it)))
  const notices = (scenario: Loaded, misbehaviour: Misbehaviour) =>
    isFailing(scenario, withMisbehaviours(target, [misbehaviour.name]), patience)
  let done = 0

  const find = async (misbehaviour: Misbehaviour): Promise<Finding> => {
    const excuse = excuses[misbehaviour.name]
    const caughtBy: Loaded[] = []
    const missedBy: Loaded[] = []
    const touched = excuse === undefined || full ? touching(misbehaviour) : []
    const covering = touched.filter((it) => it.covers.includes(misbehaviour.breaks))
    const others = touched.filter((it) => !covering.includes(it))
    others.sort((a, b) => (traces.get(a)?.duration ?? 0) - (traces.get(b)?.duration ?? 0))
    for (const scenario of [...covering, ...others]) {
      if (!full && caughtBy.length > 0 && !covering.includes(scenario)) break
      const noticed = await notices(scenario, misbehaviour)
      ;(noticed ? caughtBy : missedBy).push(scenario)
    }
    const finding = { misbehaviour, caughtBy, missedBy, excuse }
    done += 1
    onFinding?.(finding, done, misbehaviours.length)
    return finding
  }
  const findings = await mapConcurrently(misbehaviours, concurrency, find)

  const isIdle = async (scenario: Loaded): Promise<boolean> => {
    if (findings.some((it) => it.caughtBy.includes(scenario))) return false
    for (const { misbehaviour, missedBy, excuse } of findings) {
      if (misbehaviour.seat === 'network' || excuse !== undefined) continue
      if (missedBy.includes(scenario) || !touches(misbehaviour, traces.get(scenario))) continue
      if (await notices(scenario, misbehaviour)) return false
    }
    return true
  }
  const idle = await mapConcurrently(witnesses, concurrency, isIdle)
  return { findings, idle: witnesses.filter((_, index) => idle[index]) }
}

const isFailing = async (scenario: Loaded, target: Target, patience: number): Promise<boolean> => {
  const how = { concurrency: 1, patience, bail: true, keep: 'failed' } as const
  const { results } = await run([scenario], target, how)
  const failure = results.find((it) => it.verdict === 'failed')?.failures[0]
  // Without a tenant there was no misbehaviour to notice.
  if (failure?.code === 'tenants') throw new Error(`${scenario.file}: ${failure.message}`)
  return failure !== undefined
}

/** A scenario's routes and duration without misbehaviour. */
type Trace = Readonly<{ seats: ReadonlySet<string>; routes: ReadonlySet<string>; duration: number }>

const honestTraces = async (scenarios: readonly Loaded[], target: Target) => {
  const { results } = await run(scenarios, target)
  const failed = results.filter((it) => it.verdict === 'failed')
  if (failed.length > 0) throw new NotGreen(failed)
  const byFile = Map.groupBy(results, (it) => it.file)
  return new Map(
    scenarios.map((scenario): [Loaded, Trace] => {
      const own = byFile.get(scenario.file) ?? []
      const exchanges = own.flatMap((it) => it.exchanges)
      return [
        scenario,
        {
          seats: new Set(exchanges.map((it) => it.seat)),
          routes: new Set(exchanges.map((it) => it.route ?? '')),
          duration: own.reduce((sum, it) => sum + it.duration, 0),
        },
      ]
    }),
  )
}

/**
 * A misbehaviour affects exchanges of its routes or of its seat; a scenario without such an
 * exchange cannot notice it.
 */
const touches = ({ seat, routes }: Misbehaviour, trace: Trace | undefined): boolean => {
  if (trace === undefined) return false
  if (routes !== undefined) return routes.some((it) => trace.routes.has(it))
  return seat === 'network'
    ? trace.seats.has('issuer') || trace.seats.has('api')
    : trace.seats.has(seat)
}
