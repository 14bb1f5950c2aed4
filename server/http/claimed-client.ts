import { peekJwt } from '../signing/peek.ts'
import { bearerToken } from './issuer/oauth/bearer.ts'
import type { HttpRequest } from './message.ts'

/** What a request says of its client, in the form or by HTTP Basic, unchecked. */
export const credentialsIn = ({ headers, body }: HttpRequest): { id: string; secret: string } => {
  const [, basic] = /^basic +(\S+)/i.exec(headers.authorization ?? '') ?? []
  if (basic !== undefined) {
    const [id = '', ...secret] = Buffer.from(basic, 'base64').toString('utf8').split(':')
    return { id: formDecoded(id), secret: formDecoded(secret.join(':')) }
  }
  const form = new URLSearchParams(body)
  return { id: form.get('client_id') ?? '', secret: form.get('client_secret') ?? '' }
}

/** Of what is not form-encoded, as much as can be read: the honest handler refuses it. */
const formDecoded = (text: string) => new URLSearchParams(`text=${text}`).get('text') ?? ''

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
