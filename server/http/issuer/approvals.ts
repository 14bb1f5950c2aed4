import {
  approvalStatus,
  askApproval,
  isAddressee,
  requireOwnApproval,
} from '../../issuer/approvals.ts'
import type { User } from '../../issuer/event.ts'
import { refuse } from '../../issuer/refusal.ts'
import type { State } from '../../issuer/state.ts'
import { isoTime } from '../iso-time.ts'
import { created, type Handlers, ok } from '../message.ts'
import { answerWith } from '../refusals.ts'
import { letApproverAnswer } from '../tenant/scripted-approver.ts'
import type { IssuerContext } from './context.ts'

/** Poll interval in seconds; the default of the SDKs (CONTRACT.md#push-approvals). */
const interval = 1.5

export const approvalHandlers: Handlers<'approvals.create' | 'approvals.status', IssuerContext> = {
  'approvals.create': ({ context: { tenant }, agent, body }) => {
    const { task_id, reason, impact, on_behalf_of: onBehalfOf } = body
    const { push_device: device, unknown_addressee: unknown } = tenant.state.dialect
    const isKnown = isAddressee(tenant.state, agent().id, onBehalfOf)
    if (!isKnown && unknown === 'not_found') refuse({ error: 'not_found', what: 'user' })
    if (device === 'none') {
      return answerWith(
        428,
        'no_enrolled_device',
        'the user has no push device, and no e-mail could be sent',
      )
    }
    // The answer does not reveal whether the user exists: an unknown user is treated as a user without
    // a device.
    if (device === 'email' || !isKnown) {
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
