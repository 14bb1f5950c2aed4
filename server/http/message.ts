import type { z } from 'zod'
import type { Fault, RouteName, routes } from '../wire/index.ts'

/** A request, in the same form from every host: Express, MSW and fetch. */
export type HttpRequest = Readonly<{
  method: string
  /** Without the query, percent-encoded. */
  path: string
  query: URLSearchParams
  /** Names in lower case. Repeated fields are joined with `, `, as HTTP allows. */
  headers: Readonly<Record<string, string>>
  /** The path at which another app has mounted the seat. `path` is relative to it. */
  mountedAt?: string
  /** The base URL under which the request arrived, if it differs from the configured one. */
  base?: string
  /** Whether `Host` and a trusted `X-Forwarded-Host` are names of this harness. Absent: not checked. */
  knownHost?: boolean
  /** Empty when there is no body. */
  body: string
  /** The body exceeded this number of bytes, and the host did not keep it. */
  bodyOver?: number
  /** A request of the harness itself, not of a client. It is not logged. */
  isInternal?: true
}>

/**
 * The answer of a handler. A string body is sent unchanged, a `ReadableStream` of bytes as a stream,
 * anything else as JSON; undefined means no body.
 */
export type Answer = Readonly<{
  status: number
  headers?: Readonly<Record<string, string>>
  body?: unknown
  /** How a misbehaviour changes the delivery. */
  fault?: Fault
  /** Facts about the request for the log. Never sent. */
  about?: About
}>

export type About = Readonly<{
  route: RouteName
  tenant?: string
  /** Whether the route requires credentials, and they were accepted. */
  isAuthenticated: boolean
}>

type Output<S> = S extends z.ZodType ? z.output<S> : undefined
type Member<R, K extends PropertyKey> = R extends Readonly<Record<K, infer V>> ? V : undefined
type RouteOf<N extends RouteName> = (typeof routes)[N]

/** A routed and parsed request. Its parts conform to the schemas of the route. */
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

/** One function per route. `Context` is what the seat adds to the call. */
export type Handlers<N extends RouteName, Context> = {
  readonly [K in N]: (call: Call<K> & Context) => Answer | Promise<Answer>
}

export const ok = (body: unknown): Answer => ({ status: 200, body })
export const created = (body: unknown): Answer => ({ status: 201, body })
export const noContent: Answer = { status: 204 }

/** The body as sent: JSON, unless the handler returned text. */
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
