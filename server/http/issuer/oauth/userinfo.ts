import { usageAt } from '../../../issuer/budgets.ts'
import type { Agent, User } from '../../../issuer/event.ts'
import type { State } from '../../../issuer/state.ts'
import type { Tenant } from '../../../issuer/tenant.ts'
import { type Answer, type Handlers, ok } from '../../message.ts'
import { answerWith } from '../../refusals.ts'
import type { TenantContext } from '../../tenant/tenant-context.ts'
import type { IssuerContext } from '../context.ts'
import { refuseKeyOfNoAgent } from './bearer.ts'
import { noStore } from './token-response.ts'
import { userClaims } from './user-claims.ts'

/**
 * Claims of the bearer; for a delegated token, those of the user the agent acts for
 * (CONTRACT.md#userinfo).
 */
const userinfo = ({ context, principal }: IssuerContext): Answer => {
  const { agent, user, claims, isKey } = principal()
  if (agent === undefined && isKey) return refuseKeyOfNoAgent(context)
  if (user !== undefined) {
    const act = claims.act === undefined ? {} : { act: claims.act }
    const scope = claimsScope(context, claims.scope)
    return { ...ok({ ...personInfo(context, user, scope), ...act }), headers: noStore }
  }
  if (agent !== undefined) return { ...ok(agentInfo(context, agent)), headers: noStore }
  return answerWith(403, 'insufficient_scope', 'expected the token of a user or an agent')
}

export const userinfoHandlers: Handlers<'oauth.userinfo' | 'oauth.userinfo.post', IssuerContext> = {
  'oauth.userinfo': userinfo,
  'oauth.userinfo.post': userinfo,
}

/** OpenID Connect Core §5.4; a token without `openid` is not of OpenID Connect, and gets all claims. */
const claimsScope = ({ tenant }: TenantContext, scope = ''): string | undefined =>
  tenant.state.dialect.userinfo_claims === 'by_scope' && scope.split(' ').includes('openid')
    ? scope
    : undefined

const personInfo = ({ tenant }: TenantContext, user: User, scope: string | undefined) => ({
  sub: user.id,
  ...userClaims(user, scope),
  roles: [...(user.roles ?? [])],
  tenant: tenant.slug,
})

/** No value is null: Go's SDK requires the documented objects, numbers and lists. */
const agentInfo = ({ tenant }: TenantContext, agent: Agent) => {
  const { state, slug } = tenant
  const workload = state.workloads.find(({ agentId }) => agentId === agent.id)
  return {
    sub: shownSubject(state, `agent:${agent.name}`),
    name: agent.displayName ?? agent.name,
    agent_id: agent.id,
    identity_type: 'agent',
    capabilities: [...agent.capabilities],
    budget_policy: budgetPolicy(tenant, agent),
    tenant: slug,
    ...(workload === undefined
      ? {}
      : {
          workload_identity: {
            provider: workload.provider,
            issuer: workload.issuer,
            subject: workload.subject,
          },
        }),
  }
}

/** The `sub` of an agent or a client as the answers of this tenant show it; tokens keep theirs. */
export const shownSubject = ({ dialect, clients }: State, sub: string): string => {
  if (dialect.userinfo_sub === 'agent:name') return sub
  return clients.has(sub) ? `client_${sub}` : sub.replace(/^agent:/, 'agent_')
}

/** An agent's budget and its usage (CONTRACT.md#userinfo); empty without a budget. */
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
