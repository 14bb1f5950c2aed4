import type { Route, RouteName } from '../wire/index.ts'
import type { Answer, Handlers, HttpRequest } from './message.ts'
import type { TenantContext } from './tenant-context.ts'

/** Answers the requests of one seat; every host calls it. It never throws. */
export type Core = (request: HttpRequest) => Promise<Answer>

/** The steps that are left. */
export type Next<Call> = (call: Call) => Promise<Answer>

/** One thing that happens around a handler: before, after or instead of the steps that are left. */
export type Step<Call> = (call: Call, next: Next<Call>) => Promise<Answer>

/** Runs the steps in this order, the first outermost, and `last` inside all of them. Absent ones are left out. */
export const inOrder = <Call>(
  steps: readonly (Step<Call> | undefined)[],
  last: Next<Call>,
): Next<Call> =>
  steps.reduceRight<Next<Call>>(
    (next, step) => (step === undefined ? next : (call) => step(call, next)),
    last,
  )

/** Routes with their handlers, and what these handlers get beside the call. */
export type Area<N extends RouteName, Context> = Readonly<{
  handlers: Handlers<N, Context>
  /**
   * Authenticates the caller.
   * @throws {HttpError} 401, 403 or 404
   */
  authenticate: (routed: Routed<N>) => Context | Promise<Context>
  /** Finds the tenant where the seat's own way does not fit. */
  findTenant?: FindTenant
  /** Only the path names a tenant; a route without one is about the harness as a whole. */
  tenantByPath?: true
  /** Gives every answer of the area its final form. */
  shapeAnswer?: (answer: Answer) => Answer
}>

/** An area, whichever routes it has. */
export type AnyArea = Omit<Area<never, object>, 'handlers' | 'authenticate'> &
  Readonly<{
    handlers: Readonly<Record<string, (call: never) => Answer | Promise<Answer>>>
    authenticate: (routed: never) => object | Promise<object>
  }>

export type FindTenant = (
  call: Readonly<{ request: HttpRequest; params: Readonly<Record<string, string>> }>,
) => TenantContext | undefined

/** A request whose route is known, on its way to the handler. */
export type Routed<N extends RouteName = RouteName> = Readonly<{
  name: N
  route: Route
  area: AnyArea
  request: HttpRequest
  params: Readonly<Record<string, string>>
  /** Absent where there is no such tenant, or the call is about none. */
  context: TenantContext | undefined
  /** Replaces the result of authentication. */
  changeContext?: ChangeContext | undefined
  /** Query and body as the schemas of the route gave them, or why they did not. */
  input?: Outcome<Input>
  /** What the handler gets beside the call, or why the caller is refused. */
  authentication?: Outcome<object>
}>

export type Input = Readonly<{ query: unknown; body: unknown }>

/** A value, or what was thrown in its place: a later step decides when that is thrown again. */
export type Outcome<T> = Readonly<{ value: T } | { thrown: unknown }>

export const outcomeOf = <T>(get: () => T): Outcome<T> => {
  try {
    return { value: get() }
  } catch (thrown) {
    return { thrown }
  }
}

/** @throws what was thrown in place of the value */
export const unwrap = <T>(outcome: Outcome<T> | undefined): T => {
  if (outcome === undefined) throw new TypeError('a step of the pipeline is missing')
  if ('thrown' in outcome) throw outcome.thrown
  return outcome.value
}

/** What a misbehaviour gives to the steps that are left, in place of what came. */
export type Change = Readonly<{
  request?: HttpRequest
  params?: Readonly<Record<string, string>>
  context?: ChangeContext
}>

/** Gets what authentication finds out, which may be a refusal, and gives the handler something else. */
export type ChangeContext = (authenticate: () => Promise<object>) => object | Promise<object>

/** Runs the steps that are left. May be called more than once, with changes. */
export type Inner = (change?: Change) => Promise<Answer>
