import { peekJwt } from '../signing/peek.ts'
import { type BasicCredentials, decodeBasic } from '../wire/basic-credentials.ts'
import { bearerToken } from './authorization-field.ts'
import type { HttpRequest } from './message.ts'

/** What a request says of its client, in the form or by HTTP Basic, unchecked. */
export const credentialsIn = ({ headers, body }: HttpRequest): BasicCredentials => {
  const basic = decodeBasic(headers.authorization)
  if (basic !== undefined) return basic
  const form = new URLSearchParams(body)
  return { id: form.get('client_id') ?? '', secret: form.get('client_secret') ?? '' }
}

/**
 * The client that a request says it is from, by whichever way of client authentication, or by the
 * bearer token it shows. Nothing is checked. Undefined where it shows nothing at all.
 */
export const claimedClientId = (request: HttpRequest): string | undefined => {
  const { id } = credentialsIn(request)
  if (id !== '') return id
  const form = new URLSearchParams(request.body)
  const jwt = form.get('client_assertion') ?? bearerToken(request)
  if (jwt === undefined) return request.headers.authorization ?? request.headers['x-api-key']
  const { client_id: clientId, iss = '' } = peekJwt(jwt)?.claims ?? {}
  return String(clientId ?? iss)
}
