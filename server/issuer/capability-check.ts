import { AuthorizationDetail } from '../wire/index.ts'
import { withinBudget } from './budgets.ts'
import type { Decide } from './decide.ts'
import type { Agent, EventOf } from './event.ts'
import { assessRequest } from './requests.ts'
import type { State } from './state.ts'

export type Ask = Readonly<{
  agent: Agent
  /** The action as one word, or a question that contains such words. */
  action?: string | undefined
  question?: string | undefined
  context?: Readonly<Record<string, unknown>> | undefined
}>

/**
 * Whether an agent may perform an action: its registered capabilities decide. For a detail in the
 * context the policy decides; a detail that requires a person's decision is not allowed. Grants
 * nothing.
 */
export const ask: Decide<Ask, readonly [EventOf<'agent.asked'>]> = (state, command, context) => {
  const { agent } = command
  withinBudget(state, agent.id, 'calls', context.now)
  return [
    {
      type: 'agent.asked',
      agentId: agent.id,
      auditId: context.id('audit').replace(/^audit_/, ''),
      action: command.action ?? command.question ?? '',
      ...decideCapability(state, command, context.now),
    },
  ]
}

type CapabilityDecision = Readonly<{ allowed: boolean; reason: string }>

const decideCapability = (
  state: State,
  { agent, action, question, context }: Ask,
  now: number,
): CapabilityDecision => {
  const detail = AuthorizationDetail.safeParse(context?.authorization_details)
  if (detail.success) {
    const { explanation } = assessRequest(
      state,
      undefined,
      { agentId: agent.id, detail: detail.data },
      now,
    )
    const says = { approve: 'approved', ask: 'pending until a person decides', deny: 'denied' }
    return {
      allowed: explanation.decision === 'approve',
      reason: `a request for it would be ${says[explanation.decision]}: ${explanation.rule}`,
    }
  }
  const wanted = action === undefined ? scopesIn(question ?? '', agent) : [action]
  if (wanted.length === 0) return { allowed: false, reason: 'the question contains no capability' }
  const missing = wanted.filter((it) => !hasCapability(agent, it))
  return missing.length === 0
    ? { allowed: true, reason: `the agent has the capability ${wanted.join(' ')}` }
    : { allowed: false, reason: `the agent lacks the capability ${missing.join(' ')}` }
}

/** Whether the agent has the capability, by name or by prefix (`mcp:*`). */
export const hasCapability = ({ capabilities }: Agent, wanted: string): boolean =>
  capabilities.some((it) =>
    it.endsWith(':*') ? wanted.startsWith(it.slice(0, -1)) : it === wanted,
  )

/**
 * The name of a tool of an MCP server, if the agent may call it: the server is open to the agent, or
 * the agent has the capability `mcp:SERVER:TOOL`.
 */
export const toolFor = (
  { mcpServers }: State,
  agent: Agent,
  serverId: string,
  tool: string,
): string | undefined => {
  const server = [...mcpServers.values()].find((it) => [it.id, it.resourceUri].includes(serverId))
  const isOpen = server !== undefined && (server.agents?.includes(agent.id) ?? true)
  const mayCall = isOpen || hasCapability(agent, `mcp:${serverId}:${tool}`)
  return mayCall ? `${server?.resourceUri ?? serverId}#${tool}` : undefined
}

/** The words of a question that are capabilities, or look like one: `read:documents`. */
export const scopesIn = (question: string, { capabilities }: Agent): string[] => {
  const words = question.split(/[\s,;"'`()?!]+/).map((word) => word.replace(/(?<![.:])[.:]+$/, ''))
  return [
    ...new Set(
      words.filter((word) => capabilities.includes(word) || /^[\w-]+:[\w:*.-]+$/.test(word)),
    ),
  ]
}
