import type { AuthorizationDetail, Policy, RequestFacts, RiskLevel } from '../wire/index.ts'
import { assess, type Facts } from './policy.ts'

/** What a policy says of one request. Absent: it does not apply to such a decision. */
export type PolicyOutcome = Readonly<{
  decision: 'approve' | 'ask' | 'deny'
  risk: RiskLevel
  /** The name of the rule that decided. */
  rule: string
  /** Seconds the token gets if it is approved now. */
  ttl?: number
  /** The most an approver may give, in seconds. */
  max_ttl?: number
  /** How many people must approve. */
  approvers?: number
  /** Seconds they have. */
  timeout?: number
  reason?: string
  /** A smaller request that would be approved. */
  would_pass?: AuthorizationDetail
}>

/** What a policy says of a request, by the function that the issuer uses. */
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

/** The facts as `assess` takes them. */
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
