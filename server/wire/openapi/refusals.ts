import { z } from 'zod'
import { ChallengeBody } from '../challenge.ts'
import { ErrorBody, RateLimited } from '../error.ts'
import { pathsOf, type Route } from '../routes/route.ts'
import type { Refer, Schema } from './schemas.ts'

export const header = (name: string, description: string, schema: Schema = { type: 'string' }) => ({
  [name]: { description, schema },
})

/** A budget that is used up does not always say when it is there again. */
const UsedUp = z.union([RateLimited, ErrorBody])

/** How OpenAI’s clients read a refusal. */
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

type Refusal = Readonly<{ name: string; says: string; headers?: object; body?: z.ZodType }>

/** What a refusal of each status means, whatever the route. */
const refusalWords: Readonly<Record<string, Refusal>> = {
  400: { name: 'Invalid', says: 'What was sent does not fit, or does not fit now' },
  401: {
    name: 'Unauthorized',
    says: 'No credentials, or none that are good here',
    headers: header('WWW-Authenticate', 'The challenge (RFC 6750 §3, RFC 9110 §11.6.1).'),
  },
  403: { name: 'Forbidden', says: 'Known, but not allowed' },
  404: { name: 'NotFound', says: 'There is no such thing here, or no such tenant' },
  409: { name: 'Conflict', says: 'It is there already, or is in use' },
  413: { name: 'TooLarge', says: 'A body over 64 KiB' },
  415: { name: 'UnsupportedMedia', says: 'A body of another media type, or a compressed one' },
  429: {
    name: 'TooOften',
    says: 'A rate or a budget is used up',
    headers: header('Retry-After', 'Seconds to wait.', { type: 'integer' }),
    body: UsedUp,
  },
  431: { name: 'HeadersTooLarge', says: 'A query or header fields longer than the server reads' },
  503: {
    name: 'Unavailable',
    says: 'Not now: the journal cannot be written, or no tenant is there',
  },
  507: { name: 'Full', says: 'There is no room for more' },
}

/** A resource server's 403, which may also say what is missing. */
const challenge: Refusal = {
  name: 'Challenge',
  says: 'Known, but not allowed; where a permission could help, it says which',
  headers: header(
    'Insufficient-Authorization-Details',
    'The detail that is missing: base64 of one JSON object.',
  ),
  body: ChallengeBody,
}

/** What every refusal of a kind says, to be referred to. */
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
    description: 'A refusal in OpenAI’s form; where the path is none, in the usual one',
    content: json(refer(ModelRefusal, 'output')),
  },
  Page: {
    description: 'A page that tells the person why it cannot go on',
    content: {
      'text/html': { schema: { type: 'string' } },
      ...json(refer(ErrorBody, 'output')),
    },
  },
})

/** Which refusals a route knows, told from what it reads and whom it asks. */
export const refusalsOf = (
  name: string,
  route: Route,
): Record<string, Readonly<{ $ref: string }>> => {
  const { auth, body, form, query, pages, conflicts } = route
  if (auth === 'model') return { '4XX': refTo('ModelError'), '5XX': refTo('ModelError') }
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

/** A body that is JSON. */
export const json = (schema: Schema) => ({ 'application/json': { schema } })

/** What the bodies of refusals are made of. */
export const refusalBodies = [ErrorBody, UsedUp, ChallengeBody, ModelRefusal]
