import type { Route, RouteName } from '../wire/index.ts'
import type { Answer, Handlers, HttpRequest } from './message.ts'
import type { TenantContext } from './tenant/tenant-context.ts'

/** Answers the requests of one seat. Every host calls it. It never throws. */
export type Core = (request: HttpRequest) => Promise<Answer>

/** Runs the remaining steps. */
export type Next<Call> = (call: Call) => Promise<Answer>

/** One step around a handler: runs before, after or instead of the remaining steps. */
export type Step<Call> = (call: Call, next: Next<Call>) => Promise<Answer>

/** Runs the steps in this order, the first outermost, with `last` innermost. Skips absent steps. */
export const inOrder = <Call>(
  steps: readonly (Step<Call> | undefined)[],
  last: Next<Call>,
): Next<Call> =>
  steps.reduceRight<Next<Call>>(
    (next, step) => (step === undefined ? next : (call) => step(call, next)),
    last,
  )

/** Routes with their handlers, and the context that these handlers receive. */
export type Area<N extends RouteName, Context> = Readonly<{
  handlers: Handlers<N, Context>
  /**
   * Authenticates the caller.
   * @throws {HttpError} 401, 403 or 404
   */
  authenticate: (routed: Routed<N>) => Context | Promise<Context>
  /** Finds the tenant, for areas that do not use the seat's default. */
  findTenant?: FindTenant
  /** Only the path names a tenant; a route without one concerns the whole harness. */
  tenantByPath?: true
  /** Finishes every answer of the area. */
  shapeAnswer?: (answer: Answer, name: RouteName) => Answer
}>

/** An area with any routes. */
export type AnyArea = Omit<Area<never, object>, 'handlers' | 'authenticate'> &
  Readonly<{
    handlers: Readonly<Record<string, (call: never) => Answer | Promise<Answer>>>
    authenticate: (routed: never) => object | Promise<object>
  }>

export type FindTenant = (
  call: Readonly<{ request: HttpRequest; params: Readonly<Record<string, string>> }>,
) => TenantContext | undefined

/** A request with its route, on the way to the handler. */
export type Routed<N extends RouteName = RouteName> = Readonly<{
  name: N
  route: Route
  area: AnyArea
  request: HttpRequest
  params: Readonly<Record<string, string>>
  /** Absent when the tenant does not exist, or the route has none. */
  context: TenantContext | undefined
  /** Replaces the result of authentication. */
  changeContext?: ChangeContext | undefined
  /** Query and body, parsed by the schemas of the route, or the error of parsing. */
  input?: Outcome<Input>
  /** The context for the handler, or the error of authentication. */
  authentication?: Outcome<object>
}>

export type Input = Readonly<{ query: unknown; body: unknown }>

/** A value, or the error thrown instead. A later step decides when to throw it. */
export type Outcome<T> = Readonly<{ value: T } | { thrown: unknown }>

export const outcomeOf = <T>(get: () => T): Outcome<T> => {
  try {
    return { value: get() }
  } catch (thrown) {
    return { thrown }
  }
}

/** @throws the stored error */
export const unwrap = <T>(outcome: Outcome<T> | undefined): T => {
  if (outcome === undefined) throw new TypeError('a step of the pipeline is missing')
  if ('thrown' in outcome) throw outcome.thrown
  return outcome.value
}

/** Values with which a misbehaviour replaces those of the request. */
export type Change = Readonly<{
  request?: HttpRequest
  params?: Readonly<Record<string, string>>
  context?: ChangeContext
}>

/**
 * Receives the result of authentication, which may be an error, and returns the context for the
 * handler.
 */
export type ChangeContext = (authenticate: () => Promise<object>) => object | Promise<object>

/** Runs the remaining steps. May be called more than once, with overrides. */
export type Inner = (change?: Change) => Promise<Answer>
