import { hasCapability } from '../capability-check.ts'
import type { Decide } from '../decide.ts'
import type { Agent, EventOf, User } from '../event.ts'
import { refuse } from '../refusal.ts'
import { controlPlaneClient } from './authority.ts'

export type RegisterAgent = Readonly<{
  /** The registering agent or user. */
  by: { agent?: Agent | undefined; user?: User | undefined }
  /** The name as people write it. The name in tokens is derived from it. */
  name: string
  clientId?: string | undefined
  secretHash: string
  capabilities?: readonly string[] | undefined
}>

/**
 * Registers an agent. An agent registers agents with a subset of its capabilities, and none that act
 * for users; a user needs `agents.manage`. An agent that names its own client changes its display name
 * only.
 */
export const registerAgent: Decide<RegisterAgent, readonly [EventOf<'agent.registered'>]> = (
  state,
  { by, name: displayName, clientId: given, secretHash, capabilities = [] },
  { id },
) => {
  const { agent: parent, user } = by
  const name = plainName(displayName)
  const clientId = given ?? name
  if (parent === undefined && !managing.some((it) => user?.permissions.includes(it))) {
    refuse({ error: 'registration_forbidden', reason: 'the permission agents.manage is missing' })
  }
  if (parent?.resourceServer) {
    refuse({ error: 'registration_forbidden', reason: 'a resource server cannot register agents' })
  }
  const missing = parent ? capabilities.filter((it) => !hasCapability(parent, it)) : []
  if (missing.length > 0) refuse({ error: 'capability_denied', missing })
  const shown = displayName === name ? {} : { displayName }
  if (parent !== undefined && parent.clientId === clientId) {
    return [{ type: 'agent.registered', agent: { ...parent, displayName }, by: parent.id }]
  }
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
    ...shown,
    ...(parent === undefined ? {} : { parent: parent.id }),
  }
  return [{ type: 'agent.registered', agent, by: parent?.id ?? user?.id ?? '' }]
}

/** Permissions with which a user registers agents. LumoAuth's newest name is a scope. */
const managing = ['agents.manage', 'admin:agents:write']

/** Turns `Research assistant` into `research-assistant`, which is part of `sub` and a client id. */
const plainName = (name: string): string =>
  /\s/.test(name) ? name.trim().toLowerCase().replace(/\s+/g, '-') : name
