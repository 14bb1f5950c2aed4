import { answerApproval } from '../../issuer/approvals.ts'
import { refuse } from '../../issuer/refusal.ts'
import { approveRequest, denyRequest, lifeAt } from '../../issuer/requests.ts'
import type { RequestRecord } from '../../issuer/state.ts'
import type { PendingRequests } from '../../wire/index.ts'
import { type Handlers, ok } from '../message.ts'
import { letApproverAnswer } from '../tenant/scripted-approver.ts'
import type { TenantContext } from '../tenant/tenant-context.ts'
import type { IssuerContext } from './context.ts'
import { withMissingRight } from './missing-right.ts'
import type { Principal } from './oauth/bearer.ts'
import { toApproverView } from './request-views.ts'

/** Lists pending requests and decides them, for approvers. */
export const approverHandlers: Handlers<'jit.pending' | 'jit.approve' | 'jit.deny', IssuerContext> =
  {
    'jit.pending': withMissingRight(({ context, principal, query, request }) => {
      const asked = principal()
      const { state } = context.tenant
      letApproverAnswer(context)
      const now = context.tenant.clock.now()
      const visible = [...state.undecided]
        .flatMap((id) => state.requests.get(id) ?? [])
        .filter((record) => lifeAt(state, record, now) === 'pending')
        .filter(mayList(context, asked))
      const { limit, page } = query
      const requests = visible
        .slice((page - 1) * limit, page * limit)
        .map((record) => toApproverView(context, record, request.path))
      return ok(pendingList(context, requests, { total: visible.length, page, limit }))
    }),

    'jit.approve': withMissingRight(({ context: { tenant }, principal, params, body }) => {
      const { requestId = '' } = params
      const { user, personObstacle, approvalObstacle } = principal()
      const userId = user?.id ?? ''
      if (tenant.state.approvals.has(requestId)) {
        const answer = { approvalId: requestId, as: 'approved', userId } as const
        tenant.run(answerApproval, { ...answer, obstacle: personObstacle, approvalObstacle })
        return ok({ request_id: requestId, status: 'approved' })
      }
      tenant.run(approveRequest, {
        requestId,
        userId,
        obstacle: approvalObstacle,
        ttl: body.ttl,
        notes: body.notes,
        message: body.agent_message,
      })
      const record = tenant.state.requests.get(requestId)
      return ok({
        request_id: requestId,
        status: record?.decided === undefined ? 'pending' : 'approved',
        approvals: record?.endorsedBy.length,
        approvals_required: record?.request.approvalsRequired,
        ...(record?.decided?.as === 'approved' ? { granted_ttl: record.decided.ttl } : {}),
      })
    }),

    'jit.deny': withMissingRight(({ context: { tenant }, principal, params, body }) => {
      const { requestId = '' } = params
      const { user, personObstacle, approvalObstacle } = principal()
      const userId = user?.id ?? ''
      if (tenant.state.approvals.has(requestId)) {
        const answer = { approvalId: requestId, as: 'denied', userId } as const
        tenant.run(answerApproval, { ...answer, obstacle: personObstacle, approvalObstacle })
      } else {
        const { reason, agent_message: message } = body
        tenant.run(denyRequest, { requestId, userId, obstacle: approvalObstacle, reason, message })
      }
      return ok({ request_id: requestId, status: 'denied' })
    }),
  }

/**
 * Approvers see all requests of the tenant; with the dialect `agents_own`, agents see their own
 * (CONTRACT.md#approvers).
 */
const mayList = (
  { tenant }: TenantContext,
  { agent, permissions, approvalObstacle: obstacle }: Principal,
): ((record: RequestRecord) => boolean) => {
  if (permissions.includes('jit.approve') && obstacle === undefined) return () => true
  if (agent !== undefined && tenant.state.dialect.pending_for === 'agents_own') {
    return ({ request }) => request.agentId === agent.id
  }
  const reason = obstacle ?? 'the permission jit.approve is missing'
  return refuse({ error: 'approval_forbidden', reason })
}

const pendingList = (
  { tenant }: TenantContext,
  requests: ReturnType<typeof toApproverView>[],
  pagination: Readonly<{ total: number; page: number; limit: number }>,
): PendingRequests => {
  const count = requests.length
  switch (tenant.state.dialect.pending_list) {
    case 'all':
      return { requests, pending_requests: requests, data: requests, count, pagination }
    case 'spec':
      return { pending_requests: requests, data: requests, count, pagination }
    case 'sdk':
      return { requests }
    case 'array':
      return requests
  }
}
