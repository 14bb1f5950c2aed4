import { z } from 'zod'
import { ChallengeBody } from '../challenge.ts'
import { ErrorBody, RateLimited } from '../error.ts'
import { pathsOf, type Route } from '../routes/route.ts'
import type { Refer, Schema } from './schemas.ts'

export const header = (name: string, description: string, schema: Schema = { type: 'string' }) => ({
  [name]: { description, schema },
})

/** The error of an exhausted budget does not always have `Retry-After`. */
const UsedUp = z.union([RateLimited, ErrorBody])

/** The error body that OpenAI's clients read. */
const ModelError = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string(),
    }),
  })
  .meta({ id: 'ModelError' })

const ModelRefusal = z.union([ModelError, ErrorBody])

/** The error body that Google's clients read. */
const GeminiError = z
  .object({
    error: z.object({
      code: z.int(),
      message: z.string(),
      status: z.string(),
      details: z.array(z.looseObject({ '@type': z.string(), reason: z.string() })),
    }),
  })
  .meta({ id: 'GeminiError' })

const GeminiRefusal = z.union([GeminiError, ErrorBody])

type Refusal = Readonly<{ name: string; says: string; headers?: object; body?: z.ZodType }>

/** The meaning of each error status, for all routes. */
const refusalWords: Readonly<Record<string, Refusal>> = {
  400: { name: 'Invalid', says: 'The request is malformed, or not possible in the current state' },
  401: {
    name: 'Unauthorized',
    says: 'Missing or invalid credentials',
    headers: header('WWW-Authenticate', 'The challenge (RFC 6750 §3, RFC 9110 §11.6.1).'),
  },
  403: { name: 'Forbidden', says: 'Authenticated, but not allowed' },
  404: { name: 'NotFound', says: 'The resource or the tenant does not exist' },
  409: { name: 'Conflict', says: 'The resource exists already, or is in use' },
  413: { name: 'TooLarge', says: 'A body over 64 KiB' },
  415: { name: 'UnsupportedMedia', says: 'A body of another media type, or a compressed one' },
  429: {
    name: 'TooOften',
    says: 'The rate limit is exceeded, or the budget is exhausted',
    headers: header('Retry-After', 'Seconds to wait.', { type: 'integer' }),
    body: UsedUp,
  },
  431: { name: 'HeadersTooLarge', says: 'A query or header fields longer than the server reads' },
  503: {
    name: 'Unavailable',
    says: 'Unavailable: the journal cannot be written, or there is no tenant',
  },
  507: { name: 'Full', says: 'A limit on stored objects is reached' },
}

/** The 403 of a resource server, which may have a challenge. */
const challenge: Refusal = {
  name: 'Challenge',
  says: 'Authenticated, but not allowed; a challenge names the permission that would be sufficient',
  headers: header(
    'Insufficient-Authorization-Details',
    'The missing authorization detail: base64 of one JSON object.',
  ),
  body: ChallengeBody,
}

/** The shared response objects of errors. */
export const refusals = (refer: Refer) => ({
  ...Object.fromEntries(
    [...Object.values(refusalWords), challenge].map(({ name, says, headers, body = ErrorBody }) => [
      name,
      {
        description: says,
        ...(headers ? { headers } : {}),
        content: json(refer(body, 'output')),
      },
    ]),
  ),
  ModelError: {
    description: 'An error in OpenAI’s form; in the usual form when the path is unknown',
    content: json(refer(ModelRefusal, 'output')),
  },
  GeminiError: {
    description: 'An error in Gemini’s form; in the usual form when the path is unknown',
    content: json(refer(GeminiRefusal, 'output')),
  },
  Page: {
    description: 'An HTML page that shows the error to the user',
    content: {
      'text/html': { schema: { type: 'string' } },
      ...json(refer(ErrorBody, 'output')),
    },
  },
})

/** Derives the possible errors of a route from its inputs and its authentication. */
export const refusalsOf = (
  name: string,
  route: Route,
): Record<string, Readonly<{ $ref: string }>> => {
  const { auth, body, form, query, pages, conflicts } = route
  if (auth === 'model') {
    const error = refTo(name.startsWith('model.gemini.') ? 'GeminiError' : 'ModelError')
    return { '4XX': error, '5XX': error }
  }
  const mayCarry = route.method !== 'GET'
  const isNamed = pathsOf(route).some((path) => path.includes(':'))
  const asks = auth !== 'none' || pages || name === 'oauth.token' || name === 'console.session.open'
  const statuses = [
    ...(body || form || query || asks || isNamed ? [400] : []),
    ...(asks || name.startsWith('mcp.') || ['oauth.register', 'agents.attest'].includes(name)
      ? [401, 403]
      : []),
    404,
    ...(conflicts ? [409] : []),
    ...(mayCarry ? [413, 415] : []),
    429,
    ...(query ? [431] : []),
    503,
    ...(auth === 'guard' && body ? [507] : []),
  ]
  return Object.fromEntries(
    statuses.map((status) => {
      if (status < 404 && pages) return [status, refTo('Page')]
      const named = status === 403 && auth === 'guard' ? challenge : refusalWords[status]
      return [status, refTo(named?.name ?? '')]
    }),
  )
}

const refTo = (name: string) => ({ $ref: `#/components/responses/${name}` })

/** A response with a JSON body. */
export const json = (schema: Schema) => ({ 'application/json': { schema } })

/** The schemas of the bodies of errors. */
export const refusalBodies = [ErrorBody, UsedUp, ChallengeBody, ModelRefusal, GeminiRefusal]
