import type { z } from 'zod'
import type { ErrorCode } from '../error-codes.ts'

/** The server that answers a route. The control plane shares the issuer's origin. */
export type Seat = 'issuer' | 'api' | 'control'

/**
 * Required credentials.
 *
 * - `client`: client authentication; `caller`: client authentication or a valid access token
 * - `agent`: a valid access token of an agent; `bearer`: any valid access token
 * - `guard`: depends on the document (the API)
 * - `control`: the control token
 * - `session`: a browser that is signed in to the approvals page; `operator`: one signed in with the
 * control token
 * - `model`: the API key of a tenant's scripted model
 */
export type Auth =
  | 'none'
  | 'client'
  | 'caller'
  | 'agent'
  | 'bearer'
  | 'guard'
  | 'control'
  | 'session'
  | 'operator'
  | 'model'

/** One endpoint as data. Express, MSW, the client and OpenAPI are derived from it. */
export type Route = Readonly<{
  seat: Seat
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With `:name` segments, or `:name:verb` as Google writes. For the issuer: relative to either prefix. */
  path: string
  /** Further full paths of the same route, for clients that use them. */
  aliases?: readonly string[]
  auth: Auth
  /**
   * Whether a JIT token authenticates its agent here. `own_task`: for its own task; `refused`: 403;
   * absent: 401, as for any token with another audience (CONTRACT.md#jit-tokens-at-the-issuer).
   */
  jitToken?: 'own_task' | 'refused'
  summary: string
  /** Where the behaviour is stated: paragraphs of `CONTRACT.md`, clauses of standards. */
  source: string
  /** One more sentence when the summary is not enough. */
  note?: string
  query?: z.ZodType
  /** Schema of the JSON body. Absent: no body is read. */
  body?: z.ZodType
  /** The error code by invalid member of the body. Default: `invalid_request`. */
  invalid?: Readonly<Record<string, ErrorCode>>
  /** Schema of a body `application/x-www-form-urlencoded`. */
  form?: z.ZodType
  /** Whether the form may also be sent as a JSON object. */
  formOrJson?: true
  /** Whether answers, including errors, are HTML pages when the schema of the answer is null. */
  pages?: true
  /** Whether the route answers 409 when the resource exists already or is in use. */
  conflicts?: true
  /** Media type of a 200 that is not JSON, or not always: pages, style sheets, events. */
  media?: string
  /** Schemas of the JSON bodies by status; null for no body. The body of every error is an `ErrorBody`. */
  answers: Readonly<Record<number, z.ZodType | null>>
}>

/** The two base paths of the issuer (CONTRACT.md#base-paths). */
export const prefixes = ['/t/:tenant/api/v1', '/orgs/:tenant/api/v1'] as const

/** The two base paths of the API: with the tenant in the path, or with the tenant of the token. */
export const apiPrefixes = ['', '/t/:tenant'] as const

/** Every path of a route. */
export const pathsOf = (route: Route): readonly string[] => {
  // RFC 9728 §3.1 puts the well-known segment before the path, so the path contains the tenant.
  const isWellKnown = route.seat === 'api' && route.path.startsWith('/.well-known/')
  const bases = isWellKnown
    ? ['']
    : { issuer: prefixes, api: apiPrefixes, control: [''] }[route.seat]
  return [...bases.map((base) => base + route.path), ...(route.aliases ?? [])]
}
