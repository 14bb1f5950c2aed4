import type { Decide } from './decide.ts'
import type { Agent, EventOf, Token } from './event.ts'
import { refuse } from './refusal.ts'
import type { State } from './state.ts'

/** Seconds an ordinary access token lives (contract §3.2). */
export const accessTokenLifetime = 3600

/** An agent's own token: authentication, without any authorization details. */
export const issueAgentToken: Decide<
  Readonly<{ agent: Agent; scope?: string | undefined }>,
  readonly [EventOf<'token.issued'>]
> = (_state, { agent, scope }, { now, id }) => {
  const granted = grantedScope(agent.capabilities, scope)
  return [
    {
      type: 'token.issued',
      token: {
        jti: id('jti'),
        kind: 'agent',
        sub: `agent:${agent.name}`,
        clientId: agent.clientId,
        agentId: agent.id,
        issuedAt: now,
        expiresAt: now + accessTokenLifetime,
        ...(granted === '' ? {} : { scope: granted }),
      },
    },
  ]
}

/** A person's own token, as a login would give. */
export const issueUserToken: Decide<
  Readonly<{ userId: string; clientId: string; scope?: string | undefined; lifetime: number }>,
  readonly [EventOf<'token.issued'>]
> = (_state, { userId, clientId, scope, lifetime }, { now, id }) => [
  {
    type: 'token.issued',
    token: {
      jti: id('jti'),
      kind: 'user',
      sub: userId,
      clientId,
      userId,
      issuedAt: now,
      expiresAt: now + lifetime,
      ...(scope === undefined ? {} : { scope }),
    },
  },
]

/** Kills one token. Unknown, foreign or dead ones are no error: nothing happens (RFC 7009 §2.2). */
export const revokeToken: Decide<Readonly<{ jti: string; clientId: string }>> = (
  state,
  { jti, clientId },
  { now },
) => {
  const token = liveToken(state, jti, now)
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
export const liveToken = (state: State, jti: string, now: number): Token | undefined => {
  const record = state.tokens.get(jti)
  if (record === undefined || record.revokedAt !== undefined) return undefined
  return now < record.token.expiresAt ? record.token : undefined
}

/** What was asked, if all of it is registered; everything registered if nothing was asked. */
const grantedScope = (registered: readonly string[], asked: string | undefined): string => {
  const wanted = asked === undefined ? registered : asked.split(' ').filter((it) => it !== '')
  if (!wanted.every((scope) => registered.includes(scope))) {
    refuse({ error: 'invalid_scope', scope: asked ?? '', allowed: registered })
  }
  return [...new Set(wanted)].join(' ')
}
