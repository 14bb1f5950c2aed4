import { createHmac } from 'node:crypto'
import { parseCookie } from 'cookie'
import type { Client, PushedRequest } from '../../../issuer/event.ts'
import { isRegisteredRedirect } from '../../../issuer/oauth/clients.ts'
import {
  type CheckedRequest,
  giveGrant,
  pushLifetime,
  pushRequest,
  soundRequest,
  usePushedRequest,
} from '../../../issuer/oauth/grants.ts'
import { Refused, refuse } from '../../../issuer/refusal.ts'
import { findUser } from '../../../issuer/tasks.ts'
import { hashSecret, same } from '../../../signing/secrets.ts'
import {
  type AuthorizationDetail,
  AuthorizeQuery,
  type AuthorizeRequest,
  ConsentDetails,
  type ErrorBody,
  type ReadAuthorization,
  readAuthorization,
} from '../../../wire/index.ts'
import { type Answer, created, type Handlers, type HttpRequest } from '../../message.ts'
import { issuerOf } from '../../origin/issuer-urls.ts'
import { isSameOrigin } from '../../origin/same-origin.ts'
import { answerWith, HttpError, render } from '../../refusals.ts'
import type { TenantContext } from '../../tenant/tenant-context.ts'
import type { IssuerContext } from '../context.ts'
import { newSecret } from '../new-secret.ts'
import {
  clientOrPublic,
  hasSecretInUri,
  refuseSecretsInUri,
  secretInUri,
} from './client-authentication.ts'
import { consentPage, csrfCookie, problemPage } from './consent-page.ts'
import { audienceOf } from './resource-indicators.ts'
import { noStore } from './token-response.ts'

export const authorizeHandlers: Handlers<
  'oauth.authorize' | 'oauth.authorize.submit' | 'oauth.par',
  IssuerContext
> = {
  'oauth.authorize': ({ context, query, request }) => askForConsent(context, request, query),

  'oauth.authorize.submit': ({ context, body, request }) => {
    const { user: chosen = '', decision, csrf, ...asked } = body
    // Core §3.1.2.1: an authentication request comes by POST as well.
    if (decision === undefined || csrf === undefined) return askForConsent(context, request, asked)
    const parameters = readAuthorization(asked).query
    const { client, redirectUri } = findRedirectTarget(context, parameters)
    refuseForgedForm(context, request, csrf, parameters)
    return redirectRefusals(context, request, redirectUri, parameters.state, 303, () => {
      const { details, audience, ...sound } = checkAuthorization(context, client, parameters)
      const user = findUser(context.tenant.state, chosen)
      if (decision === 'allow' && user === undefined) {
        return failWithPage(400, 'Select a user, then try again.')
      }
      context.tenant.run(usePushedRequest, { uri: parameters.request_uri })
      if (decision === 'deny' || user === undefined) {
        return refuse({ error: 'access_denied', reason: 'the user denied the request' })
      }
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
    const { request: object, registration, max_age } = body
    const { flaw } = readAuthorization({ request: object, registration, max_age })
    if (flaw !== undefined) answerWith(400, flaw.error, flaw.reason)
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
}

/** The consent page, or what is wrong with the request: to the client, where it is known who that is. */
const askForConsent = (
  context: TenantContext,
  request: HttpRequest,
  asked: AuthorizeRequest,
): Answer => {
  const { query, flaw: own } = readAuthorization(asked)
  const { parameters, flaw: ofPushed = own } = withPushed(context, query)
  const flaw = hasSecretInUri(request.query)
    ? ({ error: 'invalid_request', reason: secretInUri } as const)
    : ofPushed
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
      ...newConsent(context, request, parameters),
      secure: context.origins.issuer.startsWith('https:'),
      redirectUri,
    })
  })
}

/**
 * The authorization parameters: the pushed ones when there is a `request_uri`, which stays with them
 * until the decision.
 */
const withPushed = (
  { tenant }: TenantContext,
  query: AuthorizeQuery,
): Readonly<{ parameters: AuthorizeQuery; flaw?: ReadAuthorization['flaw'] }> => {
  const { request_uri: uri, client_id: clientId } = query
  if (uri === undefined) return { parameters: query }
  const pushed = tenant.state.pushed.get(uri)
  const reason = pushedObstacle(pushed, clientId, tenant.clock.now())
  if (pushed !== undefined && reason === undefined) {
    return { parameters: { ...AuthorizeQuery.parse(pushed.parameters), request_uri: uri } }
  }
  if (query.redirect_uri === undefined) failWithPage(400, `The request_uri is ${reason}.`)
  const flaw = { error: 'invalid_request_uri', reason: `request_uri: it is ${reason}` } as const
  return { parameters: query, flaw }
}

const pushedObstacle = (
  pushed: PushedRequest | undefined,
  clientId: string | undefined,
  now: number,
): string | undefined => {
  if (pushed === undefined || pushed.clientId !== clientId) {
    return 'unknown, or belongs to another client'
  }
  if (pushed.used) return 'used'
  return now < pushed.expiresAt ? undefined : 'expired'
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

/** The URI with these parameters added to its query. */
export const withQuery = (
  uri: string,
  parameters: Readonly<Record<string, string | undefined>>,
) => {
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
  const isOpen = openPages(cookie).some((page) => same(page, csrf))
  if (!isOurs || !isSigned || !isOpen) {
    failWithPage(
      403,
      'The form is not from this page, or the page is too old. Go back to the application and start again.',
    )
  }
}

/** A signed nonce for a new page, and the cookie that also contains those of the browser's other open pages. */
export const newConsent = (
  context: TenantContext,
  { headers: { cookie } }: HttpRequest,
  parameters: Readonly<Record<string, unknown>>,
): Readonly<{ csrf: string; cookie: string }> => {
  const csrf = signConsent(context, newSecret(context, 'csrf'), parameters)
  return { csrf, cookie: [...openPages(cookie), csrf].slice(-mostPages).join(separator) }
}

const mostPages = 10
const separator = '~'

const openPages = (cookie = ''): string[] =>
  (parseCookie(cookie)[csrfCookie] ?? '').split(separator).filter((page) => page !== '')

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
