import { usageAt } from '../../../issuer/budgets.ts'
import type { Agent } from '../../../issuer/event.ts'
import type { Tenant } from '../../../issuer/tenant.ts'

/** An agent's budget and what it has used of it (contract §2.1); empty for one without. */
export const budgetPolicy = (
  { state, clock }: Tenant,
  { id, budget }: Agent,
): Record<string, unknown> => {
  if (budget === undefined) return {}
  const used = usageAt(state, id, clock.now())
  const known = {
    max_tokens_per_day: budget.tokensPerDay,
    tokens_used_today: used.tokens,
    max_api_calls_per_hour: budget.callsPerHour,
    api_calls_this_hour: used.calls,
    max_cost_per_month_usd: budget.costPerMonth,
    allowed_models: budget.models,
    require_approval_above_usd: budget.approvalAbove,
  }
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined))
}
