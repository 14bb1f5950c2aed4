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
      if (decision === 'deny') refuse({ error: 'access_denied', reason: 'the user said no' })
      const user =
        findUser(context.tenant.state, chosen) ??
        failWithPage(400, 'Choose who you are, then try again.')
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
      answerWith(400, 'invalid_request', 'request_uri: it cannot itself be pushed')
    }
    const parameters = AuthorizeQuery.parse({ ...body, client_id: client.clientId })
    if (!isRegisteredRedirect(client, parameters.redirect_uri ?? '')) {
      answerWith(400, 'invalid_request', 'redirect_uri: expected one that is registered')
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
      return problemPage(400, 'The address to go back to is not known to belong to the client.')
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

/** The parameters as they were pushed, where a `request_uri` stands for them. */
const withPushed = ({ tenant }: TenantContext, query: AuthorizeQuery): AuthorizeQuery => {
  const { request_uri: uri, client_id: clientId } = query
  if (uri === undefined) return query
  const pushed = tenant.state.pushed.get(uri)
  if (pushed === undefined || pushed.clientId !== clientId) {
    return failWithPage(400, 'The request was never pushed, or by another client.')
  }
  if (tenant.clock.now() >= pushed.expiresAt) {
    return failWithPage(400, 'The request was pushed too long ago.')
  }
  return AuthorizeQuery.parse(pushed.parameters)
}

/** Whom to answer. As long as that is not certain, nobody is redirected anywhere (RFC 6749 §4.1.2.1). */
const findRedirectTarget = (
  { tenant }: TenantContext,
  { client_id: clientId = '', redirect_uri: redirectUri = '' }: AuthorizeQuery,
): { client: Client; redirectUri: string } => {
  const client =
    tenant.state.clients.get(clientId) ?? failWithPage(400, 'The client is not known here.')
  if (!isRegisteredRedirect(client, redirectUri)) {
    failWithPage(400, 'The address to go back to is not registered for the client.')
  }
  return { client, redirectUri }
}

/** What is asked, once it is sound: scope, details and audience together (RAR-17). */
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
 * Sends a refusal to the client, by redirect. Without an address it shows a page: no person is redirected to a
 * client that registered itself before they have seen its name (RFC 9700 §4.11.2).
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

/** With `iss`, so that a client of several issuers knows whose answer it is (RFC 9207). */
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
 * Refuses a form that our own page did not send: the page signs the parameters it shows, keeps the signature
 * in a cookie, and sends the form from its own origin (scheme, host and port).
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
      'The form is not from here, or its page is too old. Go back to where you came from.',
    )
  }
}

/** The nonce of a consent page with a signature of it and of the request that the page shows. */
export const signConsent = (
  { consentKey }: TenantContext,
  nonce: string,
  parameters: Readonly<Record<string, unknown>>,
) => {
  const shown = Object.entries(parameters).filter(([, value]) => value !== undefined)
  const text = JSON.stringify([nonce, shown.toSorted(([a], [b]) => (a < b ? -1 : 1))])
  return `${nonce}.${createHmac('sha256', consentKey).update(text).digest('base64url')}`
}

/** @throws {HttpError} a page for the person, since there is no client to tell */
const failWithPage = (status: number, says: string): never => {
  throw new HttpError(problemPage(status, says))
}
