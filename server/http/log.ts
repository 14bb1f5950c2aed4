import { randomUUID } from 'node:crypto'
import { peekJwt } from '../signing/peek.ts'
import { decodeBasic } from '../wire/basic-credentials.ts'
import type { Seat } from '../wire/index.ts'
import { bearerToken } from './authorization-field.ts'
import type { Step } from './core.ts'
import type { Answer, HttpRequest } from './message.ts'
import { mask } from './tenant/mask.ts'

/** One answered request, secrets masked, as a log wants it. */
export type LogLine = Readonly<{
  time: Date
  /** What the client named the request in `X-Request-Id`, or a fresh id; the answer repeats it. */
  id: string
  seat: Exclude<Seat, 'control'>
  method: string
  path: string
  status: number
  milliseconds: number
  /** The tenant, and the route by its name in the contract; absent where none was found. */
  tenant?: string
  route?: string
  /** The client whose credentials the request had. */
  client?: string
  /** The trace that the request belongs to, of its `traceparent` (W3C Trace Context). */
  trace?: string
  /** Of a refusal: its code, and what it says. */
  error?: string
  description?: string
}>

/** Logs every answer of a seat, also where no route was found; names it in `X-Request-Id`. */
export const writeLog =
  (seat: LogLine['seat'], log: (line: LogLine) => void): Step<HttpRequest> =>
  async (request, next) => {
    if (request.isInternal) return next(request)
    const started = performance.now()
    const id = requestIdOf(request) ?? randomUUID()
    const { about, ...answer } = await next(request)
    const trace = traceOf(request)
    const client = about?.isAuthenticated ? clientOf(request) : undefined
    // A probe comes every few seconds, and says nothing as long as all is well.
    if (about?.route === 'control.health' && answer.status === 200) return named(answer, id)
    log({
      time: new Date(),
      id,
      seat,
      method: request.method,
      path: shownPath(request),
      status: answer.status,
      milliseconds: performance.now() - started,
      ...(about && { route: about.route }),
      ...(about?.tenant !== undefined && { tenant: about.tenant }),
      ...(client !== undefined && { client }),
      ...(trace !== undefined && { trace }),
      ...errorOf(answer),
    })
    return named(answer, id)
  }

const named = (answer: Answer, id: string): Answer => ({
  ...answer,
  headers: { ...answer.headers, 'x-request-id': id },
})

/** Says which client the credentials name; they have been verified by the time this is asked. */
const clientOf = (request: HttpRequest): string | undefined => {
  const { client_id: ofToken } = peekJwt(bearerToken(request))?.claims ?? {}
  const { headers, body } = request
  const ofForm = /^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '')
    ? new URLSearchParams(body).get('client_id')
    : undefined
  const client = decodeBasic(headers.authorization)?.id ?? ofToken ?? ofForm
  return typeof client === 'string' ? replaceControlCharacters(client.slice(0, 128)) : undefined
}

const traceOf = ({ headers }: HttpRequest): string | undefined => {
  const [, trace] =
    /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(headers.traceparent ?? '') ?? []
  return trace === undefined || /^0+$/.test(trace) ? undefined : trace
}

const requestIdOf = ({ headers }: HttpRequest) => {
  const id = headers['x-request-id']
  return id !== undefined && /^[\w.-]{1,64}$/.test(id) ? id : undefined
}

const shownPath = ({ path, query }: HttpRequest) =>
  replaceControlCharacters(mask(query.size === 0 ? path : `${path}?${query}`))

/** Nothing that a caller wrote may look like another line, or move the cursor. */
const replaceControlCharacters = (text: string) => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')

const errorOf = ({ status, body }: Answer): Pick<LogLine, 'error' | 'description'> => {
  if (status < 400 || typeof body !== 'object' || body === null) return {}
  const { error, error_description: description } = body as Record<string, unknown>
  return {
    ...(typeof error === 'string' ? { error } : {}),
    ...(typeof description === 'string'
      ? { description: replaceControlCharacters(mask(description)) }
      : {}),
  }
}
