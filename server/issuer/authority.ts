import { approveScope } from '../wire/token.ts'
import { isAgent } from './clients.ts'
import type { Token } from './event.ts'
import type { State } from './state.ts'

/** The client of the tokens that the control plane mints; first-party, and the name of no other client. */
export const controlPlaneClient = 'control-plane'

/**
 * Why a token does not speak for its user when something is decided; undefined: it does. The harness has no
 * passwords, so whoever signs in may name any user: what a token may do never depends on its user alone.
 */
export const personObstacle = (state: State, token: Token): string | undefined => {
  if (token.agentId !== undefined) return 'an agent cannot decide, whoever it acts for'
  if (token.kind !== 'user') return 'expected the token of a person'
  const client = state.clients.get(token.clientId)
  if (client && isAgent(client)) return 'a token that was issued to an agent cannot decide'
  if (client?.selfRegistered) return 'a token of a client that registered itself cannot decide'
  return undefined
}

/**
 * Why a token can neither list nor decide permission requests; undefined: it can, if its user holds the
 * permission `jit.approve`.
 */
export const approvalObstacle = (state: State, token: Token): string | undefined => {
  const isScoped = (token.scope ?? '').split(' ').includes(approveScope)
  return (
    personObstacle(state, token) ?? (isScoped ? undefined : `the scope ${approveScope} is missing`)
  )
}

/** The permissions of a token's user, as far as the token carries them. */
export const permissionsOf = (state: State, token: Token): readonly string[] => {
  const permissions = state.users.get(token.userId ?? '')?.permissions ?? []
  if (personObstacle(state, token) !== undefined) return []
  return approvalObstacle(state, token) === undefined
    ? permissions
    : permissions.filter((it) => it !== 'jit.approve')
}
