import type { Agent } from './event.ts'
import type { State } from './state.ts'

/** The agent and the agents that registered it: the agent first, its root last. */
export const lineageOf = ({ agents }: Pick<State, 'agents'>, agentId: string): readonly Agent[] => {
  const lineage: Agent[] = []
  for (let agent = agents.get(agentId); agent !== undefined; ) {
    lineage.push(agent)
    agent = agents.get(agent.parent ?? '')
  }
  return lineage
}

/** The id of the root agent, for which budgets, denials, risk, pending requests and stored bytes are counted. */
export const rootOf = (state: Pick<State, 'agents'>, agentId: string): string =>
  lineageOf(state, agentId).at(-1)?.id ?? agentId
