import { approveScope } from '../../wire/token.ts'
import type { Token } from '../event.ts'
import type { State } from '../state.ts'
import { isAgent } from './clients.ts'

/**
 * The client of the tokens that the control plane mints. It is first-party, and no other client has its
 * name.
 */
export const controlPlaneClient = 'control-plane'

/**
 * Why a token cannot act for its user in a decision; undefined when it can. The harness has no
 * passwords, so anyone can sign in as any user; the rights of a token therefore never depend on its
 * user alone.
 */
export const personObstacle = (state: State, token: Token): string | undefined => {
  if (token.agentId !== undefined) return 'an agent cannot decide, even when it acts for a user'
  if (token.kind !== 'user') return 'expected a user’s token'
  const client = state.clients.get(token.clientId)
  if (client && isAgent(client)) return 'a token issued to an agent cannot decide'
  if (client?.selfRegistered) return 'a token of a self-registered client cannot decide'
  return undefined
}

/**
 * Why a token can neither list nor decide permission requests; undefined when it can, provided its user
 * has the permission `jit.approve`.
 */
export const approvalObstacle = (state: State, token: Token): string | undefined => {
  const isScoped = (token.scope ?? '').split(' ').includes(approveScope)
  return (
    personObstacle(state, token) ?? (isScoped ? undefined : `the scope ${approveScope} is missing`)
  )
}

/** The permissions of a token's user that the token includes. */
export const permissionsOf = (state: State, token: Token): readonly string[] => {
  const permissions = state.users.get(token.userId ?? '')?.permissions ?? []
  if (personObstacle(state, token) !== undefined) return []
  return approvalObstacle(state, token) === undefined
    ? permissions
    : permissions.filter((it) => it !== 'jit.approve')
}
