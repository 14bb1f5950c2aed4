import { readPermissionsScope } from '../../wire/documented-scopes.ts'
import { type AuthorizationDetail, identityScopes, isNoWiderThanAny } from '../../wire/index.ts'
import type { Context, Decide } from '../decide.ts'
import type { Client, Event, EventOf, Grant, PushedRequest } from '../event.ts'
import { refuse } from '../refusal.ts'
import { refuseUnusable } from '../requests.ts'
import type { GrantRecord, State } from '../state.ts'
import { type Audience, narrowAudience } from './audience.ts'
import { isPublic, mayUse, refuseBeyondSelfRegistered } from './clients.ts'
import { accessTokenLifetime, grantedScope, issueUserToken } from './tokens.ts'

/** Lifetime of an authorization code and of a refresh token, in seconds (CONTRACT.md#lifetimes). */
export const codeLifetime = 600
export const refreshLifetime = 30 * 86_400

/** An authorization request, parsed but not yet validated. */
export type Asked = Readonly<{
  responseType?: string | undefined
  responseMode?: string | undefined
  scope?: string | undefined
  challenge?: string | undefined
  challengeMethod?: string | undefined
  prompt?: string | undefined
  /** Name or id of the only agent that may act for the user. */
  actor?: string | undefined
  details?: readonly AuthorizationDetail[] | undefined
}>

/** The validated request, as the user sees it. */
export type CheckedRequest = Readonly<{ scope: string; challenge?: string; mayAct?: string }>

/** @throws {Refused} errors that the client receives by redirect */
export const soundRequest = (state: State, client: Client, asked: Asked): CheckedRequest => {
  mayUse(state, client, 'authorization_code')
  if (asked.responseType !== 'code') {
    refuse({ error: 'unsupported_response_type', reason: 'expected response_type=code' })
  }
  if (asked.responseMode !== undefined && asked.responseMode !== 'query') {
    refuse({ error: 'invalid_request', reason: 'expected response_mode=query' })
  }
  if (asked.prompt?.split(' ').includes('none')) {
    refuse({
      error: 'login_required',
      reason: 'expected a prompt other than none: there are no sessions',
    })
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
  const offered = [...client.capabilities, ...identityScopes, readPermissionsScope]
  const scope = grantedScope(offered, asked.scope ?? 'openid')
  return {
    scope,
    ...(challenge === undefined ? {} : { challenge }),
    ...(asked.actor === undefined ? {} : { mayAct: actorNamed(state, asked.actor) }),
  }
}

/** Lifetime of a pushed request, in seconds. */
export const pushLifetime = 90

/** Stores a pushed authorization request, which therefore does not pass through the browser (RFC 9126). */
export const pushRequest: Decide<
  Omit<PushedRequest, 'expiresAt'>,
  readonly [EventOf<'authorization.pushed'>]
> = (state, request, { now }) => {
  refuseBeyondSelfRegistered(state, 'pushed_requests', request, state.pushed.values())
  return [{ type: 'authorization.pushed', pushed: { ...request, expiresAt: now + pushLifetime } }]
}

/**
 * Marks a pushed request as decided: its `request_uri` is valid once (RFC 9126 §4). A reload of the page
 * before the decision is allowed.
 * @throws {Refused} when it was decided before
 */
export const usePushedRequest: Decide<Readonly<{ uri: string | undefined }>> = (
  { pushed },
  { uri = '' },
) => {
  const record = pushed.get(uri)
  if (record === undefined) return []
  if (record.used) {
    refuse({
      error: 'authorization_request',
      as: 'invalid_request_uri',
      reason: 'request_uri: it is used',
    })
  }
  return [{ type: 'authorization.used', uri }]
}

/** Records a user's consent. */
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

/** The parameters with which a token request narrows the consent (RAR-09). */
type RedeemedGrant = Readonly<{
  scope?: string | undefined
  audience?: Audience | undefined
  details?: readonly AuthorizationDetail[] | undefined
  /** SHA-256 of the new refresh token. Absent: none is issued. */
  refreshHash?: string | undefined
}>

export type RedeemCode = RedeemedGrant &
  Readonly<{
    client: Client
    codeHash: string
    redirectUri?: string | undefined
    /** The `code_verifier`, hashed by S256. */
    proof?: string | undefined
  }>

/**
 * Exchanges the code for tokens, once. When the events have no `token.issued`, the code was reused, and
 * all tokens from it are revoked (RFC 6749 §4.1.2).
 */
export const redeemCode: Decide<RedeemCode> = (state, command, context) => {
  const { client, codeHash, redirectUri, proof } = command
  const record = grantOf(state, state.codes.get(codeHash), client)
  const { grant, redeemed } =
    record ?? refuseGrant('the code is unknown, expired or of another client')
  if (redeemed) return revocation(record as GrantRecord, 'code_reused')
  if (context.now >= grant.codeExpiresAt) {
    refuseGrant('the code is unknown, expired or of another client')
  }
  if (redirectUri !== grant.redirectUri) {
    refuseGrant('redirect_uri: expected the redirect_uri of the authorization request')
  }
  if (proof !== grant.challenge) {
    refuseGrant('code_verifier: expected the verifier of the code_challenge')
  }
  return [
    { type: 'grant.redeemed', grantId: grant.id },
    ...tokensOf(state, grant, command, context),
  ]
}

export type Refresh = RedeemedGrant &
  Readonly<{
    client: Client
    /** SHA-256 of the refresh token in the request. */
    usedHash: string
  }>

/**
 * Issues a new pair of tokens and invalidates the refresh token. When the events have no
 * `token.issued`, the refresh token was reused, which indicates theft, so the whole grant is revoked
 * (RFC 9700 §4.14.2).
 */
export const refresh: Decide<Refresh> = (state, command, context) => {
  const { client, usedHash } = command
  const record =
    grantOf(state, state.refreshTokens.get(usedHash), client) ??
    refuseGrant('the refresh token is unknown, expired, revoked or of another client')
  if (!isCurrent(record, usedHash) && !isRetry(state, record, usedHash, context.now)) {
    return revocation(record, 'refresh_token_reused')
  }
  if (context.now >= (record.refresh?.expiresAt ?? 0)) {
    refuseGrant('the refresh token is unknown, expired, revoked or of another client')
  }
  return tokensOf(state, record.grant, command, context)
}

const isCurrent = ({ refresh }: GrantRecord, hash: string): boolean =>
  refresh?.hash === hash || refresh?.siblings?.includes(hash) === true

/** Seconds within which a used refresh token gets tokens again in the dialect `grace`. */
const refreshGrace = 30

/** Whether the client repeats its last refresh, for instance because the answer was lost. */
const isRetry = (
  { dialect }: State,
  { refresh: { replaced } = { hash: '', expiresAt: 0 } }: GrantRecord,
  usedHash: string,
  now: number,
): boolean =>
  dialect.refresh_reuse === 'grace' &&
  replaced?.hash === usedHash &&
  now < replaced.at + refreshGrace

/** Revokes the grant of a refresh token, and all tokens derived from it (REV-05). */
export const revokeGrant: Decide<Readonly<{ refreshHash: string; clientId: string }>> = (
  state,
  { refreshHash, clientId },
) => {
  const record = grantOf(state, state.refreshTokens.get(refreshHash), { clientId })
  return record === undefined ? [] : revocation(record, 'grant_revoked')
}

/** The grant of a valid refresh token. */
export const findLiveGrant = (
  state: State,
  refreshHash: string,
  now: number,
): GrantRecord | undefined => {
  const record = state.grants.get(state.refreshTokens.get(refreshHash) ?? '')
  const good =
    record?.revoked === false &&
    isCurrent(record, refreshHash) &&
    now < (record.refresh?.expiresAt ?? 0)
  return good ? record : undefined
}

const tokensOf = (
  state: State,
  grant: Grant,
  { scope, audience, details, refreshHash, usedHash }: RedeemedGrant & Partial<Refresh>,
  context: Context,
): readonly Event[] => {
  if (details !== undefined && !details.every((it) => isNoWiderThanAny(grant.details ?? [], it))) {
    refuse({
      error: 'invalid_authorization_details',
      reason: 'expected a subset of the authorization_details the user consented to',
    })
  }
  const names = narrowAudience(grant.audience, audience)
  const narrowed = details ?? grant.details
  const tokens = issueUserToken(
    state,
    {
      userId: grant.userId,
      clientId: grant.clientId,
      scope: grantedScope(grant.scope.split(' '), scope),
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
      ...(usedHash === undefined ? {} : { usedHash }),
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

/** The `sub` of an agent, found by any of its names. */
const actorNamed = ({ agents }: State, name: string): string => {
  const agent = [...agents.values()].find(
    (it) => [it.id, it.name, it.clientId, `agent:${it.name}`].includes(name) && !it.resourceServer,
  )
  return agent === undefined
    ? refuse({ error: 'invalid_request', reason: 'requested_actor: expected an agent' })
    : `agent:${agent.name}`
}
