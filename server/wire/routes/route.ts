import type { z } from 'zod'

/** Whose door it is. The control plane stands on the issuer's origin. */
export type Seat = 'issuer' | 'api' | 'control'

/**
 * Who may knock. `client`: client authentication, or for `caller` a live access token instead.
 * `agent`, `bearer`: a live access token of an agent, of anybody. `guard`: what the API asks depends on the document. `control`: the control token.
 * `session`: a browser signed in to the approvals page; `operator`: one signed in by the control token.
 * `model`: the API key of a tenant's scripted model.
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

/** One endpoint as data: Express, MSW, the client and OpenAPI are made from it. */
export type Route = Readonly<{
  seat: Seat
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With `:name` segments. Of the issuer: below either prefix. */
  path: string
  /** Whole paths that answer the same, for clients that look elsewhere (contract §7 rows 24 to 26). */
  aliases?: readonly string[]
  auth: Auth
  /**
   * Whether a JIT token authenticates its agent here: `own_task` for what belongs to the task it was granted
   * in; `refused` with 403; absent: 401, as for any token that is not for the issuer (findings F15).
   */
  jitToken?: 'own_task' | 'refused'
  summary: string
  /** One sentence more, where the summary leaves a question. */
  note?: string
  query?: z.ZodType
  /** A JSON body. Absent: none is read. */
  body?: z.ZodType
  /** The error code of a body that does not fit, by its member; `invalid_request` if absent. */
  invalid?: Readonly<Record<string, string>>
  /** A body `application/x-www-form-urlencoded`. */
  form?: z.ZodType
  /** A form that may also come as a JSON object. */
  formOrJson?: true
  /** Answers with pages for a person, refusals too, where the schema of an answer is null. */
  pages?: true
  /** Refuses with 409 what is there already, or in use. */
  conflicts?: true
  /** What comes with 200 where it is no JSON, or not always: pages, style sheets, events. */
  media?: string
  /** JSON bodies by status; null where there is none. Every refusal is an `ErrorBody`. */
  answers: Readonly<Record<number, z.ZodType | null>>
}>

/** The two base paths of the issuer (contract §1.1). */
export const prefixes = ['/t/:tenant/api/v1', '/orgs/:tenant/api/v1'] as const

/** The two forms of the API's paths: with the tenant named, or told from the token. */
export const apiPrefixes = ['', '/t/:tenant'] as const

/** Every path a route answers at. */
export const pathsOf = (route: Route): readonly string[] => {
  // RFC 9728 §3.1 puts the well-known part before the path, so that path names the tenant itself.
  const isWellKnown = route.seat === 'api' && route.path.startsWith('/.well-known/')
  const bases = isWellKnown
    ? ['']
    : { issuer: prefixes, api: apiPrefixes, control: [''] }[route.seat]
  return [...bases.map((base) => base + route.path), ...(route.aliases ?? [])]
}
