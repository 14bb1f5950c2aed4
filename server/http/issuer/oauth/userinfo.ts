import type { Agent, User } from '../../../issuer/event.ts'
import { type Answer, type Handlers, ok } from '../../message.ts'
import { answerWith } from '../../refusals.ts'
import type { TenantContext } from '../../tenant-context.ts'
import type { IssuerContext } from '../handlers.ts'
import { budgetPolicy } from './budget-policy.ts'
import { noStore } from './token-response.ts'
import { userClaims } from './user-claims.ts'

/** Who the bearer is; of a delegated token, the user the agent acts for (contract §2.1). */
const userinfo = ({ context, principal }: IssuerContext): Answer => {
  const { agent, user, claims } = principal()
  if (user !== undefined) {
    const act = claims.act === undefined ? {} : { act: claims.act }
    return { ...ok({ ...personInfo(context, user), ...act }), headers: noStore }
  }
  if (agent !== undefined) return { ...ok(agentInfo(context, agent)), headers: noStore }
  return answerWith(403, 'insufficient_scope', 'expected the token of a user or an agent')
}

export const userinfoHandlers: Handlers<'oauth.userinfo' | 'oauth.userinfo.post', IssuerContext> = {
  'oauth.userinfo': userinfo,
  'oauth.userinfo.post': userinfo,
}

const personInfo = ({ tenant }: TenantContext, user: User) => ({
  sub: user.id,
  ...userClaims(user),
  roles: [...(user.roles ?? [])],
  tenant: tenant.slug,
})

/** Nothing is ever null: Go wants objects, numbers and lists where they are documented. */
const agentInfo = ({ tenant }: TenantContext, agent: Agent) => {
  const { state, slug } = tenant
  const workload = state.workloads.find(({ agentId }) => agentId === agent.id)
  return {
    sub: (state.dialect.userinfo_sub === 'agent:name' ? 'agent:' : 'agent_') + agent.name,
    name: agent.name,
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
