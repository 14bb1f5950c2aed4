import type { Event, Grant, Token } from './event.ts'
import { refuseBeyondShare } from './kept-bytes.ts'
import { refuseBeyondSelfRegistered } from './oauth/clients.ts'
import { refuse } from './refusal.ts'
import type { State } from './state.ts'

/** Records that callers create, until they expire. */
const growing = {
  'task.opened': { kept: 'tasks', limit: 'tasks', what: 'tasks' },
  'permission.requested': { kept: 'requests', limit: 'requests', what: 'requests' },
  'token.issued': { kept: 'tokens', limit: 'tokens', what: 'tokens' },
  'grant.given': { kept: 'grants', limit: 'grants', what: 'grants' },
  'grant.refreshable': {
    kept: 'refreshTokens',
    limit: 'refresh_tokens',
    what: 'refresh tokens (including used ones)',
  },
  'authorization.pushed': { kept: 'pushed', limit: 'pushed_requests', what: 'pushed requests' },
  'device.asked': { kept: 'devices', limit: 'grants', what: 'device authorizations' },
  'assertion.used': { kept: 'assertions', limit: 'assertions', what: 'client assertions' },
} as const

/**
 * Checks that new events keep the tenant within the numbers of records and bytes of its policy. Reads
 * one number, so expired records must be deleted before.
 * @throws {Refused} `limit_reached`
 */
export const refuseAboveLimit = (state: State, events: readonly Event[]): void => {
  for (const { type } of events) {
    if (!isGrowing(type)) continue
    const { kept, limit: name, what } = growing[type]
    const limit = state.policy.limits[name]
    if (state[kept].size >= limit) refuse({ error: 'limit_reached', what, limit })
  }
  for (const event of events) refuseTokensOfSelfRegistered(state, event)
  refuseBeyondShare(state, events)
}

/** Otherwise an anonymous client could exchange and refresh until no other client gets a token. */
const refuseTokensOfSelfRegistered = (state: State, event: Event): void => {
  if (event.type === 'token.issued') {
    refuseBeyondSelfRegistered(state, 'tokens', event.token, issuedTokens(state))
  } else if (event.type === 'grant.refreshable') {
    const grant = state.grants.get(event.grantId)?.grant
    if (grant) refuseBeyondSelfRegistered(state, 'refresh_tokens', grant, refreshedGrants(state))
  }
}

function* issuedTokens({ tokens }: State): Generator<Token> {
  for (const { token } of tokens.values()) yield token
}

/** The grant of each stored refresh token. */
function* refreshedGrants({ refreshTokens, grants }: State): Generator<Grant> {
  for (const id of refreshTokens.values()) {
    const grant = grants.get(id)?.grant
    if (grant) yield grant
  }
}

const isGrowing = (type: Event['type']): type is keyof typeof growing =>
  Object.hasOwn(growing, type)
