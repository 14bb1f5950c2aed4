import { approveScope, grantTypes, identityScopes, type RegisterClient } from '../../wire/index.ts'
import type { Decide } from '../decide.ts'
import type { Agent, Client, Event, EventOf, Token } from '../event.ts'
import { refuse } from '../refusal.ts'
import type { State } from '../state.ts'

/** A client: an agent with capabilities, a budget and tasks, or an application for the sign-in of users. */
export const isAgent = (client: Client): client is Agent => 'mayDelegate' in client

/** Whether the client has no credentials. */
export const isPublic = ({ secretHash, keys, jwksUri }: Client): boolean =>
  secretHash === undefined && keys === undefined && jwksUri === undefined

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

/** Every scope that can be requested in this tenant. */
export const allScopes = ({ clients, mcpServers }: State): string[] => [
  ...new Set([
    ...identityScopes,
    ...[...clients.values()].flatMap(({ capabilities }) => capabilities),
    ...[...mcpServers.values()].flatMap(({ scopes }) => scopes),
  ]),
]

const mostClients = 10_000

/**
 * Registers a client at its own request (RFC 7591). Metadata that is not allowed is rejected, not
 * dropped, so that the client learns of it.
 */
export const registerClient: Decide<
  Readonly<{
    asked: RegisterClient
    clientId: string
    secretHash?: string | undefined
    /** The scopes of the registering bearer. Absent: the registration is anonymous. */
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
  const { post_logout_redirect_uris: logoutUris } = asked
  for (const uri of logoutUris ?? []) refuseRedirectUri(uri, 'post_logout_redirect_uris')
  if (grantTypes.includes('authorization_code') && asked.redirect_uris.length === 0) {
    refuse({ error: 'invalid_redirect_uri', reason: 'redirect_uris: expected at least one URI' })
  }
  const byKey = asked.token_endpoint_auth_method === 'private_key_jwt'
  const { jwks, jwks_uri: jwksUri } = asked
  const sets = [jwks, jwksUri].filter((it) => it !== undefined).length
  if (sets !== (byKey ? 1 : 0)) {
    refuse({
      error: 'invalid_client_metadata',
      reason:
        'expected one of jwks and jwks_uri if, and only if, token_endpoint_auth_method is private_key_jwt',
    })
  }
  // With consent of a user, a client may request any scope. With its own credentials it has at most the
  // scopes of the registering bearer.
  const offered = grantTypes.includes('client_credentials')
    ? [...vouched, ...(replaced?.capabilities ?? [])]
    : allScopes(state)
  const possible = offered.filter((it) => it !== approveScope)
  const scopes = asked.scope?.split(' ').filter((it) => it !== '') ?? possible
  const unknown = scopes.filter((scope) => !possible.includes(scope))
  if (unknown.length > 0) {
    refuse({
      error: 'invalid_client_metadata',
      reason: `scope: expected a subset of ${possible.join(' ') || 'the scopes of the registering bearer (none)'}`,
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
        ...(logoutUris === undefined ? {} : { logoutUris }),
        grantTypes,
        selfRegistered: true,
        registeredAt: replaced?.registeredAt ?? now,
        authMethod: asked.token_endpoint_auth_method,
        ...(registrationHash === undefined ? {} : { registrationHash }),
        ...(secretHash === undefined ? {} : { secretHash }),
        ...(jwks === undefined ? {} : { keys: jwks.keys }),
        ...(jwksUri === undefined ? {} : { jwksUri }),
      },
    },
  ]
}

/**
 * Self-registered clients together get a tenth of a limit, so that there is always room for the others.
 * @throws {Refused} `limit_reached`
 */
export const refuseBeyondSelfRegistered = (
  { clients, policy: { limits } }: State,
  name: 'pushed_requests' | 'grants' | 'tokens' | 'refresh_tokens',
  { clientId }: Readonly<{ clientId: string }>,
  kept: Iterable<Readonly<{ clientId: string }>>,
): void => {
  if (!clients.get(clientId)?.selfRegistered) return
  const limit = Math.ceil(limits[name] / 10)
  let count = 0
  for (const it of kept) if (clients.get(it.clientId)?.selfRegistered) count += 1
  const what = `${name.replace('_', ' ')} of self-registered clients`
  if (count >= limit) refuse({ error: 'limit_reached', what, limit })
}

/**
 * The requested grants that this issuer supports and the client can use; some clients request all they
 * know (RFC 7591 §3.2.1).
 * @throws {Refused} `invalid_client_metadata` when none is left
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

/**
 * Deletes a client, its tokens, what users have allowed it, and all tokens derived from that, including
 * those of agents (RFC 7592 §2.3).
 */
export const deleteClient: Decide<Readonly<{ clientId: string }>> = (
  { tokens, grants },
  { clientId },
  { now },
) => {
  const given = [...grants.values()].filter(({ grant }) => grant.clientId === clientId)
  const ids = new Set(given.map(({ grant }) => grant.id))
  const isDerived = ({ clientId: holder, grantId = '' }: Token) =>
    holder === clientId || ids.has(grantId)
  return [
    ...[...tokens.values()]
      .filter(({ token, revokedAt }) => revokedAt === undefined && now < token.expiresAt)
      .filter(({ token }) => isDerived(token))
      .map(
        ({ token: { jti } }): Event => ({
          type: 'token.revoked',
          jti,
          reason: 'revoked_by_client',
        }),
      ),
    ...given
      .filter(({ revoked }) => !revoked)
      .map(
        ({ grant }): Event => ({
          type: 'grant.revoked',
          grantId: grant.id,
          reason: 'grant_revoked',
        }),
      ),
    { type: 'client.deleted', clientId },
  ]
}

/** A client assertion works once (CC-12). */
export const useAssertion: Decide<
  Readonly<{ clientId: string; jti: string; expiresAt: number }>,
  readonly [EventOf<'assertion.used'>]
> = (state, { clientId, jti, expiresAt }) => {
  if (state.assertions.has(`${clientId} ${jti}`)) refuse({ error: 'assertion_used' })
  return [{ type: 'assertion.used', clientId, jti, expiresAt }]
}

export const isRegisteredRedirect = ({ redirectUris = [] }: Client, uri: string): boolean =>
  isAmong(redirectUris, uri)

/** A client that registered no URI for logout may use its redirect URIs. */
export const isRegisteredLogout = (
  { redirectUris = [], logoutUris = redirectUris }: Client,
  uri: string,
): boolean => isAmong(logoutUris, uri)

/**
 * Compares with the registered URIs exactly. Only the port of a loopback address is ignored, because a
 * native application does not know it in advance (RFC 8252 §7.3).
 */
const isAmong = (registered: readonly string[], uri: string): boolean =>
  URL.canParse(uri) &&
  (registered.includes(uri) ||
    (isLoopback(uri) &&
      registered.some((known) => isLoopback(known) && portless(known) === portless(uri))))

const isLoopback = (uri: string) =>
  /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(:\d{1,5})?(?=[/?]|$)/.test(uri)

const portless = (uri: string) => uri.replace(/^(http:\/\/(?:\[::1\]|[^:/?]+)):\d+/, '$1')

/**
 * Accepts https, http on loopback, or a private scheme with a dot in it (RFC 8252 §7.1), without
 * fragment. The URI must be in the normal form of a URL parser, so that all parties read it alike.
 */
const refuseRedirectUri = (uri: string, member = 'redirect_uris'): void => {
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
      reason: `${member}: expected a URI in normal form, without credentials: https, http on loopback, or a private scheme such as com.example.app:/`,
    })
  }
}
