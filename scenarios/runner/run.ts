import type { Loaded } from '../language/load.ts'
import type { Session } from '../language/session.ts'
import { ExpectationFailed } from '../language/step-context.ts'
import { type SkipReason, SkipScenario, type Target } from '../language/target.ts'
import type { Exchange } from './exchange.ts'
import { mapConcurrently } from './map-concurrently.ts'
import { newEntriesOf } from './new-entries.ts'
import { perform } from './perform.ts'
import { findUsedPolicies } from './policy-use.ts'
import { type KnownSecret, redactorOf } from './redact.ts'
import type { Log } from './run-state.ts'
import { emptyResult, type Failure, type Result, type Run, skippedResult } from './verdict.ts'

/** Options of `run`. All have defaults. */
export type RunOptions = Readonly<{
  /** Number of concurrent scenarios. */
  concurrency?: number | undefined
  /** Seed of ids and secrets. Equal seeds give equal redacted transcripts. */
  seed?: number | undefined
  /** How often each scenario runs. */
  repeat?: number | undefined
  /** Start no more scenarios after one has failed. */
  bail?: boolean | undefined
  /** Timeout for an answer, in milliseconds; default 10 s. */
  patience?: number | undefined
  /** `failed`: exchanges and tokens of passed scenarios are discarded. Default `all`. */
  keep?: 'all' | 'failed' | undefined
  /** Aborted: scenarios that have not begun are skipped as interrupted. */
  signal?: AbortSignal | undefined
  /** Revises each result before it counts. */
  judge?: (result: Result, scenario: Loaded) => Promise<Result>
  /** Also record which policy rules decided. */
  policies?: boolean | undefined
  /** Also record the journal entries that each step led to. */
  journal?: boolean | undefined
  /** Aborted: running scenarios end before their next step. Its reason is the error of that step. */
  stop?: AbortSignal | undefined
  /** When a scenario fails because it does not end. Default: never. */
  limit?: ScenarioLimit | undefined
  /** Called before a scenario opens its tenants. */
  onStart?: (index: number) => void
  /** Called after each step; `soFar` makes the result up to it. */
  onProgress?: (soFar: () => Progress, index: number) => void
  /** Called with each result as it arrives, in any order. */
  onResult?: (result: Result, index: number) => void
}>

/** The most that one scenario may take. */
export type ScenarioLimit = Readonly<{ milliseconds: number; exchanges: number }>

/** The result of a scenario that still runs. */
export type Progress = Omit<Result, 'verdict'>

/** Runs scenarios, each in its own tenants. A failed scenario is a result. Prints nothing. */
export const run = async (
  scenarios: readonly Loaded[],
  target: Target,
  options: RunOptions = {},
): Promise<Run> => {
  const { concurrency = 8, seed, repeat = 1, bail = false, judge, onResult, signal } = options
  const startedAt = Date.now()
  const started = performance.now()
  let stopped = false

  const results = await mapConcurrently(
    jobsOf(scenarios, repeat),
    concurrency,
    async (job, index) => {
      const reason = signal?.aborted
        ? 'interrupted'
        : stopped
          ? 'an earlier scenario failed (--bail)'
          : skipReasonOf(job.scenario, target)
      const first =
        reason === undefined
          ? await runOne(job, target, options, index)
          : skippedResult(named(job, target), reason)
      const result = (await judge?.(first, job.scenario)) ?? first
      stopped ||= bail && result.verdict === 'failed'
      onResult?.(result, index)
      return result
    },
  )

  return { target: target.name, startedAt, duration: performance.now() - started, seed, results }
}

/** One run: a scenario under one prefix, and its repetition. */
export type Job = Readonly<{ scenario: Loaded; prefix: 'tenant' | 'org'; round: number }>

/** Every run of every scenario, in the order of their results. */
export const jobsOf = (scenarios: readonly Loaded[], repeat = 1): readonly Job[] =>
  scenarios.flatMap((scenario) =>
    scenario.prefixes.flatMap((prefix) =>
      Array.from({ length: repeat }, (_, index) => ({ scenario, prefix, round: index + 1 })),
    ),
  )

const skipReasonOf = (scenario: Loaded, target: Target): SkipReason | undefined => {
  if (target.cannot !== undefined) return target.cannot(scenario)
  const { needs, takes } = scenario
  const lacking = needs.find((need) => !target.capabilities.has(need))
  if (lacking !== undefined) return `the target lacks ${lacking}`
  if (target.capabilities.has('virtual_time') || takes <= target.longestWait) return undefined
  return `it needs ${takes} s, and the target has no virtual time`
}

const runOne = async (
  job: Job,
  target: Target,
  options: RunOptions,
  index: number,
): Promise<Result> => {
  const { seed, patience, keep, policies, onStart, onProgress } = options
  const started = performance.now()
  onStart?.(index)
  const { scenario, prefix } = job
  const skip = (reason: SkipReason) => skippedResult(named(job, target), reason)
  const base = emptyResult(named(job, target))
  const sessions = new Map<string, Session>()
  try {
    for (const [index, { name, given }] of scenario.tenants.entries()) {
      // Tenants with one seed would have equal ids.
      const own = seed === undefined ? undefined : seed + index
      sessions.set(name, await target.open(given, { tenant: slugOf(job, name), index, seed: own }))
    }
  } catch (error) {
    await closeAll(sessions)
    if (error instanceof SkipScenario) return skip(error.skip)
    return {
      ...base,
      verdict: 'failed',
      failures: [brokenScenarioFailure(scenario, error)],
      duration: performance.now() - started,
    }
  }

  const ending = stopOf(options)
  const newEntries = options.journal ? newEntriesOf([...sessions.values()]) : undefined
  await newEntries?.()
  const went = await perform(scenario, prefix, sessions, target, {
    patience,
    stop: ending.signal,
    newEntries,
    onStep: (log) => {
      ending.check(log)
      onProgress?.(() => progressOf(base, log, sessions, started), index)
    },
    unique: seed === undefined ? undefined : seed.toString(16).padStart(16, '0'),
  })
  ending.end()
  const { failures, steps, exchanges, secrets } = went
  const uses = policies ? await policiesOf(scenario, sessions, exchanges) : undefined
  const leftover = await closeAll(sessions)
  const unable = went.unable ?? [...sessions.values()].flatMap((it) => it.unable?.() ?? [])[0]
  if (unable !== undefined && failures.length > 0) return skip(unable)
  const all =
    leftover === undefined ? failures : [...failures, brokenScenarioFailure(scenario, leftover)]
  if (keep === 'failed' && all.length === 0) {
    const duration = performance.now() - started
    return { ...base, verdict: 'passed', steps, duration }
  }
  const redactor = redactorOf([...secretsOf(sessions), ...secrets], exchanges)
  return redactor.redact({
    ...base,
    verdict: all.length === 0 ? 'passed' : 'failed',
    failures: all,
    steps,
    exchanges,
    tokens: redactor.tokens,
    ...(uses === undefined ? {} : { policies: uses }),
    duration: performance.now() - started,
  })
}

/** The most exchanges that are shown of a scenario that still runs. */
const shownOfRunning = 200

const progressOf = (
  base: Progress,
  { steps, secrets, ...log }: Log,
  sessions: ReadonlyMap<string, Session>,
  started: number,
): Progress => {
  const exchanges = log.exchanges.slice(0, shownOfRunning)
  const redactor = redactorOf([...secretsOf(sessions), ...secrets], exchanges)
  const duration = performance.now() - started
  return redactor.redact({
    ...base,
    steps: [...steps],
    exchanges,
    tokens: redactor.tokens,
    duration,
  })
}

/** A signal that ends a scenario: by hand, or when it takes more than its limit. */
const stopOf = ({ stop, limit }: RunOptions) => {
  if (limit === undefined) return { signal: stop, check: () => {}, end: () => {} }
  const over = new AbortController()
  const fail = (most: string) =>
    over.abort(new ExpectationFailed(`expected the scenario to end within ${most}`))
  const deadline = performance.now() + limit.milliseconds
  const timer = setTimeout(() => fail(`${limit.milliseconds / 1000} s`), limit.milliseconds)
  return {
    signal: AbortSignal.any([over.signal, ...(stop === undefined ? [] : [stop])]),
    check: ({ exchanges }: Log) => {
      if (performance.now() > deadline) fail(`${limit.milliseconds / 1000} s`)
      if (exchanges.length > limit.exchanges) fail(`${limit.exchanges} exchanges`)
    },
    end: () => clearTimeout(timer),
  }
}

const policiesOf = async (
  { tenants }: Loaded,
  sessions: ReadonlyMap<string, Session>,
  exchanges: readonly Exchange[],
) => {
  const uses = tenants.map(async ({ name, given }) => {
    const session = sessions.get(name)
    return session === undefined ? [] : findUsedPolicies(given, session, exchanges)
  })
  return (await Promise.all(uses)).flat()
}

const named = ({ scenario, prefix, round }: Job, target: Target) => ({
  title: scenario.title,
  file: scenario.file,
  line: scenario.source.locate(['scenario']).line,
  theme: scenario.theme,
  covers: scenario.covers,
  tags: scenario.tags,
  prefix,
  target: target.name,
  round,
})

/** Closes all sessions even after errors. Returns the first error. */
const closeAll = async (sessions: ReadonlyMap<string, Session>): Promise<unknown> => {
  const closed = await Promise.allSettled([...sessions.values()].map((it) => it.close()))
  return closed.find((it) => it.status === 'rejected')?.reason
}

const brokenScenarioFailure = ({ source }: Loaded, error: unknown): Failure => {
  const at = source.locate(['given'], 'key')
  return {
    kind: 'crash',
    code: 'tenants',
    message: `tenants could not be created or deleted: ${error instanceof Error ? error.message : error}`,
    at,
    excerpt: source.excerpt(at),
    step: '0',
    differences: [],
    violations: [],
  }
}

const secretsOf = (sessions: ReadonlyMap<string, Session>): KnownSecret[] =>
  [...sessions.values()].flatMap((session) => [
    ...session.agents.map((it) => ({ kind: 'client secret', value: it.client_secret })),
    ...(session.apiClient === undefined
      ? []
      : [{ kind: 'API client secret', value: session.apiClient.client_secret }]),
    ...(session.controlToken === undefined
      ? []
      : [{ kind: 'control token', value: session.controlToken }]),
    ...Object.values(session.userTokens ?? {}).map((value) => ({ kind: 'user token', value })),
  ])

/** A slug for this run of this scenario, readable in logs and reproducible. */
const slugOf = ({ scenario, prefix, round }: Job, tenant: string): string => {
  const name = scenario.file
    .replace(/\.ya?ml$/, '')
    .replace(/^.*\bsuite\b./, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
  const tail = [
    ...(prefix === 'org' ? ['org'] : []),
    ...(round > 1 ? [`r${round}`] : []),
    ...(scenario.tenants.length > 1 ? [tenant] : []),
  ]
  const kept = name.slice(-(62 - tail.join('-').length)).replaceAll(/^-+|-+$/g, '')
  return [kept, ...tail].join('-')
}
