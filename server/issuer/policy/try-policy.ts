import type { AuthorizationDetail, Policy, RequestFacts, RiskLevel } from '../../wire/index.ts'
import { assess, type Facts } from './policy.ts'

/** The decision of a policy on one request. A member that does not apply to the decision is absent. */
export type PolicyOutcome = Readonly<{
  decision: 'approve' | 'ask' | 'deny'
  risk: RiskLevel
  /** The name of the rule that decided. */
  rule: string
  /** Lifetime of the token in seconds, if approved now. */
  ttl?: number
  /** Maximum lifetime an approver may grant, in seconds. */
  max_ttl?: number
  /** Number of people who must approve. */
  approvers?: number
  /** Seconds until the request expires without a decision. */
  timeout?: number
  reason?: string
  /** A smaller request that would be approved. */
  would_pass?: AuthorizationDetail
}>

/** The decision of a policy on a request, by the issuer's own function. */
export const tryPolicy = (policy: Policy, facts: Facts): PolicyOutcome => {
  const { rule, ttl, maxTtl, explanation } = assess(policy, facts)
  return {
    decision: rule.decision,
    risk: rule.risk,
    rule: rule.name,
    ...(rule.decision === 'deny' ? {} : { ttl }),
    ...(rule.decision === 'ask'
      ? {
          max_ttl: maxTtl,
          approvers: rule.approvers,
          timeout: rule.timeout ?? policy.approval_timeout,
        }
      : {}),
    ...(explanation.reason === undefined ? {} : { reason: explanation.reason }),
    ...(explanation.would_pass === undefined ? {} : { would_pass: explanation.would_pass }),
  }
}

/** The facts in the form of `assess`. */
export const factsOf = (request: RequestFacts): Facts => ({
  detail: request.authorization_details,
  agent: request.agent,
  ancestors: request.ancestors,
  taskType: request.task_type,
  onBehalfOf: request.on_behalf_of,
  justification: request.justification,
  requestedTtl: request.requested_ttl,
  score: request.score,
  denials: request.denials,
  agentDenials: request.agent_denials,
  requestsLastMinute: request.requests_last_minute,
  now: Date.parse(request.at) / 1000,
})
