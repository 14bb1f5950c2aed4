import { type AuthorizationDetail, modelEnvironment } from '../../../server/wire/index.ts'
import type { Given } from '../../language/format.ts'
import type { Exchange } from '../../runner/exchange.ts'
import { mapConcurrently } from '../../runner/map-concurrently.ts'
import { redactorOf } from '../../runner/redact.ts'
import {
  emptyResult,
  type Failure,
  type Result,
  type Run,
  skippedResult,
} from '../../runner/verdict.ts'
import { openRecordingProxy, type RecordingProxy } from '../../targets/mock/recording-proxy.ts'
import { command } from './command.ts'
import {
  describeMissingOccasion,
  describeUnknownCall,
  findUndone,
  findUnmetExpectations,
} from './expectations.ts'
import { Interventions } from './interventions.ts'
import { findOffences } from './judge.ts'
import type { LoadedAgentScenario } from './load.ts'
import { type Meter, meterOf } from './meter.ts'
import type { Offence } from './offence.ts'
import { type TraceEntry, traceOf } from './trace.ts'

export type AgentOptions = Readonly<{
  /** The command and its arguments. */
  line: readonly string[]
  /** What every tenant contains, in addition to the scenario's own `given`. */
  given?: Given | undefined
  /** Default time limit of a scenario, in seconds. */
  limit?: number
  concurrency?: number
  signal?: AbortSignal
  onResult?: (result: Result, index: number) => void
  /** The positive control, run first: what the agent must get done before others can expect more. */
  control?: LoadedAgentScenario | undefined
}>

/** Runs the agent's command once per scenario, each in its own tenant, and checks its exchanges. */
export const runAgent = async (
  scenarios: readonly LoadedAgentScenario[],
  { concurrency = 4, signal = new AbortController().signal, onResult, ...options }: AgentOptions,
): Promise<Readonly<{ run: Run; meters: readonly Meter[] }>> => {
  const startedAt = Date.now()
  const started = performance.now()
  await using proxy = await openRecordingProxy()
  const { control } = options
  const controlled =
    control === undefined ? undefined : await runOne(control, proxy, { ...options, signal })
  const outcomes = await mapConcurrently(scenarios, concurrency, async (scenario, index) => {
    const outcome = signal.aborted
      ? { result: skippedResult(named(scenario), 'interrupted') }
      : scenario === control && controlled !== undefined
        ? controlled
        : await runOne(scenario, proxy, { ...options, signal, before: controlled })
    onResult?.(outcome.result, index)
    return outcome
  })
  const results = outcomes.map(({ result }) => result)
  const run = { target: 'agent', startedAt, duration: performance.now() - started, results }
  return { run, meters: outcomes.flatMap(({ meter }) => meter ?? []) }
}

type Outcome = Readonly<{
  result: Result
  meter?: Meter
  /** What the agent did not get done, in words. */
  stuck?: string | undefined
  /** The details it requested. */
  requested?: readonly AuthorizationDetail[]
}>

const runOne = async (
  scenario: LoadedAgentScenario,
  proxy: RecordingProxy,
  {
    line,
    given,
    limit: usual = 60,
    signal,
    control,
    before,
  }: AgentOptions & { signal: AbortSignal; before?: Outcome | undefined },
): Promise<Outcome> => {
  const started = performance.now()
  const limit = scenario.limit ?? usual
  const interventions = new Interventions(scenario.world ?? [], proxy)
  const play = proxy.open({ ...given, ...scenario.given }, interventions.passing)
  try {
    await interventions.begin(play)
    const { environment, model, agents } = play.tenant
    const secret = agents[0]?.client_secret ?? ''
    const running = command({
      line,
      limit,
      grace: 1,
      signal,
      environment: {
        ...environment,
        ...modelEnvironment(model),
        ...(interventions.wrongSecret ? { AGENT_CLIENT_SECRET: 'not-the-secret' } : {}),
      },
    })
    interventions.kill = running.kill
    const ending = await running.ended
    if (signal.aborted) return { result: skippedResult(named(scenario), 'interrupted') }

    const trace = traceOf(play.seen)
    const journal = play.tenant.journal()
    const absent = describeMissingOccasion(scenario, trace, interventions)
    const wrong = [
      ...findOffences({ trace, journal, ending, limit, secret }, scenario.except),
      ...(absent === undefined ? findUnmetExpectations(scenario, trace, before?.requested) : []),
    ]
    const undone = absent === undefined ? findUndone(scenario, trace, ending) : []
    // What it did wrong, or could not do before, explains what it did not get done.
    const explained =
      describeUnknownCall(trace) ??
      (before?.stuck === undefined
        ? undefined
        : `the agent does not pass the happy path: ${before.stuck}`) ??
      (scenario === control && wrong.length > 0 ? wrong[0]?.says : undefined)
    const offences = explained === undefined ? [...wrong, ...undone] : wrong
    const missed = absent ?? (undone.length > 0 ? explained : undefined)
    const exchanges = trace.entries.map(exchangeOf)
    const known = agents.map((it) => ({ kind: 'client secret', value: it.client_secret }))
    const redactor = redactorOf(known, exchanges)
    const result: Result = {
      ...(offences.length === 0 && missed !== undefined
        ? skippedResult(named(scenario), missed)
        : { ...emptyResult(named(scenario)), verdict: offences.length > 0 ? 'failed' : 'passed' }),
      failures: offences.map((it) => failureOf(it, scenario)),
      exchanges,
      tokens: redactor.tokens,
      duration: performance.now() - started,
    }
    return {
      result: redactor.redact(result),
      meter: meterOf(trace),
      requested: trace.asks.flatMap(({ detail }) => detail ?? []),
      stuck: undone.length > 0 ? redactor.redact(explained ?? undone[0]?.says) : undefined,
    }
  } finally {
    play.close()
  }
}

const failureOf = ({ rule, says, entry }: Offence, { source }: LoadedAgentScenario): Failure => {
  const at = source.locate(['scenario'])
  return {
    kind: 'expectation',
    code: 'rule',
    message: rule === undefined ? says : `${rule}: ${says}`,
    at,
    excerpt: '',
    step: '',
    differences: [],
    violations: [],
    rules: rule === undefined ? [] : [rule],
    ...(entry === undefined ? {} : { exchange: entry.index }),
  }
}

const exchangeOf = (entry: TraceEntry): Exchange => ({
  step: String(entry.index + 1),
  seat: entry.seat === 'elsewhere' ? 'api' : entry.seat,
  route: entry.route ?? null,
  request: entry.request,
  answer: entry.answer,
  duration: entry.answeredAt - entry.at,
  violations: [],
})

const named = (scenario: LoadedAgentScenario) => ({
  title: scenario.scenario,
  file: scenario.file,
  line: scenario.source.locate(['scenario']).line,
  theme: 'agent',
  covers: scenario.covers,
  target: 'agent',
})
