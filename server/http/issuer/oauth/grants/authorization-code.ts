import { createHash } from 'node:crypto'
import type { Client, Event, Token } from '../../../../issuer/event.ts'
import { mayUse } from '../../../../issuer/oauth/clients.ts'
import { redeemCode, refresh } from '../../../../issuer/oauth/grants.ts'
import { refuse } from '../../../../issuer/refusal.ts'
import { hashSecret } from '../../../../signing/secrets.ts'
import type { Answer } from '../../../message.ts'
import { answerWith } from '../../../refusals.ts'
import type { TenantContext } from '../../../tenant/tenant-context.ts'
import { newSecret } from '../../new-secret.ts'
import { clientOrPublic } from '../client-authentication.ts'
import { idToken } from '../id-token.ts'
import { audienceOf } from '../resource-indicators.ts'
import {
  failMissingField,
  type GrantHandler,
  type TokenCall,
  tokenIn,
  tokenResponse,
} from '../token-response.ts'

/** RFC 6749 §4.1.3, with PKCE (RFC 7636 §4.6). */
export const authorizationCode: GrantHandler = async (call) => {
  const { context, request, body } = call
  const client = await clientOrPublic(context, request, body)
  mayUse(context.tenant.state, client, 'authorization_code')
  const next = refreshTokenFor(context, client)
  const events = context.tenant.run(redeemCode, {
    client,
    codeHash: hashSecret(body.code ?? failMissingField('code')),
    redirectUri: body.redirect_uri ?? failMissingField('redirect_uri'),
    proof: body.code_verifier && challengeOf(body.code_verifier),
    refreshHash: next && hashSecret(next),
    audience: audienceOf(context, body),
    details: body.authorization_details,
  })
  return userTokens(call, events, next)
}

/** The tokens of a device that its person has allowed; the grant is kept under the hash of its code. */
export const redeemDevice = (
  call: TokenCall,
  client: Client,
  codeHash: string,
): Promise<Answer> => {
  const next = refreshTokenFor(call.context, client)
  const events = call.context.tenant.run(redeemCode, {
    client,
    codeHash,
    redirectUri: '',
    refreshHash: next && hashSecret(next),
    audience: audienceOf(call.context, call.body),
  })
  return userTokens(call, events, next)
}

/** RFC 6749 §6. Each use replaces the refresh token. */
export const refreshToken: GrantHandler = async (call) => {
  const { context, request, body } = call
  const client = await clientOrPublic(context, request, body)
  mayUse(context.tenant.state, client, 'refresh_token')
  const next = newSecret(context, 'rt')
  const events = context.tenant.run(refresh, {
    client,
    usedHash: hashSecret(body.refresh_token ?? failMissingField('refresh_token')),
    refreshHash: hashSecret(next),
    scope: body.scope,
    audience: audienceOf(context, body),
    details: body.authorization_details,
  })
  return userTokens(call, events, next)
}

/** A reused code or refresh token yields no token, and all tokens derived from it are revoked. */
const userTokens = async (
  { context, request }: TokenCall,
  events: readonly Event[],
  next: string | undefined,
) => {
  const token: Token =
    tokenIn(events) ?? refuse({ error: 'invalid_grant', reason: 'it has been used before' })
  const openid = token.scope?.split(' ').includes('openid')
  return tokenResponse(context, token, request.path, {
    ...(next === undefined ? {} : { refresh_token: next }),
    ...(openid ? { id_token: await idToken(context, token, request.path) } : {}),
  })
}

const refreshTokenFor = (context: TenantContext, { grantTypes }: Client): string | undefined =>
  grantTypes === undefined || grantTypes.includes('refresh_token')
    ? newSecret(context, 'rt')
    : undefined

/** S256 (RFC 7636 §4.2). */
const challengeOf = (verifier: string) =>
  /^[A-Za-z0-9._~-]{43,128}$/.test(verifier)
    ? createHash('sha256').update(verifier).digest('base64url')
    : answerWith(400, 'invalid_grant', 'code_verifier: expected 43 to 128 unreserved characters')
