import {
  approvalStatus,
  askApproval,
  requireAddressee,
  requireOwnApproval,
} from '../../issuer/approvals.ts'
import type { User } from '../../issuer/event.ts'
import type { State } from '../../issuer/state.ts'
import { isoTime } from '../iso-time.ts'
import { created, type Handlers, ok } from '../message.ts'
import { letApproverAnswer } from '../scripted-approver.ts'
import type { IssuerContext } from './context.ts'

/** Poll interval in seconds; the default of the SDKs (contract §2.3). */
const interval = 1.5

export const approvalHandlers: Handlers<'approvals.create' | 'approvals.status', IssuerContext> = {
  'approvals.create': ({ context: { tenant }, agent, body }) => {
    const { task_id, reason, impact, on_behalf_of: onBehalfOf } = body
    if (tenant.state.dialect.push_device === 'email') {
      requireAddressee(tenant.state, agent().id, onBehalfOf)
      const message = 'The user has no push device; an e-mail was sent instead.'
      return { status: 202, body: { status: 'email_fallback_sent', message, task_id, impact } }
    }
    const [{ approval }] = tenant.run(askApproval, {
      agentId: agent().id,
      task: task_id,
      reason,
      impact,
      onBehalfOf,
      meta: body.meta ?? undefined,
    })
    return created({
      approval_token: approval.id,
      status: 'pending',
      expires_at: isoTime(approval.expiresAt),
      task_id,
      impact,
      interval,
    })
  },

  'approvals.status': ({ context, agent, params }) => {
    const { approvalToken = '' } = params
    const { tenant } = context
    const { state, clock } = tenant
    requireOwnApproval(state, approvalToken, agent().id)
    letApproverAnswer(context)
    const record = requireOwnApproval(state, approvalToken, agent().id)
    const { approval, answered } = record
    const status = approvalStatus(record, clock.now())
    context.polls.note(approvalToken, status === 'pending', clock.now())
    const user = answered && state.users.get(answered.by)
    return ok({
      approval_token: approval.id,
      status,
      task_id: approval.task,
      impact: approval.impact,
      reason: approval.reason,
      responded_at: answered === undefined ? null : isoTime(answered.at),
      approved_by:
        answered?.as === 'approved' && user !== undefined ? approvedBy(state, user) : null,
    })
  },
}

/** The newest model requires an integer: the position of the user in the tenant, from 1. */
const approvedBy = ({ dialect, users }: State, { id, email }: User) => {
  if (dialect.approved_by === 'number') return { user_id: [...users.keys()].indexOf(id) + 1 }
  return { user_id: id, ...(dialect.approved_by === 'both' ? { email } : {}) }
}
