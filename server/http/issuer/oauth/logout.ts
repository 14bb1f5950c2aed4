import { isRegisteredLogout } from '../../../issuer/oauth/clients.ts'
import type { LogoutRequest } from '../../../wire/index.ts'
import type { Answer, Handlers } from '../../message.ts'
import type { TenantContext } from '../../tenant/tenant-context.ts'
import type { IssuerContext } from '../context.ts'
import { withQuery } from './authorize.ts'
import { problemPage, signedOutPage } from './consent-page.ts'
import { readIdToken } from './id-token.ts'
import { noStore } from './token-response.ts'

/** Sign-out at the request of a client, by GET and by POST (OpenID Connect RP-Initiated Logout §2). */
export const logoutHandlers: Handlers<'oauth.logout' | 'oauth.logout.submit', IssuerContext> = {
  'oauth.logout': ({ context, query }) => logOut(context, query, 302),
  'oauth.logout.submit': ({ context, body }) => logOut(context, body, 303),
}

/**
 * Redirects only to a registered URI of a client that the request names. A self-registered client has
 * to show an ID token, so that the endpoint is not an open redirector (RFC 9700 §4.11.2).
 */
const logOut = async (
  context: TenantContext,
  asked: LogoutRequest,
  status: 302 | 303,
): Promise<Answer> => {
  const { post_logout_redirect_uri: uri, id_token_hint: hint, client_id: named, state } = asked
  // Logout is often after the end of an ID token (§4).
  const read = hint === undefined ? undefined : await readIdToken(context, hint, { expired: true })
  if (hint !== undefined && read === undefined) {
    return problemPage(400, 'The id_token_hint is not an ID token of this issuer.')
  }
  if (read !== undefined && named !== undefined && named !== read.clientId) {
    return problemPage(400, 'The id_token_hint was issued to another client than client_id.')
  }
  if (uri === undefined) return signedOutPage()
  const client = context.tenant.state.clients.get(named ?? read?.clientId ?? '')
  if (client === undefined || !isRegisteredLogout(client, uri)) {
    return problemPage(400, 'The post_logout_redirect_uri is not registered for the client.')
  }
  if (client.selfRegistered && read === undefined) return signedOutPage()
  return { status, headers: { location: withQuery(uri, { state }), ...noStore } }
}
