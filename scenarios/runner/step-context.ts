import { setTimeout as sleep } from 'node:timers/promises'
import type { Seat } from '../../server/wire/index.ts'
import type { Word } from '../language/actions.ts'
import { frozenAt } from '../language/format.ts'
import type { Path } from '../language/match.ts'
import type { Credentials, Session } from '../language/session.ts'
import {
  failExpectation,
  type Memory,
  type Order,
  type Step,
  type StepContext,
  type StepPerformed,
} from '../language/step-context.ts'
import { SkipScenario } from '../language/target.ts'
import { fill, fillExpected } from '../language/variables.ts'
import { authorization, signIn, userToken } from './authorization.ts'
import { answerOf, type Exchange, exchange } from './exchange.ts'
import { requestOf } from './request.ts'
import {
  copyState,
  forgetSteps,
  joinState,
  memoryOf,
  type RunContext,
  type State,
} from './run-state.ts'

/** A running step. */
export type CurrentStep = Readonly<{
  step: Step
  word: Word
  path: Path
  /** `3`, or `5.1.2` inside a parallel one. */
  number: string
  state: State
  run: RunContext
  /** What the step must reach, where it is a precondition. */
  precondition: string | undefined
  /** The exchanges it has made so far. */
  made: Exchange[]
}>

/** Performs the list of steps at a path. Their numbers begin with a prefix. */
export type PerformAll = (
  steps: readonly Step[],
  path: Path,
  prefix: string,
  state: State,
  run: RunContext,
) => Promise<StepPerformed>

/** Everything a step can read and do. */
export const stepContextOf = (current: CurrentStep, performAll: PerformAll): StepContext => {
  const { step, word, state, run } = current
  const actor = actorOf(current)
  const { session, agent, me, prefix, user } = actor
  const record = recorderOf(actor, current)
  const lookup = (name: string) =>
    state.variables.has(name)
      ? state.variables.get(name)
      : name === 'unique'
        ? run.unique
        : builtInOf(name, actor)

  const send = async (seat: Seat, order: Order, by: string) => {
    const root = order.from === 'origin' ? originOf(seat, actor) : baseOf(seat, actor)
    const request = requestOf(root, order, await authorization(by, context), run)
    return answerOf((await record(seat, request, 'once')).exchange)
  }

  const context: StepContext = {
    session,
    agent,
    me,
    prefix,
    user,
    patience: run.patience,
    stop: run.stop,
    fill: (value) => fill(value, lookup),
    fillExpected: (value) => fillExpected(value, lookup),
    fetch: async (input, init) => {
      const request = new Request(input, init)
      return (await record(seatOf(request.url, actor), request, 'again')).response
    },
    send: (seat, order) => {
      const by = order.by ?? 'agent'
      const person = user !== undefined && (by === 'agent' || by === 'jit') ? 'approver' : by
      const asks = step.with !== undefined && (by !== 'control' || word === 'http')
      return send(seat, order, asks ? String(context.fill(step.with)) : person)
    },
    token: (word) => tokenOf(word, plain, actor, run),
    now: () => nowOf(actor, run),
    wait: (seconds) => moveTime(seconds, plain, actor, run),
    perform: performBelow(current, performAll),
  }
  /** For side requests of a step, regardless of its `with`. */
  const plain: StepContext = {
    ...context,
    send: (seat, order) => send(seat, order, order.by ?? 'agent'),
  }
  return context
}

/** The actor and the tenant of a step. */
type Actor = Readonly<{
  /** The tenant, by its name in the scenario. */
  place: string
  session: Session
  agent: Credentials
  me: Memory
  prefix: 'tenant' | 'org'
  /** E-mail of the acting user, where `as` names one. */
  user: string | undefined
}>

const actorOf = ({ step, state, run }: CurrentStep): Actor => {
  const place = String(step.in ?? run.scenario.tenants[0]?.name)
  const session = run.sessions.get(place)
  if (session === undefined) throw new Error(`no tenant ${place}`)
  const as = step.as as string | undefined
  const user = as?.includes('@') ? as : undefined
  const named = user === undefined ? session.agents.find((it) => it.name === as) : undefined
  const agent = named ?? session.agents[0]
  if (agent === undefined) throw new Error('the tenant has no agent')
  const me = memoryOf(`${place}/${agent.name}`, state)
  const prefix = (step.prefix as 'tenant' | 'org' | undefined) ?? run.prefix
  return { place, session, agent, me, prefix, user }
}

const baseOf = (seat: Seat, { session: { urls }, prefix }: Actor): string =>
  ({ issuer: urls[prefix], api: urls.api, control: urls.control ?? urls.issuer })[seat]

const originOf = (seat: Seat, { session: { urls } }: Actor): string =>
  seat === 'api' ? urls.apiOrigin : urls.issuer

/** The seat of a URL; both seats may share one origin. */
const seatOf = (url: string, actor: Actor): Seat =>
  url.startsWith(`${originOf('api', actor)}/`) && !url.startsWith(`${baseOf('issuer', actor)}/`)
    ? 'api'
    : 'issuer'

/** The value of a built-in variable. */
const builtInOf = (name: string, { session, agent, me, prefix }: Actor): unknown => {
  const values: Readonly<Record<string, () => unknown>> = {
    tenant: () => session.tenant,
    issuer: () => session.urls.issuer,
    api: () => session.urls.api,
    base: () => new URL(session.urls[prefix]).pathname,
    agent: () => agent,
    agents: () => Object.fromEntries(session.agents.map((it) => [it.name, it])),
    users: () => session.users,
    api_client: () => session.apiClient,
    token: () => me.token,
    task: () => me.task,
    request: () => me.request,
    jit: () => me.jit,
  }
  return values[name]?.()
}

/**
 * Sends requests and records their exchanges. Exempt seats are not checked against the contract.
 */
const recorderOf =
  ({ session }: Actor, { number, made }: CurrentStep) =>
  async (seat: Seat, request: Request, read: 'once' | 'again') => {
    const kept = await exchange(seat, number, request, session.fetch(seat), read)
    const held = session.unbound?.has(seat)
      ? { ...kept, exchange: { ...kept.exchange, violations: [] } }
      : kept
    made.push(held.exchange)
    return held
  }

const tokenOf = async (
  word: string,
  context: StepContext,
  { me, place }: Actor,
  { users }: RunContext,
): Promise<string> => {
  switch (word) {
    case 'agent':
      return me.token ?? (await signIn(context))
    case 'jit':
      return me.jit ?? failExpectation('the agent has no JIT token: add get_token before this step')
    case 'approver':
      return userToken(context, place, users)
    default:
      return word
  }
}

/** Epoch seconds: the tenant's frozen clock plus its advances, or the real time. */
const nowOf = ({ session, place }: Actor, { moved }: RunContext): number =>
  session.urls.control === undefined
    ? Date.now() / 1000
    : Date.parse(frozenAt) / 1000 + (moved.get(place) ?? 0)

/**
 * Moves virtual time, or waits.
 * @throws {SkipScenario} where the real wait would be too long
 */
const moveTime = async (
  seconds: number,
  { send }: StepContext,
  { session, place }: Actor,
  { moved, target }: RunContext,
) => {
  if (session.urls.control !== undefined) {
    moved.set(place, (moved.get(place) ?? 0) + seconds)
    const json = { advance: seconds }
    return send('control', { method: 'POST', path: '/clock', json, by: 'control' })
  }
  if (seconds > target.longestWait) {
    throw new SkipScenario(
      `it needs a real wait of ${seconds} s, longer than the limit of ${target.longestWait} s`,
    )
  }
  await sleep(seconds * 1000)
  return undefined
}

/** Performs nested steps, in their own branch where they are `apart`. */
const performBelow =
  (
    { word, path, number, state, run }: CurrentStep,
    performAll: PerformAll,
  ): StepContext['perform'] =>
  async (steps, at, { apart = false, label = '1', variables = {} } = {}) => {
    const inner = apart ? copyState(state) : state
    for (const [name, value] of Object.entries(variables)) inner.variables.set(name, value)
    try {
      return await performAll(steps, [...path, word, ...at], `${number}.${label}.`, inner, run)
    } catch (error) {
      if (word === 'eventually') forgetSteps(`${number}.`, run.log)
      throw error
    } finally {
      if (apart) joinState(inner, state)
    }
  }
