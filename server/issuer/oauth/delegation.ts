import { type Actor, type AuthorizationDetail, isNoWiderThanAny } from '../../wire/index.ts'
import { withinBudget } from '../budgets.ts'
import type { Decide } from '../decide.ts'
import type { Agent, EventOf, Token } from '../event.ts'
import { refuse } from '../refusal.ts'
import { grantedDetail } from '../requests.ts'
import type { RequestRecord, State } from '../state.ts'
import { requireActiveTask } from '../tasks.ts'
import { type Audience, lifetimeAt, narrowAudience } from './audience.ts'
import { scopeApproval } from './scopes.ts'
import { accessTokenLifetime, delegateScope, grantedScope } from './tokens.ts'

/** Maximum length of the delegation chain (CONTRACT.md#chains-of-actors). */
export const maxActors = 3

type Narrowing = Readonly<{
  scope?: string | undefined
  audience?: Audience | undefined
  details?: readonly AuthorizationDetail[] | undefined
}>

/**
 * Exchanges a user's token and an agent's token for a delegated one (RFC 8693 §1.1). The new token is
 * no wider, and lives no longer, than either of the two. It contains `authorization_details` only when
 * the request names them.
 */
export const delegate: Decide<
  Narrowing & Readonly<{ subject: Token; actor: Token }>,
  readonly [EventOf<'token.issued'>]
> = (state, { subject, actor, scope, audience, details = [] }, { now, id }) => {
  const user = subject.kind === 'user' || subject.kind === 'delegated' ? subject.userId : undefined
  if (user === undefined) refuseExchangeToken(state, 'subject_token: expected the token of a user')
  const agent = findActingAgent(state, actor)
  if (subject.mayAct !== undefined && subject.mayAct !== actor.sub) {
    refuse({
      error: 'delegation_not_allowed',
      reason: `only ${subject.mayAct} may act for this user (may_act)`,
    })
  }
  if (actorsIn(subject.act) + 1 > maxActors) {
    refuse({ error: 'delegation_depth_exceeded', maxDepth: maxActors })
  }
  const both = actorScopes(actor, agent).filter((it) => scopesOf(subject).includes(it))
  const granted = scope === undefined ? both : splitScope(scope)
  if (!granted.every((it) => both.includes(it))) {
    refuse({
      error: 'insufficient_scope',
      allowed: both,
      status: state.dialect.exchange_scope_status,
    })
  }
  refuseWider(subject, details)
  withinBudget(state, agent.id, 'tokens', now)
  const bound = delegatedAudience(state, subject, actor, agent)
  const names = narrowAudience(bound, audience)
  // Without `resource` the token has only the agent in `aud`, so the first API rejects it.
  const isOwn = audience === undefined && state.dialect.delegated_audience !== 'issuer_and_api'
  const lifetime = lifetimeAt(audience, agent.id, accessTokenLifetime)
  return [
    {
      type: 'token.issued',
      token: {
        jti: id('jti'),
        kind: 'delegated',
        sub: subject.sub,
        clientId: agent.clientId,
        agentId: agent.id,
        ...(user === undefined ? {} : { userId: user }),
        issuedAt: now,
        expiresAt: Math.min(subject.expiresAt, actor.expiresAt, now + lifetime),
        act: appendActor(subject.act, actor.sub, state.dialect.act_order),
        ...(granted.length === 0 ? {} : { scope: granted.join(' ') }),
        ...(isOwn
          ? { audience: [agent.id], ...(bound === undefined ? {} : { reach: bound }) }
          : names === undefined
            ? {}
            : { audience: names }),
        ...(details.length === 0 ? {} : { details }),
        ...(subject.grantId === undefined ? {} : { grantId: subject.grantId }),
      },
    },
  ]
}

/** Exchanges a token for a narrower one of the same subject; never for a wider one (TEX-13). */
export const narrow: Decide<
  Narrowing & Readonly<{ subject: Token }>,
  readonly [EventOf<'token.issued'>]
> = (state, { subject, scope, audience, details }, { now, id }) => {
  if (subject.kind === 'jit') refuseExchangeToken(state, 'a JIT token is not exchangeable')
  const held = scopesOf(subject)
  const granted = scope === undefined ? isReachable(held, audience) : splitScope(scope)
  if (!granted.every((it) => held.includes(it))) {
    refuse({ error: 'invalid_scope', scope: scope ?? '', allowed: held })
  }
  refuseWider(subject, details ?? [])
  if (subject.agentId !== undefined) withinBudget(state, subject.agentId, 'tokens', now)
  const narrowed = audience && narrowAudience(reachOf(state, subject), audience)
  const lifetime = lifetimeAt(audience, subject.agentId, accessTokenLifetime)
  const { scope: _, reach, ...others } = subject
  return [
    {
      type: 'token.issued',
      token: {
        ...others,
        jti: id('jti'),
        issuedAt: now,
        expiresAt: Math.min(subject.expiresAt, now + lifetime),
        ...(granted.length === 0 ? {} : { scope: granted.join(' ') }),
        ...(narrowed === undefined
          ? reach === undefined
            ? {}
            : { reach }
          : { audience: narrowed }),
        ...(details === undefined ? {} : { details }),
      },
    },
  ]
}

/**
 * The older JIT form: exchanges approved scopes for a token by the id of the task. As in the newer
 * form, this works once, and the token is exactly as wide as the approval, also in its audience
 * (CONTRACT.md#older-jit-form). The token lives no longer than approval, task and subject token.
 */
export const exchangeForTask: Decide<
  Readonly<{ subject: Token; taskId: string; scope?: string | undefined }>,
  readonly [EventOf<'token.issued'>]
> = (state, { subject, taskId, scope }, { now, id }) => {
  const { agentId = '' } = subject
  if (subject.kind === 'jit') refuseExchangeToken(state, 'a JIT token is not exchangeable')
  const { task } = requireActiveTask(state, taskId, agentId, now)
  const { status, scopes, approved } = scopeApproval(state, taskId, agentId, now)
  if (status !== 'approved') refuse({ error: 'request_not_approved', requestId: taskId, status })
  const asked = splitScope(grantedScope(scopes, scope))
  const fresh = approved.filter(
    ({ exchangedAt }) => exchangedAt === undefined || state.dialect.repeated_exchange === 'yes',
  )
  const last = fresh.at(-1) ?? refuse({ error: 'already_exchanged', requestId: taskId })
  const isEnough = (it: RequestRecord) =>
    asked.every((action) => grantedDetail(it).actions?.includes(action))
  const record = scope === undefined ? last : fresh.findLast(isEnough)
  if (record === undefined) {
    const allowed = grantedDetail(last).actions ?? []
    return refuse({ error: 'invalid_scope', scope: scope ?? '', allowed })
  }
  const { request, decided, exchangedAt } = record
  const detail = grantedDetail(record)
  const ttl = decided?.as === 'approved' ? decided.ttl : 0
  const start = exchangedAt ?? decided?.at ?? now
  const until = Math.min(start + ttl, task.expiresAt, subject.expiresAt)
  if (until <= now) {
    refuse({ error: 'request_not_approved', requestId: taskId, status: 'expired' })
  }
  const actions = scope === undefined ? [...(detail.actions ?? [])] : asked
  withinBudget(state, agentId, 'tokens', now)
  const token: Token = {
    jti: id('jti'),
    kind: 'jit',
    sub: `agent:${state.agents.get(agentId)?.name}:task:${taskId}`,
    clientId: subject.clientId,
    agentId,
    taskId,
    requestId: request.id,
    issuedAt: now,
    expiresAt: until,
    scope: actions.join(' '),
    detail: { ...detail, actions },
    ...(task.onBehalfOf === undefined ? {} : { userId: task.onBehalfOf }),
  }
  return [{ type: 'token.issued', token, taskId, requestId: request.id }]
}

/**
 * The maximum audience of a delegated token: the intersection of both tokens. A subject token whose
 * audience is the acting agent only authorizes the delegation; then the actor's token alone limits
 * the result (CONTRACT.md#delegation).
 */
const delegatedAudience = (
  state: State,
  subject: Token,
  { audience: bound }: Token,
  { id, clientId }: Agent,
): readonly string[] | undefined => {
  const held = reachOf(state, subject)
  if (held?.every((name) => name === id || name === clientId)) return bound
  if (held?.some((name) => isAgentName(state, name))) {
    refuseExchangeToken(state, 'subject_token: expected the acting agent alone in aud, or no agent')
  }
  if (held === undefined || bound === undefined) return held ?? bound
  const both = held.filter((name) => bound.includes(name))
  if (both.length > 0) return both
  return refuse({ error: 'invalid_target', reason: `expected a subset of ${bound.join(' ')}` })
}

/** What bounds the next exchange of a token: one addressed to its own agent is as wide as what it was made of. */
const reachOf = (state: State, { kind, agentId, audience, reach }: Token) => {
  const agent = kind === 'delegated' ? state.agents.get(agentId ?? '') : undefined
  const isOwn =
    agent !== undefined && audience?.every((it) => it === agent.id || it === agent.clientId)
  return isOwn ? reach : audience
}

const isAgentName = ({ agents }: State, name: string): boolean =>
  agents.has(name) || [...agents.values()].some(({ clientId }) => clientId === name)

const findActingAgent = (state: State, actor: Token): Agent => {
  const agent = actor.kind === 'agent' ? state.agents.get(actor.agentId ?? '') : undefined
  if (agent === undefined) {
    return refuseExchangeToken(state, "actor_token: expected an agent's own token")
  }
  if (!agent.mayDelegate) {
    refuse({ error: 'delegation_not_allowed', as: state.dialect.no_delegation })
  }
  return agent
}

/** TEX-03 and the delegation page give different codes. */
const refuseExchangeToken = (state: State, reason: string) =>
  refuse({ error: 'bad_exchange_token', as: state.dialect.exchange_bad_token, reason })

const refuseWider = ({ details: held = [] }: Token, asked: readonly AuthorizationDetail[]) => {
  const wider = asked.find((detail) => !isNoWiderThanAny(held, detail))
  if (wider !== undefined) {
    refuse({
      error: 'invalid_authorization_details',
      reason: 'expected a subset of the authorization_details of the subject token',
      detail: wider,
    })
  }
}

const scopesOf = ({ scope = '' }: Token): readonly string[] => splitScope(scope)
const splitScope = (scope: string) => [...new Set(scope.split(' ').filter((it) => it !== ''))]

/**
 * The maximum scopes of an actor: the agent's registered capabilities if its token has
 * `delegate:on_behalf`; else the scopes of the token (CONTRACT.md#delegation).
 */
const actorScopes = (actor: Token, { capabilities }: Agent): readonly string[] =>
  scopesOf(actor).includes(delegateScope) ? capabilities : scopesOf(actor)

/** For an MCP server, the held scopes that the server knows; otherwise all of them. */
const isReachable = (held: readonly string[], audience: Audience | undefined) => {
  const known = audience?.servers.flatMap(({ scopes }) => scopes) ?? []
  return known.length === 0 ? held : held.filter((scope) => known.includes(scope))
}

const actorsIn = (act: Actor | undefined): number => (act === undefined ? 0 : 1 + actorsIn(act.act))

/** LumoAuth adds a new actor innermost, RFC 8693 §4.1 outermost (CONTRACT.md#chains-of-actors). */
const appendActor = (chain: Actor | undefined, sub: string, order: 'lumo' | 'rfc8693'): Actor => {
  if (chain === undefined) return { sub }
  if (order === 'rfc8693') return { sub, act: chain }
  return { sub: chain.sub, act: appendActor(chain.act, sub, order) }
}
