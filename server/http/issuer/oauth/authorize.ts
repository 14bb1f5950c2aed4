import { createHmac } from 'node:crypto'
import { parseCookie } from 'cookie'
import { isRegisteredRedirect } from '../../../issuer/clients.ts'
import type { Client, PushedRequest } from '../../../issuer/event.ts'
import {
  type CheckedRequest,
  giveGrant,
  pushLifetime,
  pushRequest,
  soundRequest,
} from '../../../issuer/grants.ts'
import { Refused, refuse } from '../../../issuer/refusal.ts'
import { findUser } from '../../../issuer/tasks.ts'
import { hashSecret, same } from '../../../signing/secrets.ts'
import {
  type AuthorizationDetail,
  AuthorizeQuery,
  type AuthorizeRequest,
  ConsentDetails,
  type ErrorBody,
  readAuthorization,
} from '../../../wire/index.ts'
import { issuerOf } from '../../issuer-urls.ts'
import { type Answer, created, type Handlers, type HttpRequest } from '../../message.ts'
import { answerWith, HttpError, render } from '../../refusals.ts'
import { isSameOrigin } from '../../same-origin.ts'
import type { TenantContext } from '../../tenant-context.ts'
import type { IssuerContext } from '../context.ts'
import { newSecret } from '../new-secret.ts'
import { clientOrPublic, refuseSecretsInUri } from './client-authentication.ts'
import { consentPage, csrfCookie, problemPage, signedOutPage } from './consent-page.ts'
import { readIdToken } from './id-token.ts'
import { audienceOf } from './resource-indicators.ts'
import { noStore } from './token-response.ts'

export const authorizeHandlers: Handlers<
  'oauth.authorize' | 'oauth.authorize.submit' | 'oauth.par' | 'oauth.logout',
  IssuerContext
> = {
  'oauth.authorize': ({ context, query, request }) => {
    refuseSecretsInUri(request)
    return askForConsent(context, request, query)
  },

  'oauth.authorize.submit': ({ context, body, request }) => {
    const { user: chosen = '', decision, csrf, ...asked } = body
    // Core §3.1.2.1: an authentication request comes by POST as well.
    if (decision === undefined || csrf === undefined) return askForConsent(context, request, asked)
    const parameters = readAuthorization(asked).query
    const { client, redirectUri } = findRedirectTarget(context, parameters)
    refuseForgedForm(context, request, csrf, parameters)
    return redirectRefusals(context, request, redirectUri, parameters.state, 303, () => {
      const { details, audience, ...sound } = checkAuthorization(context, client, parameters)
      if (decision === 'deny')
        refuse({ error: 'access_denied', reason: 'the user denied the request' })
      const user =
        findUser(context.tenant.state, chosen) ??
        failWithPage(400, 'Select a user, then try again.')
      const code = newSecret(context, 'code')
      context.tenant.run(giveGrant, {
        ...sound,
        clientId: client.clientId,
        userId: user.id,
        codeHash: hashSecret(code),
        redirectUri,
        ...(parameters.nonce === undefined ? {} : { nonce: parameters.nonce }),
        ...(audience === undefined ? {} : { audience: audience.names }),
        ...(details.length === 0 ? {} : { details }),
      })
      return redirectToClient(context, request, redirectUri, 303, { code, state: parameters.state })
    })
  },

  'oauth.par': async ({ context, request, body }) => {
    refuseSecretsInUri(request)
    const client = await clientOrPublic(context, request, body)
    if (body.request_uri !== undefined) {
      answerWith(400, 'invalid_request', 'request_uri: not allowed in a pushed request')
    }
    const parameters = AuthorizeQuery.parse({ ...body, client_id: client.clientId })
    if (!isRegisteredRedirect(client, parameters.redirect_uri ?? '')) {
      answerWith(400, 'invalid_request', 'redirect_uri: expected a registered redirect_uri')
    }
    checkAuthorization(context, client, parameters)
    const [{ pushed }] = context.tenant.run(pushRequest, {
      clientId: client.clientId,
      uri: `urn:ietf:params:oauth:request_uri:${newSecret(context, 'par')}`,
      parameters: parameters as PushedRequest['parameters'],
    })
    return {
      ...created({ request_uri: pushed.uri, expires_in: pushLifetime }),
      headers: noStore,
    }
  },

  'oauth.logout': async ({ context, query }) => {
    const { post_logout_redirect_uri: uri, id_token_hint: hint, state } = query
    if (uri === undefined) return signedOutPage()
    const clientId = query.client_id ?? (hint && (await readIdToken(context, hint))?.clientId) ?? ''
    const client = context.tenant.state.clients.get(clientId)
    if (client === undefined || !isRegisteredRedirect(client, uri)) {
      return problemPage(400, 'The post_logout_redirect_uri is not registered for the client.')
    }
    if (client.selfRegistered) return signedOutPage()
    return { status: 302, headers: { location: withQuery(uri, { state }), ...noStore } }
  },
}

/** The consent page, or what is wrong with the request: to the client, where it is known who that is. */
const askForConsent = (
  context: TenantContext,
  request: HttpRequest,
  asked: AuthorizeRequest,
): Answer => {
  const { query, flaw } = readAuthorization(asked)
  const parameters = withPushed(context, query)
  const { client, redirectUri } = findRedirectTarget(context, parameters)
  const target = client.selfRegistered ? undefined : redirectUri
  return redirectRefusals(context, request, target, parameters.state, 302, () => {
    if (flaw !== undefined) refuse({ ...flaw, error: 'authorization_request', as: flaw.error })
    const { scope, mayAct, details } = checkAuthorization(context, client, parameters)
    return consentPage({
      client,
      users: [...context.tenant.state.users.values()],
      hint: parameters.login_hint,
      scope,
      details,
      mayAct,
      parameters: Object.entries(parameters).flatMap(([name, value]) =>
        [value ?? []].flat().map((one) => [name, one] as const),
      ),
      csrf: signConsent(context, newSecret(context, 'csrf'), parameters),
      secure: context.origins.issuer.startsWith('https:'),
      redirectUri,
    })
  })
}

/** The authorization parameters: the pushed ones when there is a `request_uri`. */
const withPushed = ({ tenant }: TenantContext, query: AuthorizeQuery): AuthorizeQuery => {
  const { request_uri: uri, client_id: clientId } = query
  if (uri === undefined) return query
  const pushed = tenant.state.pushed.get(uri)
  if (pushed === undefined || pushed.clientId !== clientId) {
    return failWithPage(400, 'The request_uri is unknown, or belongs to another client.')
  }
  if (tenant.clock.now() >= pushed.expiresAt) {
    return failWithPage(400, 'The request_uri is expired.')
  }
  return AuthorizeQuery.parse(pushed.parameters)
}

/**
 * Finds the client and its redirect URI. Without a valid pair the server does not redirect (RFC 6749
 * §4.1.2.1).
 */
const findRedirectTarget = (
  { tenant }: TenantContext,
  { client_id: clientId = '', redirect_uri: redirectUri = '' }: AuthorizeQuery,
): { client: Client; redirectUri: string } => {
  const client =
    tenant.state.clients.get(clientId) ?? failWithPage(400, 'The client_id is unknown.')
  if (!isRegisteredRedirect(client, redirectUri)) {
    failWithPage(400, 'The redirect_uri is not registered for the client.')
  }
  return { client, redirectUri }
}

/** Validates the request: scope, details and audience together (RAR-17). */
const checkAuthorization = (
  context: TenantContext,
  client: Client,
  parameters: AuthorizeQuery,
): CheckedRequest & {
  details: AuthorizationDetail[]
  audience: ReturnType<typeof audienceOf>
} => {
  const details = ConsentDetails.safeParse(parameters.authorization_details)
  if (!details.success) {
    refuse({ error: 'invalid_authorization_details', reason: 'expected a JSON array of objects' })
  }
  const sound = soundRequest(context.tenant.state, client, {
    responseType: parameters.response_type,
    responseMode: parameters.response_mode,
    scope: parameters.scope,
    challenge: parameters.code_challenge,
    challengeMethod: parameters.code_challenge_method,
    prompt: parameters.prompt,
    actor: parameters.requested_actor,
    details: details.data,
  })
  const audience = audienceOf(context, { resource: [parameters.resource ?? []].flat() })
  return { ...sound, details: details.data ?? [], audience }
}

/**
 * Sends an error to the client, by redirect. Without a redirect URI it shows a page: the server
 * redirects to a self-registered client only after the user has seen its name (RFC 9700 §4.11.2).
 */
const redirectRefusals = (
  context: TenantContext,
  request: HttpRequest,
  redirectUri: string | undefined,
  state: string | undefined,
  status: 302 | 303,
  act: () => Answer,
): Answer => {
  try {
    return act()
  } catch (thrown) {
    if (!(thrown instanceof Refused)) throw thrown
    const { error, error_description } = render(thrown.refusal).body as ErrorBody
    if (redirectUri === undefined) return problemPage(400, `${error}: ${error_description}`)
    return redirectToClient(context, request, redirectUri, status, {
      error,
      error_description,
      state,
    })
  }
}

/** With `iss`, so that a client of several issuers can tell them apart (RFC 9207). */
const redirectToClient = (
  context: TenantContext,
  request: HttpRequest,
  redirectUri: string,
  status: 302 | 303,
  parameters: Readonly<Record<string, string | undefined>>,
): Answer => {
  const iss = issuerOf(context, request.path)
  return {
    status,
    headers: { location: withQuery(redirectUri, { ...parameters, iss }), ...noStore },
  }
}

const withQuery = (uri: string, parameters: Readonly<Record<string, string | undefined>>) => {
  const url = new URL(uri)
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.append(name, value)
  }
  return url.href
}

/**
 * Rejects a form of another page. Our page signs its parameters, stores the signature in a cookie, and
 * sends the form from its own origin (scheme, host and port).
 */
export const refuseForgedForm = (
  context: TenantContext,
  { headers }: HttpRequest,
  csrf: string,
  parameters: Readonly<Record<string, unknown>>,
): void => {
  const { origin, host, cookie = '' } = headers
  const isOurs = origin === undefined || isSameOrigin(origin, host, context.origins.issuer)
  const isSigned = same(csrf, signConsent(context, csrf.split('.', 1)[0] ?? '', parameters))
  if (!isOurs || !isSigned || !same(parseCookie(cookie)[csrfCookie] ?? '', csrf)) {
    failWithPage(
      403,
      'The form is not from this page, or the page is too old. Go back to the application and start again.',
    )
  }
}

/** The nonce of a consent page, with a signature over it and the displayed request. */
export const signConsent = (
  { consentKey }: TenantContext,
  nonce: string,
  parameters: Readonly<Record<string, unknown>>,
) => {
  const shown = Object.entries(parameters).filter(([, value]) => value !== undefined)
  const text = JSON.stringify([nonce, shown.toSorted(([a], [b]) => (a < b ? -1 : 1))])
  return `${nonce}.${createHmac('sha256', consentKey).update(text).digest('base64url')}`
}

/** @throws {HttpError} an HTML page for the user, because no client can receive the error */
const failWithPage = (status: number, says: string): never => {
  throw new HttpError(problemPage(status, says))
}
