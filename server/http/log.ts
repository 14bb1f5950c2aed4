import { randomUUID } from 'node:crypto'
import type { Seat } from '../wire/index.ts'
import type { Step } from './core.ts'
import type { Answer, HttpRequest } from './message.ts'
import { mask } from './tenant/mask.ts'

/** One line of the log: an answered request, with secrets masked. */
export type LogLine = Readonly<{
  time: Date
  /** The client's `X-Request-Id`, or a generated id. The answer repeats it. */
  id: string
  seat: Exclude<Seat, 'control'>
  method: string
  path: string
  status: number
  milliseconds: number
  /** Code and description of an error. */
  error?: string
  description?: string
}>

/** Logs every answer of a seat, including unknown paths, and adds `X-Request-Id`. */
export const writeLog =
  (seat: LogLine['seat'], log: (line: LogLine) => void): Step<HttpRequest> =>
  async (request, next) => {
    if (request.isInternal) return next(request)
    const started = performance.now()
    const id = requestIdOf(request) ?? randomUUID()
    const answer = await next(request)
    log({
      time: new Date(),
      id,
      seat,
      method: request.method,
      path: shownPath(request),
      status: answer.status,
      milliseconds: performance.now() - started,
      ...errorOf(answer),
    })
    return { ...answer, headers: { ...answer.headers, 'x-request-id': id } }
  }

const requestIdOf = ({ headers }: HttpRequest) => {
  const id = headers['x-request-id']
  return id !== undefined && /^[\w.-]{1,64}$/.test(id) ? id : undefined
}

const shownPath = ({ path, query }: HttpRequest) =>
  replaceControlCharacters(mask(query.size === 0 ? path : `${path}?${query}`))

/** Prevents untrusted text from looking like another line, or moving the cursor. */
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
