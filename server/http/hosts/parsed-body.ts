import { isUint8Array } from 'node:util/types'
import type { Request } from 'express'
import { deepestJson, isDeeper } from '../../wire/json.ts'

/**
 * The text of a request body: bytes from our own parser, or the result of a parser in the surrounding
 * app. An object is serialised again by the media type of the request; array values of a form become
 * repeated parameters.
 * @throws {BodyConsumed} when other code has read the body and kept nothing
 * @throws {BodyTooDeep} for an object that is nested deeper than JSON may be
 */
export const textOfBody = (request: Request): string => {
  const body: unknown = request.body
  if (isUint8Array(body)) return utf8.decode(body)
  if (typeof body === 'string') return body
  if (body === undefined) return announcesBody(request) ? refuseConsumed() : ''
  if (isDeeper(body)) throw new BodyTooDeep()
  // The value that parsers set when there is no body.
  if (isEmpty(body)) return ''
  return isForm(request) ? formOf(body) : JSON.stringify(body)
}

/** Thrown when other code has read the request body and `req.body` is empty. */
export class BodyConsumed extends Error {
  override readonly name = 'BodyConsumed'

  constructor() {
    super(
      'other middleware has read the request body and left req.body empty: mount the harness before it',
    )
  }
}

/**
 * Thrown for a body that a parser of the surrounding app has read, and that is nested too deeply to be
 * written again.
 */
export class BodyTooDeep extends Error {
  override readonly name = 'BodyTooDeep'

  constructor() {
    super(`the body is nested deeper than ${deepestJson} levels`)
  }
}

const refuseConsumed = (): never => {
  throw new BodyConsumed()
}

/** Removes a byte order mark, as `Request.text()` does. */
const utf8 = new TextDecoder()

const isEmpty = (body: unknown) =>
  typeof body === 'object' && body !== null && Object.keys(body).length === 0

const announcesBody = ({ headers }: Request) =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

const isForm = (request: Request) => Boolean(request.is('application/x-www-form-urlencoded'))

/** Writes `a=1&a=2` for `{ a: ['1', '2'] }`, `a[b]=1` for `{ a: { b: '1' } }`. */
const formOf = (body: unknown): string => {
  const fields = new URLSearchParams()
  const add = (name: string, value: unknown): void => {
    if (Array.isArray(value)) for (const each of value) add(name, each)
    else if (typeof value === 'object' && value !== null) {
      for (const [key, each] of Object.entries(value)) add(`${name}[${key}]`, each)
    } else if (value !== undefined) fields.append(name, String(value ?? ''))
  }
  for (const [name, value] of Object.entries(body as object)) add(name, value)
  return fields.toString()
}
