import type { Seat } from '../../server/wire/index.ts'
import { actions } from '../language/actions.ts'
import type { Answer } from '../language/answer.ts'
import { frozenAt } from '../language/format.ts'
import type { Loaded } from '../language/load.ts'
import { isObject, type Path } from '../language/match.ts'
import { resolveSaved, type Saved } from '../language/save.ts'
import type { Session } from '../language/session.ts'
import {
  ExpectationFailed,
  failExpectation,
  type Memory,
  type Order,
  type Outcome,
  type Step,
  type StepContext,
  type StepPerformed,
} from '../language/step-context.ts'
import { wordOf } from '../language/steps.ts'
import { SkipScenario, type Target } from '../language/target.ts'
import { fill, fillExpected, NoSuchPart } from '../language/variables.ts'
import { authorization, signIn, userToken } from './authorization.ts'
import { answerOf, type Exchange, exchange } from './exchange.ts'
import { checkAnswer, viewOf } from './expectation.ts'
import type { KnownSecret } from './redact.ts'
import { requestOf, usualPatience } from './request.ts'
import type { Failure, StepResult } from './verdict.ts'

export type Performance = Readonly<{
  failures: readonly Failure[]
  steps: readonly StepResult[]
  exchanges: readonly Exchange[]
  secrets: readonly KnownSecret[]
  /** Why it could not go on, where that says nothing about the seats. */
  unable: string | undefined
}>

/** Performs a scenario's steps in its tenants. What goes wrong is a failure with its place, never a throw. */
export const perform = async (
  scenario: Loaded,
  prefix: 'tenant' | 'org',
  sessions: ReadonlyMap<string, Session>,
  target: Pick<Target, 'longestWait'>,
  patience = usualPatience,
): Promise<Performance> => {
  const log: Log = { exchanges: [], steps: [], secrets: [] }
  const world: RunContext = {
    scenario,
    prefix,
    sessions,
    target,
    patience,
    log,
    users: new Map(),
    moved: new Map(),
  }
  const failures: Unnumbered[] = []
  try {
    await performAll(
      scenario.steps,
      ['steps'],
      '',
      { hands: new Map(), variables: new Map() },
      world,
    )
  } catch (error) {
    if (!(error instanceof Failed)) throw error
    failures.push(error.failure)
  }
  const exchanges = log.exchanges.toSorted((a, b) => byNumber(a.step, b.step))
  return {
    failures: failures.map(({ subject, ...it }) => ({
      ...it,
      exchange: subject === undefined ? undefined : exchanges.indexOf(subject),
    })),
    steps: log.steps.toSorted((a, b) => byNumber(a.step, b.step)),
    exchanges,
    secrets: log.secrets,
    unable: log.unable,
  }
}

type Log = {
  exchanges: Exchange[]
  steps: StepResult[]
  secrets: KnownSecret[]
  unable?: string
}

/** What is the same for all steps of a scenario. */
type RunContext = Readonly<{
  scenario: Loaded
  prefix: 'tenant' | 'org'
  sessions: ReadonlyMap<string, Session>
  target: Pick<Target, 'longestWait'>
  /** How long an answer may take, in milliseconds. */
  patience: number
  log: Log
  /** Tokens of people, by tenant and e-mail. */
  users: Map<string, Promise<string>>
  /** How far virtual time was moved, by tenant, in seconds. */
  moved: Map<string, number>
}>

/** What changes from step to step; the branches of a parallel step each have their own. */
type State = Readonly<{ hands: Map<string, Memory>; variables: Map<string, unknown> }>

type Unnumbered = Omit<Failure, 'exchange'> & { subject?: Exchange | undefined }

/** A failure on its way up to the scenario. */
class Failed extends Error {
  override readonly name = 'Failed'
  readonly failure: Unnumbered
  constructor(failure: Unnumbered) {
    super(failure.message)
    this.failure = failure
  }
}

const performAll = async (
  steps: readonly Step[],
  path: Path,
  prefix: string,
  state: State,
  world: RunContext,
): Promise<StepPerformed> => {
  let answer: Answer | undefined
  for (const [index, step] of steps.entries()) {
    const outcome = await performStep(step, [...path, index], `${prefix}${index + 1}`, state, world)
    answer = outcome.answer ?? answer
  }
  return { answer }
}

const performStep = async (
  step: Step,
  path: Path,
  number: string,
  state: State,
  world: RunContext,
): Promise<Outcome> => {
  const { log, scenario } = world
  const word = wordOf(step)
  if (word === undefined) throw new Error(`no action in step ${number}`)
  const action = actions[word]
  const started = performance.now()
  const made: Exchange[] = []
  const done = (passed: boolean) =>
    log.steps.push({
      step: number,
      word,
      note: step.note as string | undefined,
      line: scenario.source.locate(path).line,
      duration: performance.now() - started,
      passed,
    })

  try {
    const scene = stepContextOf(step, word, path, number, state, world, made)
    const args = action.nests === undefined ? fillArgs(word, step[word], scene) : step[word]
    const outcome = await action.run(args, scene)
    checkViolations(step, made)
    checkAnswer(action.looks, fillAnswer(step.expect, scene), outcome)
    for (const [name, from] of Object.entries((step.save ?? {}) as Record<string, Saved>)) {
      state.variables.set(name, resolveSaved(name, from, viewOf(action.looks, outcome)))
    }
    done(true)
    return outcome
  } catch (error) {
    done(false)
    if (error instanceof Failed) throw error
    if (error instanceof SkipScenario) log.unable ??= error.message
    const subject = made.findLast((it) => it.seat !== 'control') ?? made.at(-1)
    const at = (error instanceof ExpectationFailed ? error.at : undefined) ?? []
    const differences = error instanceof ExpectationFailed ? error.differences : []
    const within = differences[0]?.at ?? at
    const [head] = within
    const inArgument = head !== 'expect' && head !== 'save'
    const place = scenario.source.locate(
      inArgument || word === 'assert' ? [...path, word, ...within] : [...path, ...within],
      within.length === 0 ? 'key' : 'value',
    )
    throw new Failed({
      kind:
        error instanceof Violation
          ? 'violation'
          : error instanceof ExpectationFailed || error instanceof NoSuchPart
            ? 'expectation'
            : 'crash',
      message: messageOf(error, world.patience),
      at: place,
      excerpt: scenario.source.excerpt(place, scenario.source.locate(path).line),
      step: number,
      differences,
      seat: error instanceof Violation ? error.subject.seat : subject?.seat,
      subject: error instanceof Violation ? error.subject : subject,
    })
  } finally {
    log.exchanges.push(...made)
  }
}

/** An answer that breaks its wire schema. */
class Violation extends Error {
  override readonly name = 'Violation'
  readonly subject: Exchange
  constructor(subject: Exchange, refused: boolean) {
    const seat = { issuer: 'the issuer', api: 'the API', control: 'the control plane' }[
      subject.seat
    ]
    super(
      `${seat} broke the contract of ${subject.route ?? subject.request.url}: ${subject.violations.join('; ')}${refused ? `; a success was expected, not ${subject.answer.status}` : ''}`,
    )
    this.subject = subject
  }
}

const checkViolations = (step: Step, made: readonly Exchange[]) => {
  if (isObject(step.expect) && 'violation' in step.expect) return
  const violating = made.find((it) => it.violations.length > 0)
  if (violating === undefined) return
  const expect = isObject(step.expect) ? step.expect : {}
  const mayRefuse = ['status', 'error', 'challenge'].some((key) => key in expect)
  throw new Violation(violating, violating.answer.status >= 400 && !mayRefuse)
}

const stepContextOf = (
  step: Step,
  word: string,
  path: Path,
  number: string,
  state: State,
  world: RunContext,
  made: Exchange[],
): StepContext => {
  const { sessions, scenario } = world
  const place = String(step.in ?? scenario.tenants[0]?.name)
  const session = sessions.get(place)
  if (session === undefined) throw new Error(`no tenant ${place}`)
  const as = step.as as string | undefined
  const user = as?.includes('@') ? as : undefined
  const agent =
    session.agents.find((it) => it.name === (user === undefined ? as : undefined)) ??
    session.agents[0]
  if (agent === undefined) throw new Error('the tenant has no agent')
  const me = memoryOf(`${place}/${agent.name}`, state)
  const prefix = (step.prefix as 'tenant' | 'org' | undefined) ?? world.prefix
  const bases: Record<Seat, string> = {
    issuer: session.urls[prefix],
    api: session.urls.api,
    control: session.urls.control ?? session.urls.issuer,
  }
  const origins: Record<Seat, string> = {
    issuer: session.urls.issuer,
    api: session.urls.apiOrigin,
    control: session.urls.issuer,
  }
  const builtIn: Record<string, () => unknown> = {
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
  const lookup = (name: string) =>
    state.variables.has(name) ? state.variables.get(name) : builtIn[name]?.()

  const record = async (seat: Seat, request: Request, read: 'once' | 'again') => {
    const kept = await exchange(seat, number, request, session.fetch(seat), read)
    const held = session.unbound?.has(seat)
      ? { ...kept, exchange: { ...kept.exchange, violations: [] } }
      : kept
    made.push(held.exchange)
    return held
  }

  const send = async (seat: Seat, order: Order, by: string) => {
    const root = order.from === 'origin' ? origins[seat] : bases[seat]
    const request = requestOf(root, order, await authorization(by, scene), world.patience)
    return answerOf((await record(seat, request, 'once')).exchange)
  }

  const scene: StepContext = {
    session,
    agent,
    me,
    prefix,
    user,
    patience: world.patience,
    fill: (value) => fill(value, lookup),
    fillExpected: (value) => fillExpected(value, lookup),

    fetch: async (input, init) => {
      const request = new Request(input, init)
      const seat =
        request.url.startsWith(`${origins.api}/`) && !request.url.startsWith(`${bases.issuer}/`)
          ? 'api'
          : 'issuer'
      return (await record(seat, request, 'again')).response
    },

    send: (seat, order) => {
      const by = order.by ?? 'agent'
      const person = user !== undefined && (by === 'agent' || by === 'jit') ? 'approver' : by
      const asks = step.with !== undefined && (by !== 'control' || word === 'http')
      return send(seat, order, asks ? String(scene.fill(step.with)) : person)
    },

    token: async (word) => {
      if (word === 'agent') return me.token ?? (await signIn(plain))
      if (word === 'jit')
        return me.jit ?? failExpectation('the agent has no JIT token yet: get_token comes first')
      if (word === 'approver') return userToken(plain, place, world.users)
      return word
    },

    now: () =>
      session.urls.control === undefined
        ? Date.now() / 1000
        : Date.parse(frozenAt) / 1000 + (world.moved.get(place) ?? 0),

    wait: async (seconds) => {
      if (session.urls.control !== undefined) {
        world.moved.set(place, (world.moved.get(place) ?? 0) + seconds)
        return plain.send('control', {
          method: 'POST',
          path: '/clock',
          json: { advance: seconds },
          by: 'control',
        })
      }
      if (seconds > world.target.longestWait) {
        throw new SkipScenario(
          `it came to wait ${seconds} s of real time, and more than ${world.target.longestWait} is too long`,
        )
      }
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
      return undefined
    },

    perform: async (steps, at, how = {}) => {
      const inner = how.apart ? copyOf(state) : state
      for (const [name, value] of Object.entries(how.variables ?? {}))
        inner.variables.set(name, value)
      try {
        return await performAll(
          steps,
          [...path, word, ...at],
          `${number}.${how.label ?? '1'}.`,
          inner,
          world,
        )
      } catch (error) {
        if (word === 'eventually') forgetToken(`${number}.`, world.log)
        throw error
      } finally {
        if (how.apart) join(inner, state)
      }
    },
  }
  /** For what a step does on the side, whatever its `with` says. */
  const plain: StepContext = {
    ...scene,
    send: (seat, order) => send(seat, order, order.by ?? 'agent'),
  }
  return scene
}

/** An attempt that did not pass is as if it had not been. */
const forgetToken = (number: string, log: Log) => {
  log.exchanges = log.exchanges.filter(({ step }) => !step.startsWith(number))
  log.steps = log.steps.filter(({ step }) => !step.startsWith(number))
}

const fillArgs = (word: string, args: unknown, scene: StepContext): unknown => {
  if (word !== 'assert') return scene.fill(args)
  const { value, expect } = args as { value: unknown; expect: unknown }
  return { value: scene.fill(value), expect: scene.fillExpected(expect) }
}

const fillAnswer = (expect: unknown, scene: StepContext): unknown =>
  expect === undefined ? undefined : scene.fillExpected(expect)

const memoryOf = (key: string, { hands }: State): Memory => {
  const hand = hands.get(key) ?? {}
  hands.set(key, hand)
  return hand
}

const copyOf = ({ hands, variables }: State): State => ({
  hands: new Map([...hands].map(([key, hand]) => [key, withoutClient(hand)])),
  variables: new Map(variables),
})

/** Not the client: its exchanges belong to one step at a time. */
const withoutClient = ({ client: _, ...hand }: Memory): Memory => hand

/** What a branch saved is there afterwards; what its agents had in hand is not. */
const join = (inner: State, outer: State) => {
  for (const [name, value] of inner.variables)
    if (name !== 'round') outer.variables.set(name, value)
}

const messageOf = (error: unknown, patience: number): string => {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${patience / 1000} s`
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : ''
  return `${error.message}${cause}`
}

/** `2` before `10`, `5.1.2` before `5.2.1`. */
const byNumber = (a: string, b: string): number => {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)]
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
