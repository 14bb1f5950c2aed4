import { answerApproval } from '../../issuer/approvals.ts'
import { refuse } from '../../issuer/refusal.ts'
import { approveRequest, denyRequest, lifeAt, mayApprove } from '../../issuer/requests.ts'
import type { RequestRecord } from '../../issuer/state.ts'
import type { PendingRequests } from '../../wire/index.ts'
import { type Handlers, ok } from '../message.ts'
import { letApproverAnswer } from '../scripted-approver.ts'
import type { TenantContext } from '../tenant-context.ts'
import type { IssuerContext } from './context.ts'
import type { Principal } from './oauth/bearer.ts'
import { toApproverView } from './request-views.ts'

/** What approvers see and decide. */
export const approverHandlers: Handlers<'jit.pending' | 'jit.approve' | 'jit.deny', IssuerContext> =
  {
    'jit.pending': ({ context, principal, request }) => {
      const asked = principal()
      const { state } = context.tenant
      letApproverAnswer(context)
      const now = context.tenant.clock.now()
      const visible = [...state.undecided]
        .flatMap((id) => state.requests.get(id) ?? [])
        .filter((record) => lifeAt(state, record, now) === 'pending')
        .filter(mayList(context, asked))
      return ok(
        pendingList(
          context,
          visible.map((record) => toApproverView(context, record, request.path)),
        ),
      )
    },

    'jit.approve': ({ context: { tenant }, principal, params, body }) => {
      const { requestId = '' } = params
      const { user, agentHeld } = principal()
      const decision = { userId: user?.id ?? '', agentHeld }
      if (tenant.state.approvals.has(requestId)) {
        tenant.run(answerApproval, { approvalId: requestId, as: 'approved', ...decision })
        return ok({ request_id: requestId, status: 'approved' })
      }
      tenant.run(approveRequest, {
        requestId,
        ...decision,
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
    },

    'jit.deny': ({ context: { tenant }, principal, params, body }) => {
      const { requestId = '' } = params
      const { user, agentHeld } = principal()
      const decision = { userId: user?.id ?? '', agentHeld }
      if (tenant.state.approvals.has(requestId)) {
        tenant.run(answerApproval, { approvalId: requestId, as: 'denied', ...decision })
      } else {
        tenant.run(denyRequest, {
          requestId,
          ...decision,
          reason: body.reason,
          message: body.agent_message,
        })
      }
      return ok({ request_id: requestId, status: 'denied' })
    },
  }

/** Approvers see the whole tenant; the lenient dialect shows agents their own (contract §7 row 7). */
const mayList = (
  { tenant }: TenantContext,
  { agent, user, agentHeld }: Principal,
): ((record: RequestRecord) => boolean) => {
  if (!agentHeld && user !== undefined && mayApprove(tenant.state, user.id)) return () => true
  if (agent !== undefined && tenant.state.dialect.pending_for === 'agents_own') {
    return ({ request }) => request.agentId === agent.id
  }
  return refuse({ error: 'approval_forbidden', reason: 'the permission jit.approve is missing' })
}

const pendingList = (
  { tenant }: TenantContext,
  requests: ReturnType<typeof toApproverView>[],
): PendingRequests => {
  const count = requests.length
  const pagination = { total: count, page: 1, limit: Math.max(50, count) }
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
