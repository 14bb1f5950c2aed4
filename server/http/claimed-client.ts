import { peekJwt } from '../signing/peek.ts'
import { type BasicCredentials, decodeBasic } from '../wire/basic-credentials.ts'
import { bearerToken } from './authorization-field.ts'
import type { HttpRequest } from './message.ts'

/** The unverified `client_id` and `client_secret` of a request, from the form or from HTTP Basic. */
export const credentialsIn = ({ headers, body }: HttpRequest): BasicCredentials => {
  const basic = decodeBasic(headers.authorization)
  if (basic !== undefined) return basic
  const form = new URLSearchParams(body)
  return { id: form.get('client_id') ?? '', secret: form.get('client_secret') ?? '' }
}

/**
 * The unverified client id of a request, from any method of client authentication or from its bearer
 * token. Undefined when the request has none of them.
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
