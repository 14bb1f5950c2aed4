import type { Given } from '../../language/format.ts'
import { match, show } from '../../language/match.ts'
import { subsequence } from '../../language/subsequence.ts'
import { type Exchange, violationsOf } from '../../runner/exchange.ts'
import { redactorOf } from '../../runner/redact.ts'
import type { Failure, Result, Run } from '../../runner/verdict.ts'
import {
  openRecordingProxy,
  type ProxyHandler,
  type RecordingProxy,
} from '../../targets/mock/recording-proxy.ts'
import { command, type Ended } from './command.ts'
import type { Turn } from './format.ts'
import { findOffences, type Offence } from './judge.ts'
import type { LoadedAgentScenario } from './load.ts'
import { type Meter, meterOf } from './meter.ts'
import { type AgentTrace, type TraceEntry, traceOf } from './trace.ts'

export type AgentOptions = Readonly<{
  /** The command and its arguments. */
  line: readonly string[]
  /** What every tenant holds, for an agent that needs something of its own. */
  given?: Given | undefined
  /** Seconds a scenario may take that says nothing else. */
  limit?: number
  concurrency?: number
  signal?: AbortSignal
  onResult?: (result: Result, index: number) => void
}>

/** Lets an agent act in every scenario, each in a tenant of its own, and judges what it did. */
export const runAgent = async (
  scenarios: readonly LoadedAgentScenario[],
  { concurrency = 4, signal = new AbortController().signal, onResult, ...options }: AgentOptions,
): Promise<Readonly<{ run: Run; meters: readonly Meter[] }>> => {
  const startedAt = Date.now()
  const started = performance.now()
  const results: Result[] = []
  const meters: Meter[] = []
  await using ours = await openRecordingProxy()
  let next = 0
  const work = async () => {
    for (let index = next++; index < scenarios.length; index = next++) {
      const scenario = scenarios[index]
      if (scenario === undefined) return
      const { result, meter } = signal.aborted
        ? { result: skipped(scenario, 'interrupted'), meter: undefined }
        : await act(scenario, ours, { ...options, signal })
      results[index] = result
      if (meter !== undefined) meters.push(meter)
      onResult?.(result, index)
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, scenarios.length) }, work))
  const run = { target: 'agent', startedAt, duration: performance.now() - started, results }
  return { run, meters }
}

const act = async (
  scenario: LoadedAgentScenario,
  ours: RecordingProxy,
  { line, given, limit: usual = 60, signal }: AgentOptions & { signal: AbortSignal },
): Promise<{ result: Result; meter?: Meter }> => {
  const started = performance.now()
  const limit = scenario.limit ?? usual
  const world = new RunContext(scenario.world ?? [], ours)
  const play = ours.open({ ...given, ...scenario.given }, world.passing)
  try {
    await world.begin(play)
    const { environment, model, agents } = play.tenant
    const secret = agents[0]?.client_secret ?? ''
    const running = command({
      line,
      limit,
      signal,
      environment: {
        ...environment,
        OPENAI_BASE_URL: model.base_url,
        OPENAI_API_KEY: model.api_key,
        ...(world.wrongSecret ? { AGENT_CLIENT_SECRET: 'not-the-secret' } : {}),
      },
    })
    world.kill = running.kill
    const ending = await running.ended
    if (signal.aborted) return { result: skipped(scenario, 'interrupted') }

    const story = traceOf(play.seen)
    const journal = play.tenant.journal()
    const absent = describeMissingOccasion(scenario, story, world)
    const sins = findOffences({ story, journal, ending, limit, secret }, scenario.except)
    const unmet = absent === undefined ? findUnmetExpectations(scenario, story, ending) : []
    const failures = [...sins, ...unmet].map((sin) => failureOf(sin, scenario))
    const verdict = failures.length > 0 ? 'failed' : absent === undefined ? 'passed' : 'skipped'
    const result: Result = {
      ...base(scenario),
      verdict,
      ...(verdict === 'skipped' ? { reason: absent } : {}),
      failures,
      exchanges: story.scenes.map(exchangeOf),
      duration: performance.now() - started,
    }
    const known = play.tenant.agents.map((it) => ({
      kind: 'client secret',
      value: it.client_secret,
    }))
    const redactor = redactorOf(known, result.exchanges)
    return {
      result: redactor.redact({ ...result, tokens: redactor.tokens }),
      meter: meterOf(story),
    }
  } finally {
    play.close()
  }
}

/** Does what a scenario says happens around the agent. */
class RunContext {
  wrongSecret = false
  kill: (signal: NodeJS.Signals) => void = () => {}
  /** How many turns have been taken, of those that wait for something. */
  taken = 0
  readonly awaited: number
  readonly #turns: readonly Turn[]
  readonly #stage: RecordingProxy
  readonly #counts = new Map<Turn, number>()
  #play: ProxyHandler | undefined
  #downUntil = 0
  #lure: Turn['lure']

  constructor(turns: readonly Turn[], ours: RecordingProxy) {
    this.#turns = turns
    this.#stage = ours
    this.awaited = turns.filter((it) => it.when !== undefined).length
  }

  async begin(play: ProxyHandler): Promise<void> {
    this.#play = play
    for (const turn of this.#turns) if (turn.when === undefined) await this.#take(turn)
  }

  readonly passing = async (request: Request, answer: Response, seat: string) => {
    const play = this.#play
    if (play === undefined) return answer
    if (seat === 'issuer' && performance.now() < this.#downUntil) return 'cut' as const
    const { route } = traceOf([toSeenExchange(request, answer, seat)]).scenes[0] ?? {}
    for (const turn of this.#turns) {
      const { when } = turn
      if (when?.route !== route || (when?.status ?? answer.status) !== answer.status) continue
      const count = (this.#counts.get(turn) ?? 0) + 1
      this.#counts.set(turn, count)
      if (count !== when?.nth) continue
      this.taken += 1
      await this.#take(turn, answer)
    }
    return this.#lured(request, answer, seat, play)
  }

  async #take(turn: Turn, answer?: Response): Promise<void> {
    const play = this.#play
    if (play === undefined) return
    const { misbehave, behave, revoke, down, signal, lure, wrong_secret } = turn
    if (misbehave !== undefined) await play.tenant.misbehave(misbehave)
    if (behave) play.tenant.behave()
    if (wrong_secret) this.wrongSecret = true
    if (lure !== undefined) this.#lure = lure
    if (down !== undefined) this.#downUntil = performance.now() + down * 1000
    if (revoke !== undefined) await this.#revokeAll(play, answer)
    if (signal !== undefined) this.kill(signal)
  }

  async #revokeAll(play: ProxyHandler, answer: Response | undefined) {
    const { grants } = traceOf(play.seen)
    const body: unknown = await answer
      ?.clone()
      .json()
      .catch(() => undefined)
    const { access_token: newest } = (body ?? {}) as { access_token?: string }
    for (const token of new Set([...grants.map((it) => it.token), ...(newest ? [newest] : [])])) {
      await this.#stage.revoke(play, token)
    }
  }

  async #lured(request: Request, answer: Response, seat: string, { elsewhere }: ProxyHandler) {
    const { pathname } = new URL(request.url)
    if (this.#lure === 'redirect' && seat === 'api') {
      return new Response(null, { status: 307, headers: { location: elsewhere + pathname } })
    }
    if (this.#lure === undefined || this.#lure === 'redirect' || seat !== 'issuer') return answer
    const body: unknown = await answer
      .clone()
      .json()
      .catch(() => undefined)
    const path = (body as Record<string, unknown> | undefined)?.[this.#lure]
    if (typeof path !== 'string') return answer
    return Response.json(
      { ...(body as object), [this.#lure]: elsewhere + path },
      { status: answer.status },
    )
  }
}

const toSeenExchange = (request: Request, answer: Response, seat: string) => ({
  at: 0,
  answeredAt: 0,
  seat: seat as 'issuer',
  request: { method: request.method, url: request.url, headers: {}, body: '' },
  answer: { status: answer.status, headers: {}, body: '' },
})

/** What has not come about, though the scenario is about it. */
const describeMissingOccasion = (
  { occasion }: LoadedAgentScenario,
  { challenges, asks, grants, scenes }: AgentTrace,
  world: RunContext,
): string | undefined => {
  if (scenes.length === 0) return undefined
  const there = {
    challenge: challenges.length > 0 || 'the agent never met a challenge',
    pending:
      asks.some((it) => it.status === 'pending') || 'the agent never had to wait for an approval',
    token: grants.length > 0 || 'the agent never got a JIT token',
    turn: world.taken >= world.awaited || 'the agent never came to where something was to happen',
  }
  return occasion.map((it) => there[it]).find((it) => it !== true) as string | undefined
}

/** What the scenario itself expects, and did not come. */
const findUnmetExpectations = (
  scenario: LoadedAgentScenario,
  story: AgentTrace,
  ending: Ended,
): Offence[] => {
  const { expect, covers } = scenario
  const [rule = ''] = covers
  const says: string[] = []
  if (story.scenes.length === 0) {
    says.push(
      `the agent called neither issuer nor API, and ended with ${endText(ending)}: does it read LUMOAUTH_URL and DOCUMENTS_API_URL?${tailOf(ending)}`,
    )
    return says.map((it) => ({ rule, says: it }))
  }
  const succeeded = ending.code === 0
  if (expect.exit === 'success' && !succeeded)
    says.push(`expected success, it ended with ${endText(ending)}${tailOf(ending)}`)
  if (expect.exit === 'failure' && succeeded)
    says.push('expected an exit code that tells of the failure, it ended with 0')
  if (expect.asked !== undefined) {
    const [odd] = match(expect.asked, story.asks.length)
    if (odd !== undefined)
      says.push(`it requested ${odd.received} permissions, expected ${odd.expected}`)
  }
  for (const pattern of expect.never_asked ?? []) {
    const asked = story.asks.find((it) => match(pattern, it.detail).length === 0)
    if (asked !== undefined) says.push(`it requested ${show(asked.detail)}, which it must not`)
  }
  for (const [route, most] of Object.entries(expect.at_most ?? {})) {
    const count = story.scenes.filter((it) => it.route === route).length
    if (count > most) says.push(`it called ${route} ${count} times, at most ${most} is sound`)
  }
  try {
    const calls = story.scenes.map(({ route, answer, seat }) => ({
      route,
      seat,
      status: answer.status,
    }))
    if (expect.calls !== undefined) subsequence(expect.calls, calls, 'route', [])
  } catch (error) {
    says.push(`calls: ${(error as Error).message}`)
  }
  return says.map((it) => ({ rule, says: it }))
}

const endText = ({ code, signal, late }: Ended) =>
  late ? 'our patience' : signal === null ? `exit code ${code}` : signal

const tailOf = ({ output }: Ended) => {
  const tail = output.trimEnd().split('\n').slice(-6).join('\n')
  return tail === '' ? '' : `\n${tail}`
}

const failureOf = ({ rule, says, scene }: Offence, { source }: LoadedAgentScenario): Failure => {
  const at = source.locate(['scenario'])
  return {
    kind: 'expectation',
    message: `${rule}: ${says}`,
    at,
    excerpt: '',
    step: '',
    differences: [],
    rules: [rule],
    ...(scene === undefined ? {} : { exchange: scene.index }),
  }
}

const exchangeOf = (scene: TraceEntry): Exchange => ({
  step: String(scene.index + 1),
  seat: scene.seat === 'elsewhere' ? 'api' : scene.seat,
  route: scene.route ?? null,
  request: scene.request,
  answer: scene.answer,
  duration: scene.answeredAt - scene.at,
  violations: violationsOf(undefined, 0, {}, ''),
})

const base = (scenario: LoadedAgentScenario) => ({
  title: scenario.scenario,
  file: scenario.file,
  line: scenario.source.locate(['scenario']).line,
  theme: 'agent',
  covers: scenario.covers,
  tags: [],
  prefix: 'tenant' as const,
  target: 'agent',
  round: 1,
  steps: [],
  exchanges: [],
  tokens: [],
})

const skipped = (scenario: LoadedAgentScenario, reason: string): Result => ({
  ...base(scenario),
  verdict: 'skipped',
  reason,
  failures: [],
  duration: 0,
})
