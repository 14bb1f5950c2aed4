import type { Agent, User } from '../../../issuer/event.ts'
import { approvalObstacle, permissionsOf, personObstacle } from '../../../issuer/oauth/authority.ts'
import { accessTokenLifetime } from '../../../issuer/oauth/tokens.ts'
import { hashSecret } from '../../../signing/secrets.ts'
import type { AccessTokenClaims, Route } from '../../../wire/index.ts'
import { bearerToken } from '../../authorization-field.ts'
import type { HttpRequest } from '../../message.ts'
import { issuerOf } from '../../origin/issuer-urls.ts'
import { answerWith } from '../../refusals.ts'
import type { TenantContext } from '../../tenant/tenant-context.ts'
import { type LiveToken, verifyForIssuer, verifyOwn } from './access-token.ts'

/** The principal of a valid access token. A delegated token has an agent and a user. */
export type Principal = Readonly<{
  agent?: Agent | undefined
  user?: User | undefined
  /** Whether an agent holds the token, regardless of its `sub`. */
  agentHeld: boolean
  /** Permissions of the bearer in this tenant: a user's own, never through an agent. */
  permissions: readonly string[]
  /** Why the token cannot answer in place of its user; undefined when it can. */
  personObstacle: string | undefined
  /** Why the token can neither list nor decide permission requests; undefined when it can. */
  approvalObstacle: string | undefined
  claims: AccessTokenClaims
  jti: string
  /** The task of a JIT token. The token authenticates for this task only. */
  jitTaskId?: string | undefined
  /** Whether the credential is an API key instead of a token. */
  isKey?: true
  /** The user who created the API key. */
  keyOwner?: User | undefined
}>

/**
 * Authenticates the bearer of a request (RFC 6750 §2.1).
 * @throws {HttpError} 401 with a challenge; without `error` when the request has no token (§3.1)
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
      'a JIT token is not accepted by this route: expected the token of the agent',
    )
  }
  const live = await verifyForIssuer(context, jwt as string)
  // `locations` never makes a JIT token valid at the issuer.
  if (live === undefined || live.token.kind === 'jit') return refuseToken(context)
  return principalOf(context, live)
}

/**
 * Authenticates an agent.
 * @throws {HttpError} as `bearer`, also for an API key without an agent (README of lumoauth 1.1.0,
 * "Authentication"); 403 when the bearer is not an agent
 */
export const agentBearer = async (
  context: TenantContext,
  request: HttpRequest,
  jitToken?: Route['jitToken'],
): Promise<Principal & { agent: Agent }> => {
  const principal = await bearer(context, request, jitToken)
  const { agent } = principal
  if (agent === undefined && principal.isKey) return refuseKeyOfNoAgent(context)
  if (agent === undefined)
    return answerWith(403, 'agent_required', 'expected the token of an agent')
  return { ...principal, agent }
}

/** An API key in `X-API-Key`, or in the older `Authorization: ApiKey` (CONTRACT.md#credentials). */
const apiKeyIn = ({ headers }: HttpRequest): string | undefined =>
  headers['x-api-key'] ?? /^apikey +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]

/** Some clients send an API key as a bearer token. */
const isJwt = (token: string) => token.split('.').length === 3

/** Looks a key up by its hash, so a known and an unknown key take the same time. */
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
    keyOwner: state.users.get(key.userId ?? ''),
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

/** @throws {HttpError} the same 401 for every invalid token */
export const refuseToken = (
  context: TenantContext,
  description = 'the token is malformed, expired, revoked, or not for this issuer',
): never => {
  const challenge = wantsBearer(
    context,
    `, error="invalid_token", error_description="${description}"`,
  )
  return answerWith(401, 'invalid_token', description, {}, challenge)
}

/** @throws {HttpError} 401 for an API key where an agent or a user is required */
export const refuseKeyOfNoAgent = (context: TenantContext): never =>
  refuseToken(context, 'the API key is not of an agent: expected the token of an agent')

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
