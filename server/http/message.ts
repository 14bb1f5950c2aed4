import type { z } from 'zod'
import type { Fault, RouteName, routes } from '../wire/index.ts'

/** A request as every host hands it in: Express, MSW or plain fetch. */
export type HttpRequest = Readonly<{
  method: string
  /** Without the query, still percent-encoded. */
  path: string
  query: URLSearchParams
  /** Names in lower case; repeated fields joined by `, ` as HTTP allows. */
  headers: Readonly<Record<string, string>>
  /** The path at which the surrounding app has mounted the seat; `path` is below it. */
  mountedAt?: string
  /** The URL by which the request has reached the seat, where that is not the configured origin. */
  base?: string
  /** Whether `Host` and a trusted `X-Forwarded-Host` are names of this harness; absent: not looked at. */
  knownHost?: boolean
  /** Empty where there is none. */
  body: string
  /** The body was longer than so many bytes; the host has left it out. */
  bodyOver?: number
  /** The harness itself asks, not a client: the log leaves it out. */
  isInternal?: true
}>

/**
 * What a handler answers. A string body is sent as it is, a `ReadableStream` of bytes as it comes,
 * anything else as JSON; undefined: none.
 */
export type Answer = Readonly<{
  status: number
  headers?: Readonly<Record<string, string>>
  body?: unknown
  /** What happens to it on its way. */
  fault?: Fault
  /** What was found out about the request, for the log: never sent. */
  about?: About
}>

export type About = Readonly<{
  route: RouteName
  tenant?: string
  /** The route requires credentials, and the caller was not refused for them. */
  isAuthenticated: boolean
}>

type Output<S> = S extends z.ZodType ? z.output<S> : undefined
type Member<R, K extends PropertyKey> = R extends Readonly<Record<K, infer V>> ? V : undefined
type RouteOf<N extends RouteName> = (typeof routes)[N]

/** A request that was routed and parsed: what is in it is of its schema. */
export type Call<N extends RouteName> = Readonly<{
  route: N
  request: HttpRequest
  /** Path parameters, percent-decoded. */
  params: Readonly<Record<string, string>>
  query: Output<Member<RouteOf<N>, 'query'>>
  body: Member<RouteOf<N>, 'form'> extends z.ZodType
    ? Output<Member<RouteOf<N>, 'form'>>
    : Output<Member<RouteOf<N>, 'body'>>
}>

/** One function a route; `Context` is what the seat knows beside the call. */
export type Handlers<N extends RouteName, Context> = {
  readonly [K in N]: (call: Call<K> & Context) => Answer | Promise<Answer>
}

export const ok = (body: unknown): Answer => ({ status: 200, body })
export const created = (body: unknown): Answer => ({ status: 201, body })
export const noContent: Answer = { status: 204 }

/** What goes over the wire: JSON unless the handler has already written text. */
export const encodeAnswer = ({
  headers = {},
  body,
}: Answer): { headers: Record<string, string>; body: string | null } => {
  if (body === undefined) return { headers: { ...headers }, body: null }
  if (typeof body === 'string') return { headers: { ...headers }, body }
  return {
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(body),
  }
}
