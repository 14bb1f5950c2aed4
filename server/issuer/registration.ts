import { controlPlaneClient } from './authority.ts'
import { hasCapability } from './capability-check.ts'
import type { Decide } from './decide.ts'
import type { Agent, EventOf, User } from './event.ts'
import { refuse } from './refusal.ts'

export type RegisterAgent = Readonly<{
  /** Who registers it. */
  by: { agent?: Agent | undefined; user?: User | undefined }
  /** As people write it; what tokens say is made of it. */
  name: string
  clientId?: string | undefined
  secretHash: string
  capabilities?: readonly string[] | undefined
}>

/**
 * An agent registers helpers no mightier than itself, and none that act for users; a person needs
 * `agents.manage`. An agent that names its own client changes what it is called, and nothing it may do.
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
    refuse({ error: 'registration_forbidden', reason: 'a resource server registers no agents' })
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

/** Permissions of a person who registers agents; LumoAuth's newest name of it is a scope. */
const managing = ['agents.manage', 'admin:agents:write']

/** `Research assistant` becomes `research-assistant`: it is a part of `sub`, and a client id. */
const plainName = (name: string): string =>
  /\s/.test(name) ? name.trim().toLowerCase().replace(/\s+/g, '-') : name
