import { approvalObstacle, permissionsOf, personObstacle } from '../../../issuer/authority.ts'
import type { Agent, User } from '../../../issuer/event.ts'
import { accessTokenLifetime } from '../../../issuer/tokens.ts'
import { hashSecret } from '../../../signing/secrets.ts'
import type { AccessTokenClaims, Route } from '../../../wire/index.ts'
import { bearerToken } from '../../authorization-field.ts'
import { issuerOf } from '../../issuer-urls.ts'
import type { HttpRequest } from '../../message.ts'
import { answerWith } from '../../refusals.ts'
import type { TenantContext } from '../../tenant-context.ts'
import { type LiveToken, verifyForIssuer, verifyOwn } from './access-token.ts'

/** Who a live access token stands for. A delegated one stands for its agent and for a user. */
export type Principal = Readonly<{
  agent?: Agent | undefined
  user?: User | undefined
  /** An agent holds the token, whoever its subject is. */
  agentHeld: boolean
  /** What the bearer may do in this tenant: a person's own permissions, never through an agent. */
  permissions: readonly string[]
  /** Why the token cannot answer what its user is asked; undefined: it can. */
  personObstacle: string | undefined
  /** Why the token can neither list nor decide permission requests; undefined: it can. */
  approvalObstacle: string | undefined
  claims: AccessTokenClaims
  jti: string
  /** The task that a JIT token belongs to: it authenticates for nothing else. */
  jitTaskId?: string | undefined
  /** An API key in place of a token. */
  isKey?: true
}>

/**
 * The bearer of a request (RFC 6750 §2.1).
 * @throws {HttpError} 401 with a challenge: without `error` where no token came (§3.1)
 */
export const bearer = async (
  context: TenantContext,
  request: HttpRequest,
  jitToken?: Route['jitToken'],
): Promise<Principal> => {
  const jwt = bearerToken(request)
  const key = apiKeyIn(request)
  if (jwt === undefined && key === undefined) {
    answerWith(401, 'missing_token', 'expected Authorization: Bearer', {}, wantsBearer(context))
  }
  if (jwt !== undefined && key !== undefined) {
    answerWith(400, 'invalid_request', 'expected a bearer token or an API key, not both')
  }
  const known = key ?? (isJwt(jwt as string) ? undefined : jwt)
  if (known !== undefined) return keyHolder(context, known)
  const jit = jitToken === undefined ? undefined : await verifyOwn(context, jwt as string)
  if (jit?.token.kind === 'jit') {
    if (jitToken === 'own_task') return principalOf(context, jit)
    answerWith(
      403,
      'access_denied',
      'a JIT token cannot be used here: expected the token of the agent',
    )
  }
  const live = await verifyForIssuer(context, jwt as string)
  // A JIT token is for what it was approved for, even where its details name the issuer as a place.
  if (live === undefined || live.token.kind === 'jit') return refuseToken(context)
  return principalOf(context, live)
}

/**
 * @throws {HttpError} as `bearer`, to an API key of no agent too (README of lumoauth 1.1.0,
 * "Authentication"); 403 when it is not an agent that asks
 */
export const agentBearer = async (
  context: TenantContext,
  request: HttpRequest,
  jitToken?: Route['jitToken'],
): Promise<Principal & { agent: Agent }> => {
  const principal = await bearer(context, request, jitToken)
  const { agent } = principal
  if (agent === undefined && principal.isKey) return refuseToken(context)
  if (agent === undefined)
    return answerWith(403, 'agent_required', 'expected the token of an agent')
  return { ...principal, agent }
}

/** `X-API-Key`, or the older `Authorization: ApiKey` (contract §2). */
const apiKeyIn = ({ headers }: HttpRequest): string | undefined =>
  headers['x-api-key'] ?? /^apikey +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]

/** Some clients send their key as a bearer token. */
const isJwt = (token: string) => token.split('.').length === 3

/** A key is looked up by its hash, so it takes the same time whether it is known or not. */
const keyHolder = (context: TenantContext, text: string): Principal => {
  const { state, clock } = context.tenant
  const key = state.apiKeys.get(hashSecret(text))
  if (key === undefined) return refuseToken(context)
  const agent = key.agentId === undefined ? undefined : state.agents.get(key.agentId)
  const iss = issuerOf(context)
  const now = clock.now()
  return {
    agent,
    agentHeld: agent !== undefined,
    permissions: key.permissions.filter((it) => it !== 'jit.approve'),
    personObstacle: 'an API key cannot decide',
    approvalObstacle: 'an API key cannot decide',
    jti: `key:${key.name}`,
    isKey: true,
    claims: {
      iss,
      sub: agent === undefined ? `key:${key.name}` : `agent:${agent.name}`,
      aud: iss,
      client_id: agent?.clientId ?? key.name,
      iat: now,
      exp: now + accessTokenLifetime,
      jti: `key:${key.name}`,
      scope: [...(agent?.capabilities ?? []), ...key.permissions].join(' '),
    },
  }
}

/** @throws {HttpError} always the same, whatever is wrong with the token */
export const refuseToken = (context: TenantContext): never => {
  const description = 'the token is malformed, expired, revoked, or not for this issuer'
  const challenge = wantsBearer(
    context,
    `, error="invalid_token", error_description="${description}"`,
  )
  return answerWith(401, 'invalid_token', description, {}, challenge)
}

const wantsBearer = ({ tenant }: TenantContext, more = '') => ({
  'www-authenticate': `Bearer realm="${tenant.slug}"${more}`,
})

const principalOf = ({ tenant }: TenantContext, { token, claims }: LiveToken): Principal => {
  const { agents, users } = tenant.state
  const user = token.userId === undefined ? undefined : users.get(token.userId)
  const agent = token.agentId === undefined ? undefined : agents.get(token.agentId)
  const agentHeld = token.agentId !== undefined
  return {
    agent,
    user,
    agentHeld,
    permissions: permissionsOf(tenant.state, token),
    personObstacle: personObstacle(tenant.state, token),
    approvalObstacle: approvalObstacle(tenant.state, token),
    claims,
    jti: token.jti,
    ...(token.kind === 'jit' ? { jitTaskId: token.taskId } : {}),
  }
}
