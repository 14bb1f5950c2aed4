import type { AuthorizationDetail } from '../wire/index.ts'
import { type Audience, lifetimeAt } from './audience.ts'
import { withinBudget } from './budgets.ts'
import { isAgent } from './clients.ts'
import type { Decide } from './decide.ts'
import type { Client, EventOf, Token } from './event.ts'
import { refuse } from './refusal.ts'
import type { State } from './state.ts'

/** Seconds an ordinary access token lives (contract §3.2). */
export const accessTokenLifetime = 3600

/** What an agent that may act for users can ask for: as an actor it then has all it is registered for. */
export const delegateScope = 'delegate:on_behalf'

/** A client's own token: authentication, without any authorization details. */
export const issueClientToken: Decide<
  Readonly<{
    client: Client
    scope?: string | undefined
    audience?: Audience | undefined
    /** Epoch seconds beyond which it must not live. */
    until?: number | undefined
  }>,
  readonly [EventOf<'token.issued'>]
> = (state, { client, scope, audience, until }, { now, id }) => {
  const mayDelegate = scope !== undefined && isAgent(client) && client.mayDelegate
  const registered = mayDelegate ? [...client.capabilities, delegateScope] : client.capabilities
  const granted = grantedScope(registered, scope)
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

/** A person's own token, as a login would give. */
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

/** Kills one token. Unknown, foreign or dead ones are no error: nothing happens (RFC 7009 §2.2). */
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

/** The token with this jti, unless it is revoked, expired or was never issued here. */
export const findLiveToken = (state: State, jti: string, now: number): Token | undefined => {
  const record = state.tokens.get(jti)
  if (record === undefined || record.revokedAt !== undefined) return undefined
  return now < record.token.expiresAt ? record.token : undefined
}

/**
 * What was asked, if all of it is registered; everything registered if nothing was asked.
 * @throws {Refused} `invalid_scope`
 */
export const grantedScope = (registered: readonly string[], asked: string | undefined): string => {
  const wanted = asked === undefined ? registered : asked.split(' ').filter((it) => it !== '')
  if (!wanted.every((scope) => registered.includes(scope))) {
    refuse({ error: 'invalid_scope', scope: asked ?? '', allowed: registered })
  }
  return [...new Set(wanted)].join(' ')
}
