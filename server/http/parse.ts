import type { z } from 'zod'
import type { ErrorCode } from '../wire/error-codes.ts'
import { isModelPath, type Route } from '../wire/index.ts'
import { JsonBoundsError, mostConversationValues, mostJsonValues, readJson } from '../wire/json.ts'
import { outcomeOf, type Routed, type Step } from './core.ts'
import type { HttpRequest } from './message.ts'
import { problems } from './problems.ts'
import { answerWith } from './refusals.ts'

/**
 * Maximum bytes of a request body. The limit for the scripted model is higher, because conversations
 * grow.
 */
export const largestBody = (path: string): number =>
  isModelPath(path) ? 4 * 1024 * 1024 : 64 * 1024

/** Parses query and body by the schemas of the route. `handle` throws a parse error later. */
export const parseInput: Step<Routed> = (routed, next) =>
  next({ ...routed, input: outcomeOf(() => parse(routed.route, routed.request)) })

/**
 * Parses query and body of a request by its route's schemas.
 * @throws {HttpError} 400, 413 or 415, with what was wrong and what is expected
 */
export const parse = (route: Route, request: HttpRequest): { query: unknown; body: unknown } => ({
  query:
    route.query &&
    checkSchema(route.query, fieldsOf(request.query, 'query'), 'query', route.invalid),
  body: bodyOf(route, request),
})

const bodyOf = ({ form, formOrJson, body, invalid }: Route, request: HttpRequest): unknown => {
  if (request.bodyOver !== undefined) {
    answerWith(413, 'request_too_large', `expected a body of at most ${request.bodyOver} bytes`)
  }
  if (request.headers['content-encoding'] !== undefined) {
    answerWith(415, 'unsupported_media_type', 'expected a body without Content-Encoding')
  }
  if (form && formOrJson && mediaType(request) === 'application/json') {
    return checkSchema(form, formOfJson(request), 'body', invalid)
  }
  if (form) return checkSchema(form, formOf(request), 'form', invalid)
  if (body) return checkSchema(body, jsonOf(request), 'body', invalid)
  return undefined
}

const jsonOf = (request: HttpRequest): unknown => {
  if (request.body === '') return {}
  const type = mediaType(request)
  if (type !== 'application/json' && !type.endsWith('+json')) {
    answerWith(
      415,
      'unsupported_media_type',
      `expected application/json, not ${describeMediaType(type)}`,
    )
  }
  const mostValues = isModelPath(request.path) ? mostConversationValues : mostJsonValues
  try {
    return readJson(request.body, { mostValues, refusedNames: ['__proto__'] })
  } catch (wrong) {
    const says = wrong instanceof JsonBoundsError ? wrong.message : 'is not valid JSON'
    return answerWith(400, 'invalid_request', `the body ${says}`)
  }
}

const formOf = (request: HttpRequest): Record<string, string | string[]> => {
  const type = mediaType(request)
  if (type !== 'application/x-www-form-urlencoded') {
    answerWith(
      400,
      'invalid_request',
      `expected application/x-www-form-urlencoded, not ${describeMediaType(type)}`,
    )
  }
  if (/%(?![0-9A-Fa-f]{2})/.test(request.body)) {
    answerWith(400, 'invalid_request', 'the form is not valid percent-encoding')
  }
  return fieldsOf(new URLSearchParams(request.body), 'form')
}

/** The parameters of a form as JSON. `authorization_details` may be a JSON value. */
const formOfJson = (request: HttpRequest): unknown => {
  const value = jsonOf(request)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, it]) => it !== '')
      .map(([name, it]) => [
        name,
        name === 'authorization_details' && typeof it === 'object' ? JSON.stringify(it) : it,
      ]),
  )
}

/** Maximum number of parameters in one form or query. */
const mostParameters = 1000

/**
 * Parses parameters. An empty parameter counts as omitted (RFC 6749 §3.2); a repeated one becomes an
 * array.
 * @throws {HttpError} 400 for too many parameters
 */
const fieldsOf = (
  parameters: URLSearchParams,
  where: string,
): Record<string, string | string[]> => {
  if (parameters.size > mostParameters) {
    answerWith(400, 'invalid_request', `the ${where} has more than ${mostParameters} parameters`)
  }
  const fields: Record<string, string | string[]> = Object.create(null)
  for (const [name, value] of parameters) {
    if (value === '') continue
    const before = fields[name]
    if (before === undefined) fields[name] = value
    else if (typeof before === 'string') fields[name] = [before, value]
    else before.push(value)
  }
  return fields
}

const checkSchema = (
  schema: z.ZodType,
  value: unknown,
  where: string,
  codes: Route['invalid'],
): unknown => {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [first, ...others] = problems(parsed.error)
  const more = others.length > 0 ? ` (and ${others.length} more)` : ''
  return answerWith(400, errorCode(parsed.error, codes), `${where}: ${first}${more}`, {
    issues: [first, ...others],
  })
}

/** RFC 9396 §5 defines an error code for invalid authorization_details. */
const errorCode = ({ issues }: z.ZodError, codes: Route['invalid'] = {}): ErrorCode => {
  if (issues.every(({ path }) => path[0] === 'authorization_details')) {
    return 'invalid_authorization_details'
  }
  return codes[String(issues[0]?.path[0])] ?? codes.otherwise ?? 'invalid_request'
}

const mediaType = (request: HttpRequest) =>
  (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''

const describeMediaType = (type: string) =>
  type === '' ? 'a body without a content type' : type.slice(0, 64)
