import type { Loaded } from '../language/load.ts'
import { SkipScenario, type Target } from '../language/target.ts'
import { withMisbehaviours } from '../runner/misbehaving-target.ts'
import { jobsOf, type Progress, run, type ScenarioLimit } from '../runner/run.ts'
import type { Result, Run, Verdict } from '../runner/verdict.ts'

/** How a scenario was run, beyond the usual. */
export type How = Readonly<{
  /** With a text that is not saved. */
  unsaved: boolean
  misbehaviours: readonly string[]
}>

/** A scenario to run. */
export type Ordered = Readonly<{ id: string; scenario: Loaded }>

/** The latest run of a scenario: its results so far, one for each prefix. */
export type RunRecord = Readonly<{
  how: How
  startedAt: number
  /** How many results there will be. */
  parts: number
  results: (Result | undefined)[]
  soFar: ((() => Progress) | undefined)[]
}>

/** A run as the page shows it. */
export type RunState = { id: number; total: number; done: number; failed: number }

export type RunsOptions = Readonly<{
  target: Target
  limit: ScenarioLimit
  concurrency?: number | undefined
  seed?: number | undefined
  /** The state of scenarios has changed. */
  onChange?: (ids: readonly string[]) => void
  /** A running scenario has done a step. */
  onProgress?: (id: string) => void
  onRuns?: (runs: readonly RunState[]) => void
}>

/** From so many scenarios on, a run records no journals: they take a request after each step. */
const manyScenarios = 25

/** Runs scenarios on demand, several runs at once, and keeps the latest result of each. */
export class Runs {
  readonly #options: RunsOptions
  readonly #records = new Map<string, RunRecord>()
  readonly #waiting = new Map<string, number>()
  readonly #running = new Map<number, { state: RunState; stop: () => void; ended: Promise<void> }>()
  #count = 0

  constructor(options: RunsOptions) {
    this.#options = options
  }

  get states(): readonly RunState[] {
    return [...this.#running.values()].map(({ state }) => state)
  }

  record(id: string): RunRecord | undefined {
    return this.#records.get(id)
  }

  /** Whether a scenario waits for its turn in a run. */
  isWaiting(id: string): boolean {
    return (this.#waiting.get(id) ?? 0) > 0
  }

  /** Begins a run. @returns its number */
  start(ordered: readonly Ordered[], how: How): number {
    this.#count += 1
    const number = this.#count
    const byHand = new AbortController()
    const stop = () => byHand.abort(new SkipScenario('stopped by hand'))
    const jobs = jobsOf(ordered.map(({ scenario }) => scenario))
    const idOf = new Map(ordered.map(({ id, scenario }) => [scenario, id]))
    const ids = jobs.map((job) => idOf.get(job.scenario) ?? '')
    const state: RunState = { id: number, total: ordered.length, done: 0, failed: 0 }
    const records = new Map<string, RunRecord>()
    for (const { id } of ordered) this.#wait(id, 1)

    const begin = (index: number) => {
      const id = ids[index] ?? ''
      if (records.has(id)) return
      const parts = ids.filter((it) => it === id).length
      const record = { how, startedAt: Date.now(), parts, results: [], soFar: [] }
      records.set(id, record)
      this.#records.set(id, record)
      this.#wait(id, -1)
      this.#options.onChange?.([id])
    }
    const partOf = (index: number) => index - ids.indexOf(ids[index] ?? '')
    const { limit, concurrency, seed, onChange, onProgress, onRuns } = this.#options
    const working = run(
      ordered.map(({ scenario }) => scenario),
      withMisbehaviours(this.#options.target, how.misbehaviours),
      {
        concurrency,
        seed,
        limit,
        stop: byHand.signal,
        signal: byHand.signal,
        journal: ordered.length < manyScenarios,
        onStart: begin,
        onProgress: (soFar, index) => {
          const id = ids[index] ?? ''
          const record = records.get(id)
          if (record !== undefined) record.soFar[partOf(index)] = soFar
          onProgress?.(id)
        },
        onResult: (result, index) => {
          const id = ids[index] ?? ''
          // A scenario that had not begun keeps its former result.
          if (!records.has(id) && byHand.signal.aborted) return
          begin(index)
          const record = records.get(id)
          if (record === undefined) return
          record.results[partOf(index)] = result
          record.soFar[partOf(index)] = undefined
          if (verdictOf(record) === undefined) return
          state.done += 1
          if (verdictOf(record) === 'failed') state.failed += 1
          onChange?.([id])
          onRuns?.(this.states)
        },
      },
    )
    const ended = working.then(
      () => {},
      (error) => console.error('lumoauth-harness: a run ended early:', error),
    )
    this.#running.set(number, {
      state,
      stop,
      ended: ended.then(() => {
        const left = ordered.map(({ id }) => id).filter((id) => !records.has(id))
        for (const id of left) this.#wait(id, -1)
        this.#running.delete(number)
        onChange?.(left)
        onRuns?.(this.states)
      }),
    })
    onChange?.(ordered.map(({ id }) => id))
    onRuns?.(this.states)
    return number
  }

  /** Ends a run, or all of them: each running scenario before its next step. */
  stop(number?: number): void {
    for (const [id, it] of this.#running) if (number === undefined || id === number) it.stop()
  }

  /** Resolves when no run is left. */
  async idle(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ ended }) => ended))
  }

  forget(id: string): void {
    this.#records.delete(id)
  }

  /** The latest results, as runs of a report: one for each way of running. */
  reported(ids: readonly string[]): readonly Run[] {
    const records = ids.flatMap((id) => this.#records.get(id) ?? [])
    const named = records.map((record) => ({
      record,
      target: `${this.#options.target.name}${howText(record.how)}`,
    }))
    return [...Map.groupBy(named, (it) => it.target)].map(([target, of]) => {
      const results = of.flatMap(({ record }) => record.results.filter((it) => it !== undefined))
      return {
        target,
        startedAt: Math.min(...of.map(({ record }) => record.startedAt)),
        duration: results.reduce((sum, it) => sum + it.duration, 0),
        seed: this.#options.seed,
        results: results.map((it) => ({ ...it, target })),
      }
    })
  }

  #wait(id: string, more: 1 | -1): void {
    this.#waiting.set(id, Math.max(0, (this.#waiting.get(id) ?? 0) + more))
  }
}

/** How a scenario was run, as part of a name. */
const howText = ({ unsaved, misbehaviours }: How): string =>
  `${unsaved ? ', unsaved text' : ''}${misbehaviours.length > 0 ? `, ${misbehaviours.join(' and ')}` : ''}`

/** The worst verdict of all results; undefined while one is missing. */
export const verdictOf = ({ results, parts }: RunRecord): Verdict | undefined => {
  const verdicts = results.flatMap((it) => it?.verdict ?? [])
  if (verdicts.length < parts) return undefined
  return (['failed', 'skipped', 'passed'] as const).find((it) => verdicts.includes(it))
}
