import { approveScope, grantTypes, identityScopes, type RegisterClient } from '../wire/index.ts'
import type { Decide } from './decide.ts'
import type { Agent, Client, Event, EventOf } from './event.ts'
import { refuse } from './refusal.ts'
import type { State } from './state.ts'

/** An agent has capabilities, a budget and tasks; an application only signs people in. */
export const isAgent = (client: Client): client is Agent => 'mayDelegate' in client

/** Whether it has nothing to authenticate with. */
export const isPublic = ({ secretHash, keys }: Client): boolean =>
  secretHash === undefined && keys === undefined

/** @throws {Refused} `unauthorized_client` */
export const mayUse = (state: State, client: Client, grant: string): void => {
  const { grantTypes } = client
  if (grantTypes !== undefined && !grantTypes.includes(grant)) {
    refuse({
      error: 'unauthorized_client',
      grant,
      status: state.dialect.unauthorized_client_status,
    })
  }
}

/** Everything anybody can ask for in this tenant. */
export const allScopes = ({ clients, mcpServers }: State): string[] => [
  ...new Set([
    ...identityScopes,
    ...[...clients.values()].flatMap(({ capabilities }) => capabilities),
    ...[...mcpServers.values()].flatMap(({ scopes }) => scopes),
  ]),
]

const mostClients = 10_000

/**
 * A client registers itself (RFC 7591). What it may not have is refused rather than dropped, so
 * that it hears of it.
 */
export const registerClient: Decide<
  Readonly<{
    asked: RegisterClient
    clientId: string
    secretHash?: string | undefined
    /** The scopes of whoever registers it; absent: nobody knows who does. */
    vouched?: readonly string[] | undefined
    /** The SHA-256 of the token by which the client comes back to its registration. */
    registrationHash?: string | undefined
    /** The registration that this one replaces. */
    replaced?: Client | undefined
  }>,
  readonly [EventOf<'client.registered'>]
> = (state, { asked, clientId, secretHash, vouched = [], registrationHash, replaced }, { now }) => {
  if (replaced === undefined && state.clients.size >= mostClients) {
    refuse({ error: 'limit_reached', what: 'clients', limit: mostClients })
  }
  const grantTypes = supportedGrants(asked)
  for (const uri of asked.redirect_uris) refuseRedirectUri(uri)
  if (grantTypes.includes('authorization_code') && asked.redirect_uris.length === 0) {
    refuse({ error: 'invalid_redirect_uri', reason: 'redirect_uris: expected at least one' })
  }
  const byKey = asked.token_endpoint_auth_method === 'private_key_jwt'
  if (byKey !== (asked.jwks !== undefined)) {
    refuse({
      error: 'invalid_client_metadata',
      reason:
        'expected jwks if, and only if, token_endpoint_auth_method is private_key_jwt; a jwks_uri is not fetched',
    })
  }
  // Where a person consents, a client may ask for anything; by itself it is as mighty as its maker.
  const offered = grantTypes.includes('client_credentials')
    ? [...vouched, ...(replaced?.capabilities ?? [])]
    : allScopes(state)
  const possible = offered.filter((it) => it !== approveScope)
  const scopes = asked.scope?.split(' ').filter((it) => it !== '') ?? possible
  const unknown = scopes.filter((scope) => !possible.includes(scope))
  if (unknown.length > 0) {
    refuse({
      error: 'invalid_client_metadata',
      reason: `scope: expected some of ${possible.join(' ') || 'nothing, unless somebody known registers it'}`,
    })
  }
  return [
    {
      type: 'client.registered',
      client: {
        clientId,
        name: asked.client_name ?? clientId,
        capabilities: scopes,
        redirectUris: asked.redirect_uris,
        grantTypes,
        selfRegistered: true,
        registeredAt: replaced?.registeredAt ?? now,
        authMethod: asked.token_endpoint_auth_method,
        ...(registrationHash === undefined ? {} : { registrationHash }),
        ...(secretHash === undefined ? {} : { secretHash }),
        ...(asked.jwks === undefined ? {} : { keys: asked.jwks.keys }),
      },
    },
  ]
}

/**
 * Clients that registered themselves together get a tenth of a limit, so that the others always have room.
 * @throws {Refused} `limit_reached`
 */
export const refuseBeyondSelfRegistered = (
  { clients, policy: { limits } }: State,
  name: 'pushed_requests' | 'grants',
  { clientId }: Readonly<{ clientId: string }>,
  kept: Iterable<Readonly<{ clientId: string }>>,
): void => {
  if (!clients.get(clientId)?.selfRegistered) return
  const limit = Math.ceil(limits[name] / 10)
  let count = 0
  for (const it of kept) if (clients.get(it.clientId)?.selfRegistered) count += 1
  const what = `${name.replace('_', ' ')} of clients that registered themselves`
  if (count >= limit) refuse({ error: 'limit_reached', what, limit })
}

/**
 * Of the grants that are asked for, those this issuer supports and the client can use: some clients ask for
 * all they know (RFC 7591 §3.2.1).
 * @throws {Refused} `invalid_client_metadata` where none is left
 */
const supportedGrants = ({
  grant_types: asked = ['authorization_code', 'refresh_token'],
  response_types: responses = ['code'],
  token_endpoint_auth_method: method,
}: RegisterClient): string[] => {
  const isUsable = (grant: string) =>
    (grantTypes as readonly string[]).includes(grant) &&
    !(grant === 'client_credentials' && method === 'none') &&
    !(grant === 'authorization_code' && !responses.includes('code'))
  const usable = asked.filter(isUsable)
  if (usable.some((grant) => grant !== 'refresh_token')) return usable
  return refuse({
    error: 'invalid_client_metadata',
    reason: `grant_types: expected one of ${grantTypes.join(', ')}, with response type code for authorization_code and credentials for client_credentials`,
  })
}

/** A client that is deleted loses its tokens and what people have allowed it (RFC 7592 §2.3). */
export const deleteClient: Decide<Readonly<{ clientId: string }>> = (
  { tokens, grants },
  { clientId },
  { now },
) => [
  ...[...tokens.values()]
    .filter((it) => it.token.clientId === clientId && it.revokedAt === undefined)
    .filter(({ token }) => now < token.expiresAt)
    .map(
      ({ token }): Event => ({
        type: 'token.revoked',
        jti: token.jti,
        reason: 'revoked_by_client',
      }),
    ),
  ...[...grants.values()]
    .filter(({ grant, revoked }) => grant.clientId === clientId && !revoked)
    .map(
      ({ grant }): Event => ({
        type: 'grant.revoked',
        grantId: grant.id,
        reason: 'grant_revoked',
      }),
    ),
  { type: 'client.deleted', clientId },
]

/** An assertion of a client is good once (CC-12). */
export const useAssertion: Decide<
  Readonly<{ clientId: string; jti: string; expiresAt: number }>,
  readonly [EventOf<'assertion.used'>]
> = (state, { clientId, jti, expiresAt }) => {
  if (state.assertions.has(`${clientId} ${jti}`)) refuse({ error: 'assertion_used' })
  return [{ type: 'assertion.used', clientId, jti, expiresAt }]
}

/**
 * Exact match against what was registered; only the port of a loopback address is free, since a
 * native application cannot know it before (RFC 8252 §7.3).
 */
export const isRegisteredRedirect = ({ redirectUris = [] }: Client, uri: string): boolean =>
  URL.canParse(uri) &&
  (redirectUris.includes(uri) ||
    (isLoopback(uri) &&
      redirectUris.some((known) => isLoopback(known) && portless(known) === portless(uri))))

const isLoopback = (uri: string) =>
  /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(:\d{1,5})?(?=[/?]|$)/.test(uri)

const portless = (uri: string) => uri.replace(/^(http:\/\/(?:\[::1\]|[^:/?]+)):\d+/, '$1')

/**
 * https, http on loopback, or a scheme of one's own with a dot in it (RFC 8252 §7.1); no fragment. As a parser
 * of URLs writes it, so that no other party reads it differently; it is also written into a CSP.
 */
const refuseRedirectUri = (uri: string): void => {
  const url = URL.parse(uri)
  const sound =
    url !== null &&
    (url.href === uri ||
      (url.pathname === '/' && url.href === `${url.origin}/${uri.slice(url.origin.length)}`)) &&
    url.username + url.password === '' &&
    /^([a-z0-9.-]*|\[[0-9a-f:.]+\])$/.test(url.hostname) &&
    !uri.includes('#') &&
    (/^https:\/\/[^/]/.test(uri) || isLoopback(uri) || /^[a-z][a-z0-9+-]*\.[a-z0-9.+-]+:/.test(uri))
  if (!sound) {
    refuse({
      error: 'invalid_redirect_uri',
      reason:
        'redirect_uris: expected, in its normal form and without credentials, https, http on loopback, or a private scheme such as com.example.app:/',
    })
  }
}
