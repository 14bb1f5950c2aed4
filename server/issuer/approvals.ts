import type { RiskLevel } from '../wire/index.ts'
import type { Decide } from './decide.ts'
import type { Approval, EventOf, User } from './event.ts'
import { refuse } from './refusal.ts'
import { mayApprove } from './requests.ts'
import type { ApprovalRecord, State } from './state.ts'
import { findUser } from './tasks.ts'

/** Lifetime of a push approval, in seconds (CONTRACT.md#push-approvals). */
export const approvalLifetime = 120

export type AskApproval = Readonly<{
  agentId: string
  task: string
  reason: string
  impact: RiskLevel
  onBehalfOf: string
  meta?: Readonly<Record<string, unknown>> | undefined
}>

/** Sends a push approval to the user the agent acts for. */
export const askApproval: Decide<AskApproval, readonly [EventOf<'approval.asked'>]> = (
  state,
  { agentId, task, reason, impact, onBehalfOf, meta },
  { now, id },
) => {
  if (!isAddressee(state, agentId, onBehalfOf)) refuse({ error: 'not_found', what: 'user' })
  const user = findUser(state, onBehalfOf) as User
  const limit = state.policy.limits.approvals_per_agent
  const waiting = [...state.approvals.values()].filter(
    (it) => it.approval.agentId === agentId && approvalStatus(it, now) === 'pending',
  )
  if (waiting.length >= limit) {
    refuse({ error: 'limit_reached', what: 'unanswered approvals for one agent', limit })
  }
  const approval: Approval = {
    id: id('apr'),
    agentId,
    userId: user.id,
    task,
    reason,
    impact,
    askedAt: now,
    expiresAt: now + approvalLifetime,
    ...(meta === undefined ? {} : { meta }),
  }
  return [{ type: 'approval.asked', approval }]
}

/**
 * Whether the agent names a user of this tenant.
 * @throws {Refused} when the agent may not act for users
 */
export const isAddressee = (state: State, agentId: string, onBehalfOf: string): boolean => {
  if (state.agents.get(agentId)?.mayDelegate !== true) refuse({ error: 'delegation_not_allowed' })
  return findUser(state, onBehalfOf) !== undefined
}

/** Answers a push approval: only its own user, with the user's own token, once and before it expires. */
export const answerApproval: Decide<
  Readonly<{
    approvalId: string
    as: 'approved' | 'denied'
    userId: string
    /** Why the user's token cannot answer; absent when it can. */
    obstacle?: string | undefined
    /** Why the token cannot decide a request; for another user the error is the same as for a request. */
    approvalObstacle?: string | undefined
  }>,
  readonly [EventOf<'approval.answered'>]
> = (state, { approvalId, as, userId, obstacle, approvalObstacle }, { now }) => {
  if (obstacle !== undefined) refuse({ error: 'approval_forbidden', reason: obstacle })
  const record = findApproval(state, approvalId)
  if (record.approval.userId !== userId) {
    const isApprover = mayApprove(state, userId)
    const reason = isApprover
      ? 'the approval is for another user'
      : 'the permission jit.approve is missing'
    refuse({ error: 'approval_forbidden', reason: approvalObstacle ?? reason })
  }
  const status = approvalStatus(record, now)
  if (status === 'expired') refuse({ error: 'request_expired', requestId: approvalId })
  if (status !== 'pending') {
    refuse({
      error: 'already_decided',
      requestId: approvalId,
      status,
      by: record.answered?.by ?? 'no one',
    })
  }
  return [{ type: 'approval.answered', approvalId, as, by: userId }]
}

export const approvalStatus = (
  { approval, answered }: ApprovalRecord,
  now: number,
): 'pending' | 'approved' | 'denied' | 'expired' =>
  answered?.as ?? (now >= approval.expiresAt ? 'expired' : 'pending')

/** @throws {Refused} `not_found`, or `request_forbidden` for another agent's */
export const requireOwnApproval = (
  state: State,
  approvalId: string,
  agentId: string,
): ApprovalRecord => {
  const record = findApproval(state, approvalId)
  if (record.approval.agentId !== agentId) {
    refuse({ error: 'request_forbidden', requestId: approvalId })
  }
  return record
}

const findApproval = ({ approvals }: State, approvalId: string): ApprovalRecord =>
  approvals.get(approvalId) ?? refuse({ error: 'not_found', what: `approval ${approvalId}` })
