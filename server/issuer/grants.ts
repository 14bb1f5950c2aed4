import { type AuthorizationDetail, identityScopes, isNoWiderThanAny } from '../wire/index.ts'
import { type Audience, narrowAudience } from './audience.ts'
import { isPublic, mayUse, refuseBeyondSelfRegistered } from './clients.ts'
import type { Context, Decide } from './decide.ts'
import type { Client, Event, EventOf, Grant, PushedRequest } from './event.ts'
import { refuse } from './refusal.ts'
import { refuseUnusable } from './requests.ts'
import type { GrantRecord, State } from './state.ts'
import { accessTokenLifetime, grantedScope, issueUserToken } from './tokens.ts'

/** Seconds an authorization code and a refresh token are good (contract §3.2). */
export const codeLifetime = 600
export const refreshLifetime = 30 * 86_400

/** What a client asks of a person, read but not yet believed. */
export type Asked = Readonly<{
  responseType?: string | undefined
  responseMode?: string | undefined
  scope?: string | undefined
  challenge?: string | undefined
  challengeMethod?: string | undefined
  prompt?: string | undefined
  /** The name or id of the one agent that may act for the person. */
  actor?: string | undefined
  details?: readonly AuthorizationDetail[] | undefined
}>

/** What the person is shown. */
export type CheckedRequest = Readonly<{ scope: string; challenge?: string; mayAct?: string }>

/** @throws {Refused} what the client should hear of by redirect */
export const soundRequest = (state: State, client: Client, asked: Asked): CheckedRequest => {
  mayUse(state, client, 'authorization_code')
  if (asked.responseType !== 'code') {
    refuse({ error: 'unsupported_response_type', reason: 'expected response_type=code' })
  }
  if (asked.responseMode !== undefined && asked.responseMode !== 'query') {
    refuse({ error: 'invalid_request', reason: 'expected response_mode=query' })
  }
  if (asked.prompt?.split(' ').includes('none')) {
    refuse({ error: 'login_required', reason: 'nobody is signed in without being asked' })
  }
  const { challenge, challengeMethod } = asked
  if (challenge === undefined && (state.dialect.pkce === 'all' || isPublic(client))) {
    refuse({ error: 'invalid_request', reason: 'expected a code_challenge (RFC 7636)' })
  }
  if (challenge !== undefined && challengeMethod !== 'S256') {
    refuse({ error: 'invalid_request', reason: 'expected code_challenge_method=S256' })
  }
  if (challenge !== undefined && !/^[A-Za-z0-9_-]{43}$/.test(challenge)) {
    refuse({ error: 'invalid_request', reason: 'code_challenge: expected 43 base64url characters' })
  }
  for (const detail of asked.details ?? []) refuseUnusable(state, detail)
  const scope = grantedScope([...client.capabilities, ...identityScopes], asked.scope ?? 'openid')
  return {
    scope,
    ...(challenge === undefined ? {} : { challenge }),
    ...(asked.actor === undefined ? {} : { mayAct: actorNamed(state, asked.actor) }),
  }
}

/** Seconds a pushed request is good. */
export const pushLifetime = 90

/** A client sends its request ahead, so that it does not pass through the browser (RFC 9126). */
export const pushRequest: Decide<
  Omit<PushedRequest, 'expiresAt'>,
  readonly [EventOf<'authorization.pushed'>]
> = (state, request, { now }) => {
  refuseBeyondSelfRegistered(state, 'pushed_requests', request, state.pushed.values())
  return [{ type: 'authorization.pushed', pushed: { ...request, expiresAt: now + pushLifetime } }]
}

/** A person says yes. */
export const giveGrant: Decide<
  Omit<Grant, 'id' | 'givenAt' | 'codeExpiresAt'>,
  readonly [EventOf<'grant.given'>]
> = (state, given, { now, id }) => {
  refuseBeyondSelfRegistered(state, 'grants', given, grantsOf(state))
  const grant = { ...given, id: id('grant'), givenAt: now, codeExpiresAt: now + codeLifetime }
  return [{ type: 'grant.given', grant }]
}

function* grantsOf({ grants }: State): Generator<Grant> {
  for (const { grant } of grants.values()) yield grant
}

/** What a token request may say to have less than was consented to (RAR-09). */
type RedeemedGrant = Readonly<{
  scope?: string | undefined
  audience?: Audience | undefined
  details?: readonly AuthorizationDetail[] | undefined
  /** The SHA-256 of the refresh token to come; absent: none is given. */
  refreshHash?: string | undefined
}>

export type RedeemCode = RedeemedGrant &
  Readonly<{
    client: Client
    codeHash: string
    redirectUri?: string | undefined
    /** What the `code_verifier` comes to by S256. */
    proof?: string | undefined
  }>

/**
 * The code becomes tokens, once. Without a `token.issued` among the events it was the second time,
 * and what came of the first is revoked (RFC 6749 §4.1.2).
 */
export const redeemCode: Decide<RedeemCode> = (state, command, context) => {
  const { client, codeHash, redirectUri, proof } = command
  const record = grantOf(state, state.codes.get(codeHash), client)
  const { grant, redeemed } = record ?? refuseGrant('the code is unknown, expired or not yours')
  if (redeemed) return revocation(record as GrantRecord, 'code_reused')
  if (context.now >= grant.codeExpiresAt) {
    refuseGrant('the code is unknown, expired or not yours')
  }
  if (redirectUri !== grant.redirectUri) {
    refuseGrant('redirect_uri: expected the one the code was sent to')
  }
  if (proof !== grant.challenge) {
    refuseGrant('code_verifier: expected the one of the code_challenge, if there was one')
  }
  return [
    { type: 'grant.redeemed', grantId: grant.id },
    ...tokensOf(state, grant, command, context),
  ]
}

export type Refresh = RedeemedGrant &
  Readonly<{
    client: Client
    /** Of the refresh token that is used up. */
    usedHash: string
  }>

/**
 * A new pair of tokens; the old refresh token is void. Without a `token.issued` among the events
 * it was void already: somebody has stolen it, so the whole grant is revoked (RFC 9700 §4.14.2).
 */
export const refresh: Decide<Refresh> = (state, command, context) => {
  const { client, usedHash } = command
  const record =
    grantOf(state, state.refreshTokens.get(usedHash), client) ??
    refuseGrant('the refresh token is unknown, expired, revoked or not yours')
  if (record.refresh?.hash !== usedHash) return revocation(record, 'refresh_token_reused')
  if (context.now >= record.refresh.expiresAt) {
    refuseGrant('the refresh token is unknown, expired, revoked or not yours')
  }
  return tokensOf(state, record.grant, command, context)
}

/** Kills a grant by one of its refresh tokens, and all that was drawn from it (REV-05). */
export const revokeGrant: Decide<Readonly<{ refreshHash: string; clientId: string }>> = (
  state,
  { refreshHash, clientId },
) => {
  const record = grantOf(state, state.refreshTokens.get(refreshHash), { clientId })
  return record === undefined ? [] : revocation(record, 'grant_revoked')
}

/** The grant of a refresh token that is good. */
export const findLiveGrant = (
  state: State,
  refreshHash: string,
  now: number,
): GrantRecord | undefined => {
  const record = state.grants.get(state.refreshTokens.get(refreshHash) ?? '')
  const good =
    record?.revoked === false &&
    record.refresh?.hash === refreshHash &&
    now < record.refresh.expiresAt
  return good ? record : undefined
}

const tokensOf = (
  state: State,
  grant: Grant,
  { scope, audience, details, refreshHash }: RedeemedGrant,
  context: Context,
): readonly Event[] => {
  if (details !== undefined && !details.every((it) => isNoWiderThanAny(grant.details ?? [], it))) {
    refuse({
      error: 'invalid_authorization_details',
      reason: 'expected at most what was consented to',
    })
  }
  const names = narrowAudience(grant.audience, audience)
  const narrowed = details ?? grant.details
  const tokens = issueUserToken(
    state,
    {
      userId: grant.userId,
      clientId: grant.clientId,
      scope: scope === undefined ? grant.scope : grantedScope(grant.scope.split(' '), scope),
      lifetime: accessTokenLifetime,
      audience: names && { names, servers: audience?.servers ?? [] },
      details: narrowed,
      mayAct: grant.mayAct,
      grantId: grant.id,
    },
    context,
  )
  if (refreshHash === undefined) return tokens
  return [
    ...tokens,
    {
      type: 'grant.refreshable',
      grantId: grant.id,
      refreshHash,
      expiresAt: context.now + refreshLifetime,
    },
  ]
}

const grantOf = (
  state: State,
  grantId: string | undefined,
  { clientId }: Pick<Client, 'clientId'>,
): GrantRecord | undefined => {
  const record = grantId === undefined ? undefined : state.grants.get(grantId)
  return record !== undefined && !record.revoked && record.grant.clientId === clientId
    ? record
    : undefined
}

const revocation = (
  { grant, tokens }: GrantRecord,
  reason: EventOf<'grant.revoked'>['reason'],
): readonly Event[] => [
  ...[...tokens].map((jti): Event => ({ type: 'token.revoked', jti, reason })),
  { type: 'grant.revoked', grantId: grant.id, reason },
]

const refuseGrant = (reason: string) => refuse({ error: 'invalid_grant', reason })

/** The `sub` of an agent by any of its names. */
const actorNamed = ({ agents }: State, name: string): string => {
  const agent = [...agents.values()].find(
    (it) => [it.id, it.name, it.clientId, `agent:${it.name}`].includes(name) && !it.resourceServer,
  )
  return agent === undefined
    ? refuse({ error: 'invalid_request', reason: 'requested_actor: expected an agent' })
    : `agent:${agent.name}`
}
