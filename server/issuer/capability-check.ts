import { AuthorizationDetail } from '../wire/index.ts'
import { withinBudget } from './budgets.ts'
import type { Decide } from './decide.ts'
import type { Agent, EventOf } from './event.ts'
import { assessRequest } from './requests.ts'
import type { State } from './state.ts'

export type Ask = Readonly<{
  agent: Agent
  /** What it wants to do, in a word; or a question with such words in it. */
  action?: string | undefined
  question?: string | undefined
  context?: Readonly<Record<string, unknown>> | undefined
}>

/**
 * Whether an agent may do something: what it is registered for it may; a detail in the context is
 * put to the policy, and what takes a person to decide is not allowed yet. Nothing is granted.
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
    const says = { approve: 'approved', ask: 'put to a person', deny: 'denied' }
    return {
      allowed: explanation.decision === 'approve',
      reason: `a request for it would be ${says[explanation.decision]}: ${explanation.rule}`,
    }
  }
  const wanted = action === undefined ? scopesIn(question ?? '', agent) : [action]
  if (wanted.length === 0) return { allowed: false, reason: 'the question names no capability' }
  const missing = wanted.filter((it) => !hasCapability(agent, it))
  return missing.length === 0
    ? { allowed: true, reason: `the agent has the capability ${wanted.join(' ')}` }
    : { allowed: false, reason: `the agent lacks the capability ${missing.join(' ')}` }
}

/** Whether it is registered for it, by name or by all below a name (`mcp:*`). */
export const hasCapability = ({ capabilities }: Agent, wanted: string): boolean =>
  capabilities.some((it) =>
    it.endsWith(':*') ? wanted.startsWith(it.slice(0, -1)) : it === wanted,
  )

/**
 * What a tool of an MCP server is called, if the agent may call it: the server is open to it, or it
 * has the capability `mcp:SERVER:TOOL`.
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

/** The words of a question that are a capability, or look like one: `read:documents`. */
export const scopesIn = (question: string, { capabilities }: Agent): string[] => {
  const words = question.split(/[\s,;"'`()?!]+/).map((word) => word.replace(/(?<![.:])[.:]+$/, ''))
  return [
    ...new Set(
      words.filter((word) => capabilities.includes(word) || /^[\w-]+:[\w:*.-]+$/.test(word)),
    ),
  ]
}
