import type { Token } from '../../../issuer/event.ts'
import { findLiveToken } from '../../../issuer/oauth/tokens.ts'
import type { Tenant } from '../../../issuer/tenant.ts'
import { accessTokenHeader, type Header, signJwt } from '../../../signing/sign.ts'
import { verifyAccessToken } from '../../../signing/verify.ts'
import type { AccessTokenClaims } from '../../../wire/index.ts'
import { issuerOf, issuersOf, namesOf } from '../../origin/issuer-urls.ts'
import type { TenantContext } from '../../tenant/tenant-context.ts'

/** The JWT of an issued token, with the URLs of the request's prefix. */
export const accessToken = (
  context: TenantContext,
  token: Token,
  requestPath?: string,
): Promise<string> =>
  signJwt(
    context.keys.current,
    claimsOf(context, token, requestPath),
    headers[context.tenant.state.dialect.token_typ],
  )

const headers: Readonly<Record<'at+jwt' | 'JWT', Header>> = {
  'at+jwt': accessTokenHeader,
  JWT: { typ: 'JWT' },
}

/** RFC 9068 §2.2, and LumoAuth's own claims (CONTRACT.md#token-claims). */
export const claimsOf = (
  context: TenantContext,
  token: Token,
  requestPath?: string,
): AccessTokenClaims => {
  const { state, slug } = context.tenant
  const iss = issuerOf(context, requestPath)
  const agent = token.agentId === undefined ? undefined : state.agents.get(token.agentId)
  const task = token.taskId === undefined ? undefined : state.tasks.get(token.taskId)?.task
  return {
    iss,
    sub: token.sub,
    aud: audienceOf(context, token, iss),
    client_id: token.clientId,
    iat: token.issuedAt,
    exp: token.expiresAt,
    jti: token.jti,
    tenant: slug,
    ...(token.scope === undefined ? {} : { scope: token.scope }),
    ...(agent === undefined ? {} : { agent_id: agent.id, agent_name: agent.name }),
    ...(token.act === undefined ? {} : { act: token.act }),
    ...(token.mayAct === undefined ? {} : { may_act: { sub: token.mayAct } }),
    ...(token.details === undefined ? {} : { authorization_details: [...token.details] }),
    ...(token.kind !== 'jit'
      ? {}
      : {
          jit: true as const,
          task_id: token.taskId,
          parent_task_id: task?.parentId ?? null,
          jit_request_id: token.requestId,
          authorization_details: token.detail === undefined ? [] : [token.detail],
          ...(task?.onBehalfOf === undefined ? {} : { on_behalf_of: task.onBehalfOf }),
        }),
  }
}

/**
 * The audience of an ordinary token is the issuer and the API, unless the request named another (RFC
 * 8707 §2).
 */
const audienceOf = (context: TenantContext, token: Token, iss: string): string | string[] => {
  if (token.kind === 'jit') return jitAudience(context, token)
  if (token.audience === undefined) return [iss, context.origins.api]
  const [first = iss, ...others] = token.audience
  return others.length === 0 ? first : [first, ...others]
}

/** The audience of a JIT token: the `locations` of its details; without them, the API of this tenant. */
const jitAudience = (
  { origins }: TenantContext,
  { detail, audience }: Token,
): string | string[] => {
  if (audience !== undefined) return audience.length === 1 ? String(audience[0]) : [...audience]
  const places = (detail?.locations ?? []).flatMap((place) =>
    place === origins.api || place.startsWith(`${origins.api}/`)
      ? origins.api
      : URL.canParse(place)
        ? new URL(place).origin
        : [],
  )
  const [first = origins.api, ...others] = new Set(places)
  return others.length === 0 ? first : [first, ...others]
}

/**
 * Two tenants with the same seed may share an issuer and ids, and so may a deleted tenant and the one
 * created in its place; so the other claims must match as well.
 */
const isOf = ({ slug }: Tenant, token: Token, claims: AccessTokenClaims): boolean =>
  (claims.tenant === undefined || claims.tenant === slug) &&
  claims.sub === token.sub &&
  claims.client_id === token.clientId &&
  claims.iat >= token.issuedAt

export type LiveToken = Readonly<{ token: Token; claims: AccessTokenClaims }>

/** Verifies a token of this tenant: signed, not expired, not revoked. Undefined for any other. */
export const verifyOwn = async (
  context: TenantContext,
  jwt: string,
  audience?: readonly string[],
): Promise<LiveToken | undefined> => {
  const { tenant, keys } = context
  try {
    const claims = await verifyAccessToken(jwt, {
      issuers: issuersOf(context),
      keys: keys.findKeys,
      now: tenant.clock.now(),
      types: tenant.state.dialect.token_typ === 'JWT' ? ['at+jwt', 'JWT'] : ['at+jwt'],
      ...(audience === undefined ? {} : { audience }),
    })
    const token = findLiveToken(tenant.state, claims.jti, tenant.clock.now())
    return token && isOf(tenant, token, claims) ? { token, claims } : undefined
  } catch {
    return undefined
  }
}

/** As `verifyOwn`, of a token that is for this issuer: by its name, or for the agent that acts by it. */
export const verifyForIssuer = async (
  context: TenantContext,
  jwt: string,
): Promise<LiveToken | undefined> => {
  const live = await verifyOwn(context, jwt)
  if (live === undefined) return undefined
  const { kind, agentId = '', reach } = live.token
  const audience = [live.claims.aud].flat()
  const names = [...issuersOf(context), ...namesOf(context.origins, 'issuer')]
  const isNamed = (places: readonly string[]) => places.some((it) => names.includes(it))
  // What it was made of may have been for another place only.
  const isOwn =
    kind === 'delegated' && audience.includes(agentId) && (reach === undefined || isNamed(reach))
  return isOwn || isNamed(audience) ? live : undefined
}
