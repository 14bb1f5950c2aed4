import { basicAgentScopes } from '../../wire/documented-scopes.ts'
import type { AuthorizationDetail } from '../../wire/index.ts'
import { withinBudget } from '../budgets.ts'
import type { Decide } from '../decide.ts'
import type { Client, EventOf, Token } from '../event.ts'
import { refuse } from '../refusal.ts'
import type { State } from '../state.ts'
import { type Audience, lifetimeAt } from './audience.ts'
import { isAgent } from './clients.ts'

/** Lifetime of an ordinary access token, in seconds (CONTRACT.md#lifetimes). */
export const accessTokenLifetime = 3600

/**
 * The scope of agents that may act for users: as an actor, such an agent has all its registered
 * capabilities.
 */
export const delegateScope = 'delegate:on_behalf'

/** Issues a client's own token: authentication, without authorization details. */
export const issueClientToken: Decide<
  Readonly<{
    client: Client
    scope?: string | undefined
    audience?: Audience | undefined
    /** Latest `exp`, in epoch seconds. */
    until?: number | undefined
  }>,
  readonly [EventOf<'token.issued'>]
> = (state, { client, scope, audience, until }, { now, id }) => {
  const granted = grantedScope(scope === undefined ? client.capabilities : ownScopes(client), scope)
  const agentId = isAgent(client) ? client.id : undefined
  if (agentId !== undefined) withinBudget(state, agentId, 'tokens', now)
  const expiresAt = now + lifetimeAt(audience, agentId, accessTokenLifetime)
  return [
    {
      type: 'token.issued',
      token: {
        jti: id('jti'),
        kind: agentId === undefined ? 'client' : 'agent',
        sub: agentId === undefined ? client.clientId : `agent:${client.name}`,
        clientId: client.clientId,
        issuedAt: now,
        expiresAt: until === undefined ? expiresAt : Math.min(expiresAt, until),
        ...(agentId === undefined ? {} : { agentId }),
        ...(granted === '' ? {} : { scope: granted }),
        ...(audience === undefined ? {} : { audience: audience.names }),
      },
    },
  ]
}

/** The scopes that a client may request for itself; without `scope` it gets its capabilities only. */
const ownScopes = (client: Client): readonly string[] => [
  ...client.capabilities,
  ...(isAgent(client) ? basicAgentScopes : []),
  ...(isAgent(client) && client.mayDelegate ? [delegateScope] : []),
]

export type IssueUserToken = Readonly<{
  userId: string
  clientId: string
  scope?: string | undefined
  lifetime: number
  audience?: Audience | undefined
  details?: readonly AuthorizationDetail[] | undefined
  mayAct?: string | undefined
  grantId?: string | undefined
}>

/** Issues a user's own token, as after a sign-in. */
export const issueUserToken: Decide<IssueUserToken, readonly [EventOf<'token.issued'>]> = (
  _state,
  { userId, clientId, scope, lifetime, audience, details, mayAct, grantId },
  { now, id },
) => [
  {
    type: 'token.issued',
    token: {
      jti: id('jti'),
      kind: 'user',
      sub: userId,
      clientId,
      userId,
      issuedAt: now,
      expiresAt: now + lifetimeAt(audience, undefined, lifetime),
      ...(scope === undefined || scope === '' ? {} : { scope }),
      ...(audience === undefined ? {} : { audience: audience.names }),
      ...(details === undefined ? {} : { details }),
      ...(mayAct === undefined ? {} : { mayAct }),
      ...(grantId === undefined ? {} : { grantId }),
    },
  },
]

/** Revokes one token. An unknown, foreign or invalid token is not an error (RFC 7009 §2.2). */
export const revokeToken: Decide<Readonly<{ jti: string; clientId: string }>> = (
  state,
  { jti, clientId },
  { now },
) => {
  const token = findLiveToken(state, jti, now)
  if (token === undefined || token.clientId !== clientId) return []
  return [
    {
      type: 'token.revoked',
      jti,
      reason: 'revoked_by_client',
      ...(token.taskId === undefined ? {} : { taskId: token.taskId }),
    },
  ]
}

/** The token with this jti, unless it is revoked, expired or unknown. */
export const findLiveToken = (state: State, jti: string, now: number): Token | undefined => {
  const record = state.tokens.get(jti)
  if (record === undefined || record.revokedAt !== undefined) return undefined
  return now < record.token.expiresAt ? record.token : undefined
}

/**
 * The requested scopes, if all are registered; all registered scopes when none is requested.
 * @throws {Refused} `invalid_scope`
 */
export const grantedScope = (registered: readonly string[], asked: string | undefined): string => {
  const wanted = asked === undefined ? registered : asked.split(' ').filter((it) => it !== '')
  if (!wanted.every((scope) => registered.includes(scope))) {
    refuse({ error: 'invalid_scope', scope: asked ?? '', allowed: registered })
  }
  return [...new Set(wanted)].join(' ')
}
