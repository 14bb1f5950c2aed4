import type { Client } from '../../../issuer/event.ts'
import { isAgent } from '../../../issuer/oauth/clients.ts'
import { findLiveGrant, refreshLifetime, revokeGrant } from '../../../issuer/oauth/grants.ts'
import { revokeToken } from '../../../issuer/oauth/tokens.ts'
import { findUser } from '../../../issuer/tasks.ts'
import { hashSecret } from '../../../signing/secrets.ts'
import {
  cibaGrant,
  deviceCodeGrantType,
  type GrantType,
  grantTypes,
  tokenExchange,
} from '../../../wire/index.ts'
import { bearerToken } from '../../authorization-field.ts'
import { type Answer, type Handlers, ok } from '../../message.ts'
import { apiAudience, issuerOf } from '../../origin/issuer-urls.ts'
import { answerWith } from '../../refusals.ts'
import type { TenantContext } from '../../tenant/tenant-context.ts'
import type { IssuerContext } from '../context.ts'
import { verifyOwn } from './access-token.ts'
import { authorizeHandlers } from './authorize.ts'
import { backchannelGrant, backchannelHandlers } from './backchannel.ts'
import { bearer } from './bearer.ts'
import {
  clientOf,
  clientOrPublic,
  hasClientCredentials,
  refuseSecretsInUri,
} from './client-authentication.ts'
import { deviceCodeGrant, deviceHandlers } from './device.ts'
import { authorizationCode, refreshToken } from './grants/authorization-code.ts'
import { clientCredentials } from './grants/client-credentials.ts'
import { exchangeToken } from './grants/token-exchange.ts'
import { logoutHandlers } from './logout.ts'
import { registrationHandlers } from './registration.ts'
import { type GrantHandler, noStore } from './token-response.ts'
import { shownSubject, userinfoHandlers } from './userinfo.ts'

const grants: Readonly<Record<GrantType, GrantHandler>> = {
  client_credentials: clientCredentials,
  authorization_code: authorizationCode,
  refresh_token: refreshToken,
  [tokenExchange]: exchangeToken,
  [cibaGrant]: backchannelGrant,
  [deviceCodeGrantType]: deviceCodeGrant,
}

const isGrantType = (name: string): name is GrantType => Object.hasOwn(grants, name)

type OauthRoute =
  | 'oauth.token'
  | 'oauth.introspect'
  | 'oauth.revoke'
  | keyof typeof authorizeHandlers
  | keyof typeof backchannelHandlers
  | keyof typeof deviceHandlers
  | keyof typeof logoutHandlers
  | keyof typeof registrationHandlers
  | keyof typeof userinfoHandlers

export const oauthHandlers: Handlers<OauthRoute, IssuerContext> = {
  'oauth.token': (call) => {
    refuseSecretsInUri(call.request)
    const { grant_type: name } = call.body
    return isGrantType(name)
      ? grants[name](call)
      : answerWith(400, 'unsupported_grant_type', `expected one of ${grantTypes.join(', ')}`)
  },
  'oauth.introspect': async ({ context, request, body }) => {
    refuseSecretsInUri(request)
    const client = await clientOf(context, request, body)
    return (
      (await accessTokenSeenBy(context, client, body.token)) ??
      refreshTokenSeenBy(context, client, body.token, request.path) ?? {
        ...ok({ active: false }),
        headers: noStore,
      }
    )
  },
  'oauth.revoke': async ({ context, request, body }) => {
    refuseSecretsInUri(request)
    const { tenant } = context
    // An invalid hint is ignored (RFC 7009 §2.2): both types of tokens are searched anyway.
    const { token: text } = body
    const clientId =
      !hasClientCredentials(request, body) && bearerToken(request) !== undefined
        ? (await bearer(context, request)).claims.client_id
        : (await clientOrPublic(context, request, body)).clientId
    const live = await verifyOwn(context, text)
    if (live !== undefined) {
      if (live.token.clientId !== clientId) {
        answerWith(400, 'unauthorized_client', 'the token was issued to another client')
      }
      tenant.run(revokeToken, { jti: live.token.jti, clientId })
    } else {
      tenant.run(revokeGrant, { refreshHash: hashSecret(text), clientId })
    }
    return { ...ok({}), headers: noStore }
  },
  ...authorizeHandlers,
  ...backchannelHandlers,
  ...deviceHandlers,
  ...logoutHandlers,
  ...registrationHandlers,
  ...userinfoHandlers,
}

/**
 * A token is active for a resource server if its `aud` contains the server, for any other client if the
 * client owns it (RFC 7662 §4, INT-02).
 */
const accessTokenSeenBy = async (
  context: TenantContext,
  client: Client,
  text: string,
): Promise<Answer | undefined> => {
  const isResourceServer = isAgent(client) && client.resourceServer === true
  const audience = isResourceServer ? apiAudience(context) : undefined
  const live = await verifyOwn(context, text, audience)
  if (live === undefined) return undefined
  const { claims, token } = live
  if (!isResourceServer && token.clientId !== client.clientId) return undefined
  const user = findUser(context.tenant.state, token.userId ?? '')
  const username = user?.email ?? token.sub
  return {
    ...ok({
      active: true,
      token_type: 'Bearer',
      nbf: claims.iat,
      ...claims,
      sub: shownSubject(context.tenant.state, claims.sub),
      username,
    }),
    headers: noStore,
  }
}

/** A refresh token is active only for its own client. */
const refreshTokenSeenBy = (
  context: TenantContext,
  { clientId }: Client,
  text: string,
  requestPath: string,
): Answer | undefined => {
  const { state, clock } = context.tenant
  const record = findLiveGrant(state, hashSecret(text), clock.now())
  if (record?.refresh === undefined || record.grant.clientId !== clientId) return undefined
  const { grant, refresh } = record
  const iss = issuerOf(context, requestPath)
  return {
    ...ok({
      active: true,
      token_type: 'refresh_token',
      iss,
      aud: iss,
      sub: grant.userId,
      client_id: clientId,
      username: state.users.get(grant.userId)?.email ?? grant.userId,
      scope: grant.scope,
      iat: refresh.expiresAt - refreshLifetime,
      exp: refresh.expiresAt,
      jti: grant.id,
    }),
    headers: noStore,
  }
}
