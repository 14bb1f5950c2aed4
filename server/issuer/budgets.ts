import { rootOf } from './lineage.ts'
import { refuse } from './refusal.ts'
import type { State, Usage } from './state.ts'

/** The usage of an agent's budget. It is reset every day and every hour (UTC). */
export const usageAt = ({ usage }: Pick<State, 'usage'>, agentId: string, now: number): Usage => {
  const [day, hour] = [Math.floor(now / 86_400), Math.floor(now / 3600)]
  const used = usage.get(agentId)
  return {
    day,
    tokens: used?.day === day ? used.tokens : 0,
    hour,
    calls: used?.hour === hour ? used.calls : 0,
  }
}

/**
 * Checks that the budget allows one more token or call. An agent uses the budget of its root agent.
 * @throws {Refused} `budget_exceeded`, with the seconds until the reset
 */
export const withinBudget = (
  state: State,
  agentId: string,
  what: 'tokens' | 'calls',
  now: number,
): void => {
  const root = rootOf(state, agentId)
  const budget = state.agents.get(root)?.budget
  if (budget === undefined) return
  const used = usageAt(state, root, now)
  const { limit, span, name } =
    what === 'tokens'
      ? { limit: budget.tokensPerDay, span: 86_400, name: 'tokens a day' }
      : { limit: budget.callsPerHour, span: 3600, name: 'calls an hour' }
  if (limit === undefined || used[what] < limit) return
  refuse({ error: 'budget_exceeded', what: name, limit, retryAfter: span - (now % span) })
}
