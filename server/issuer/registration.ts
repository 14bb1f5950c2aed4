import { controlPlaneClient } from './authority.ts'
import { hasCapability } from './capability-check.ts'
import type { Decide } from './decide.ts'
import type { Agent, EventOf, User } from './event.ts'
import { refuse } from './refusal.ts'

export type RegisterAgent = Readonly<{
  /** The registering agent or user. */
  by: { agent?: Agent | undefined; user?: User | undefined }
  name: string
  clientId: string
  secretHash: string
  capabilities?: readonly string[] | undefined
}>

/**
 * Registers an agent. An agent registers agents with a subset of its capabilities, and none that act
 * for users; a user needs `agents.manage`.
 */
export const registerAgent: Decide<RegisterAgent, readonly [EventOf<'agent.registered'>]> = (
  state,
  { by, name, clientId, secretHash, capabilities = [] },
  { id },
) => {
  const { agent: parent, user } = by
  if (parent === undefined && user?.permissions.includes('agents.manage') !== true) {
    refuse({ error: 'registration_forbidden', reason: 'the permission agents.manage is missing' })
  }
  if (parent?.resourceServer) {
    refuse({ error: 'registration_forbidden', reason: 'a resource server cannot register agents' })
  }
  const missing = parent ? capabilities.filter((it) => !hasCapability(parent, it)) : []
  if (missing.length > 0) refuse({ error: 'capability_denied', missing })
  const taken = [...state.agents.values()].some((it) => it.name === name)
  if (taken || state.clients.has(clientId) || clientId === controlPlaneClient)
    refuse({ error: 'agent_exists', clientId })
  const limit = state.policy.limits.agents
  if (state.agents.size >= limit) refuse({ error: 'limit_reached', what: 'agents', limit })
  const agent: Agent = {
    id: id('agt'),
    name,
    clientId,
    secretHash,
    capabilities: [...new Set(capabilities)],
    mayDelegate: false,
    ...(parent === undefined ? {} : { parent: parent.id }),
  }
  return [{ type: 'agent.registered', agent, by: parent?.id ?? user?.id ?? '' }]
}
