import { readChallenge, readChallengeBody, type Seat } from '../../server/wire/index.ts'
import type { Credentials, Session, Target } from '../targets/target.ts'
import { actions, isSuccess } from './actions.ts'
import { type Answer, answerOf, type Exchange, exchange } from './exchange.ts'
import { answerParts, frozenAt } from './format.ts'
import { type Loaded, wordOf } from './load.ts'
import { isObject, match, type Path } from './match.ts'
import type { KnownSecret } from './redact.ts'
import {
  type Memory,
  type Order,
  type Outcome,
  type Performed,
  type Scene,
  type Step,
  Unmet,
} from './scene.ts'
import { fill, fillExpected, NoSuchPart, partOf, segments } from './variables.ts'
import type { Failure, StepResult } from './verdict.ts'

export type Performance = Readonly<{
  failures: readonly Failure[]
  steps: readonly StepResult[]
  exchanges: readonly Exchange[]
  secrets: readonly KnownSecret[]
}>

/** Performs a scenario's steps in its tenants. What goes wrong is a failure with its place, never a throw. */
export const perform = async (
  scenario: Loaded,
  prefix: 'tenant' | 'org',
  sessions: ReadonlyMap<string, Session>,
  target: Pick<Target, 'longestWait'>,
): Promise<Performance> => {
  const log: Log = { exchanges: [], steps: [], secrets: [] }
  const world: World = {
    scenario,
    prefix,
    sessions,
    target,
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
  }
}

type Log = { exchanges: Exchange[]; steps: StepResult[]; secrets: KnownSecret[] }

/** What is the same for all steps of a scenario. */
type World = Readonly<{
  scenario: Loaded
  prefix: 'tenant' | 'org'
  sessions: ReadonlyMap<string, Session>
  target: Pick<Target, 'longestWait'>
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
  world: World,
): Promise<Performed> => {
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
  world: World,
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
    const scene = sceneOf(step, word, path, number, state, world, made)
    const args = action.nests === undefined ? fillArgs(word, step[word], scene) : step[word]
    const outcome = await action.run(args, scene)
    checkViolations(step, made)
    checkAnswer(action.looks, fillAnswer(step.expect, scene), outcome)
    for (const [name, from] of Object.entries((step.save ?? {}) as Record<string, string>)) {
      const value = partOf(viewOf(action.looks, outcome), segments(from))
      if (value === undefined) {
        throw new Unmet(`nothing to save: the answer has no ${from}`, ['save', name])
      }
      state.variables.set(name, value)
    }
    done(true)
    return outcome
  } catch (error) {
    done(false)
    if (error instanceof Failed) throw error
    const subject = made.findLast((it) => it.seat !== 'control') ?? made.at(-1)
    const at = (error instanceof Unmet ? error.at : undefined) ?? []
    const differences = error instanceof Unmet ? error.differences : []
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
          : error instanceof Unmet || error instanceof NoSuchPart
            ? 'expectation'
            : 'crash',
      message: messageOf(error),
      at: place,
      excerpt: scenario.source.excerpt(place),
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
  constructor(subject: Exchange) {
    const seat = { issuer: 'the issuer', api: 'the API', control: 'the control plane' }[
      subject.seat
    ]
    super(
      `${seat} broke the contract of ${subject.route ?? subject.request.url}: ${subject.violations.join('; ')}`,
    )
    this.subject = subject
  }
}

const checkViolations = (step: Step, made: readonly Exchange[]) => {
  if (isObject(step.expect) && 'violation' in step.expect) return
  const violating = made.find((it) => it.violations.length > 0)
  if (violating !== undefined) throw new Violation(violating)
}

type Looks = (typeof actions)[keyof typeof actions]['looks']

/** An answer is a success, unless the step expects otherwise. */
const checkAnswer = (looks: Looks, expect: unknown, { answer, value }: Outcome) => {
  const expected = isObject(expect) ? expect : {}
  const ofHttp = looks === 'answer' || isHttpStatus(expected.status)
  const statusSaid =
    (ofHttp && 'status' in expected) || 'error' in expected || 'challenge' in expected
  if (answer !== undefined && !statusSaid && !isSuccess(answer)) {
    throw new Unmet(`expected a success, ${summary(answer)}`)
  }
  const view = (answer === undefined ? {} : viewOf('answer', { answer, value })) as Record<
    string,
    unknown
  >
  const differences = Object.entries(expected).flatMap(([key, it]) => {
    if (looks === 'value') return match(it, partOf(value, [key]), key, ['expect', key])
    if (key === 'headers' && isObject(it)) {
      return Object.entries(it).flatMap(([name, header]) =>
        match(header, partOf(view.headers, [name.toLowerCase()]), `headers.${name}`, [
          'expect',
          key,
          name,
        ]),
      )
    }
    const whole = key === 'violation' || (answerParts.includes(key) && (key !== 'status' || ofHttp))
    return match(it, whole ? view[key] : partOf(value, [key]), key, ['expect', key])
  })
  if (differences.length === 0) return
  const where = answer === undefined ? '' : `, ${summary(answer)}`
  throw new Unmet(`not as expected${where}`, [], differences)
}

/** What `save` can reach. */
const viewOf = (looks: Looks, { answer, value }: Outcome): unknown => {
  if (answer === undefined) return value
  const whole = {
    status: answer.status,
    error: isObject(answer.body) ? answer.body.error : undefined,
    headers: answer.headers,
    body: answer.body,
    challenge: challengeOf(answer),
    violation: answer.violations.length === 0 ? undefined : answer.violations.join('; '),
  }
  return looks === 'answer' ? whole : { ...whole, ...(isObject(answer.body) ? answer.body : {}) }
}

/** The one detail an answer asks for; a list if there are several. */
const challengeOf = ({ status, headers, body }: Answer): unknown => {
  const field = (name: string) => headers[name.toLowerCase()] ?? null
  try {
    const details = readChallenge(status, { get: field }) ?? readChallengeBody(body)
    return details?.length === 1 ? details[0] : details
  } catch (error) {
    return { malformed: error instanceof Error ? error.message : String(error) }
  }
}

const summary = ({ status, body }: Answer): string => {
  const { error, error_description } = isObject(body) ? body : {}
  const said =
    typeof error === 'string'
      ? ` ${error}${error_description ? ` (${error_description})` : ''}`
      : ''
  return `answered ${status}${said}`
}

/** In intentions, `status: 403` is HTTP’s and `status: approved` the body’s. */
const isHttpStatus = (expected: unknown): boolean => {
  if (typeof expected === 'number') return true
  const inner = Array.isArray(expected)
    ? expected
    : isObject(expected)
      ? Object.values(expected)
      : []
  return inner.length > 0 && inner.every(isHttpStatus)
}

const sceneOf = (
  step: Step,
  word: string,
  path: Path,
  number: string,
  state: State,
  world: World,
  made: Exchange[],
): Scene => {
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
  const me = handOf(`${place}/${agent.name}`, state)
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

  const record = async (seat: Seat, request: Request) => {
    const kept = await exchange(seat, number, request, session.fetch(seat))
    made.push(kept.exchange)
    return kept
  }

  const send = async (seat: Seat, order: Order, by: string) => {
    const root = order.from === 'origin' ? origins[seat] : bases[seat]
    const request = requestOf(root, order, await authorization(by, scene))
    return answerOf((await record(seat, request)).exchange)
  }

  const scene: Scene = {
    session,
    agent,
    me,
    prefix,
    user,
    fill: (value) => fill(value, lookup),
    fillExpected: (value) => fillExpected(value, lookup),

    fetch: async (input, init) => {
      const request = new Request(input, init)
      const seat =
        request.url.startsWith(`${origins.api}/`) && !request.url.startsWith(`${bases.issuer}/`)
          ? 'api'
          : 'issuer'
      return (await record(seat, request)).response
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
        return me.jit ?? missing('the agent has no JIT token yet: get_token comes first')
      if (word === 'approver') return userToken(place, plain, world)
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
      if (seconds > world.target.longestWait) missing(`waiting ${seconds} s is too long`)
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
        if (word === 'eventually') forget(`${number}.`, world.log)
        throw error
      } finally {
        if (how.apart) join(inner, state)
      }
    },
  }
  /** For what a step does on the side, whatever its `with` says. */
  const plain: Scene = { ...scene, send: (seat, order) => send(seat, order, order.by ?? 'agent') }
  return scene
}

/** An attempt that did not pass is as if it had not been. */
const forget = (number: string, log: Log) => {
  log.exchanges = log.exchanges.filter(({ step }) => !step.startsWith(number))
  log.steps = log.steps.filter(({ step }) => !step.startsWith(number))
}

const missing = (message: string): never => {
  throw new Unmet(message)
}

const signIn = async (scene: Scene): Promise<string> => {
  const { answer } = await actions.authenticate.run({}, scene)
  return (
    scene.me.token ??
    missing(`the agent could not sign in: ${answer === undefined ? 'no answer' : summary(answer)}`)
  )
}

/** Minted once a tenant and person; kept by a target that cannot mint. */
const userToken = (place: string, scene: Scene, world: World): Promise<string> => {
  const { session, user } = scene
  const email = user ?? session.users.find((it) => it.permissions.includes('jit.approve'))?.email
  const kept = email === undefined ? undefined : session.userTokens?.[email]
  if (kept !== undefined) return Promise.resolve(kept)
  const key = `${place}/${email}`
  const minted = world.users.get(key) ?? mint(email, scene)
  world.users.set(key, minted)
  return minted
}

const mint = async (user: string | undefined, scene: Scene): Promise<string> => {
  const { body } = await scene.send('control', {
    method: 'POST',
    path: '/user-token',
    json: user === undefined ? {} : { user },
    by: 'control',
  })
  return isObject(body) && typeof body.access_token === 'string'
    ? body.access_token
    : missing('no token of a person could be had')
}

const authorization = async (by: string, scene: Scene): Promise<Record<string, string>> => {
  const { session, agent } = scene
  const basic = ({
    client_id,
    client_secret,
  }: Pick<Credentials, 'client_id' | 'client_secret'>) => ({
    authorization: `Basic ${Buffer.from(`${encodeURIComponent(client_id)}:${encodeURIComponent(client_secret)}`).toString('base64')}`,
  })
  switch (by) {
    case 'none':
      return {}
    case 'client':
      return basic(agent)
    case 'api_client':
      return session.apiClient === undefined
        ? missing('the target knows no client of the API')
        : basic(session.apiClient)
    case 'control':
      return session.controlToken === undefined
        ? {}
        : { authorization: `Bearer ${session.controlToken}` }
    default:
      return { authorization: `Bearer ${await scene.token(by)}` }
  }
}

/** How long an answer may take, in milliseconds. */
const patience = 10_000

const requestOf = (root: string, order: Order, authorization: Record<string, string>): Request => {
  const { method, path, json, form, body, headers = {} } = order
  const content =
    json !== undefined
      ? { type: 'application/json', body: JSON.stringify(json) }
      : form !== undefined
        ? { type: 'application/x-www-form-urlencoded', body: formOf(form).toString() }
        : body === undefined
          ? undefined
          : { type: undefined, body }
  const merged = new Headers(authorization)
  if (content?.type !== undefined) merged.set('content-type', content.type)
  for (const [name, value] of Object.entries(headers)) merged.set(name, value)
  return new Request(`${root}${path}`, {
    method,
    headers: merged,
    redirect: 'manual',
    signal: AbortSignal.timeout(patience),
    ...(content === undefined ? {} : { body: content.body }),
  })
}

const formOf = (form: Readonly<Record<string, unknown>>): URLSearchParams => {
  const parameters = new URLSearchParams()
  for (const [key, value] of Object.entries(form)) {
    if (value === undefined) continue
    for (const it of Array.isArray(value) ? value : [value]) parameters.append(key, String(it))
  }
  return parameters
}

const fillArgs = (word: string, args: unknown, scene: Scene): unknown => {
  if (word !== 'assert') return scene.fill(args)
  const { value, expect } = args as { value: unknown; expect: unknown }
  return { value: scene.fill(value), expect: scene.fillExpected(expect) }
}

const fillAnswer = (expect: unknown, scene: Scene): unknown =>
  expect === undefined ? undefined : scene.fillExpected(expect)

const handOf = (key: string, { hands }: State): Memory => {
  const hand = hands.get(key) ?? {}
  hands.set(key, hand)
  return hand
}

const copyOf = ({ hands, variables }: State): State => ({
  hands: new Map([...hands].map(([key, hand]) => [key, apart(hand)])),
  variables: new Map(variables),
})

/** Not the client: its exchanges belong to one step at a time. */
const apart = ({ client: _, ...hand }: Memory): Memory => hand

/** What a branch saved is there afterwards; what its agents had in hand is not. */
const join = (inner: State, outer: State) => {
  for (const [name, value] of inner.variables)
    if (name !== 'round') outer.variables.set(name, value)
}

const messageOf = (error: unknown): string => {
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
