import type { Event } from './event.ts'
import { refuseBeyondShare } from './kept-bytes.ts'
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
  'device.asked': { kept: 'devices', limit: 'devices', what: 'device codes' },
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
  refuseBeyondShare(state, events)
}

const isGrowing = (type: Event['type']): type is keyof typeof growing =>
  Object.hasOwn(growing, type)
