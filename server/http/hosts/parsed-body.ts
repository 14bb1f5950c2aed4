import type { Request } from 'express'
import { deepestJson, isDeeper } from '../../wire/json.ts'

/**
 * The text of a request body, whatever stands in front of us: bytes from our own parser, or what a
 * parser of the surrounding app has made of them. An object is written again, by the media type of
 * the request; array values of a form become repeated parameters.
 * @throws {BodyConsumed} when something has read the body and kept nothing of it
 * @throws {BodyTooDeep} for an object that is nested deeper than JSON may be
 */
export const textOfBody = (request: Request): string => {
  const body: unknown = request.body
  if (body instanceof Uint8Array) return utf8.decode(body)
  if (typeof body === 'string') return body
  if (body === undefined) return announcesBody(request) ? refuseConsumed() : ''
  if (isDeeper(body)) throw new BodyTooDeep()
  // What parsers leave where there is no body.
  if (isEmpty(body)) return ''
  return isForm(request) ? formOf(body) : JSON.stringify(body)
}

/** Something before the harness has read the request body and left nothing in `req.body`. */
export class BodyConsumed extends Error {
  override readonly name = 'BodyConsumed'

  constructor() {
    super(
      'something before the harness has read the request body and left nothing in req.body: mount the harness before it',
    )
  }
}

/** A body that a parser of the surrounding app has read, and that cannot be written again. */
export class BodyTooDeep extends Error {
  override readonly name = 'BodyTooDeep'

  constructor() {
    super(`the body is nested deeper than ${deepestJson} levels`)
  }
}

const refuseConsumed = (): never => {
  throw new BodyConsumed()
}

/** A byte order mark is no part of the text, as `Request.text()` has it, too. */
const utf8 = new TextDecoder()

const isEmpty = (body: unknown) =>
  typeof body === 'object' && body !== null && Object.keys(body).length === 0

const announcesBody = ({ headers }: Request) =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

const isForm = (request: Request) => Boolean(request.is('application/x-www-form-urlencoded'))

/** `a=1&a=2` for `{ a: ['1', '2'] }`, `a[b]=1` for `{ a: { b: '1' } }`. */
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
