import { answerApproval, approvalStatus } from '../../issuer/approvals.ts'
import { approveRequest, denyRequest, mayApprove } from '../../issuer/requests.ts'
import type { ApproverScript } from '../../wire/index.ts'
import type { TenantContext } from './tenant-context.ts'

/** The parts of a tenant that the scripted approver uses. */
type Watched = Pick<TenantContext, 'tenant' | 'polls'>

/**
 * Decides everything that is due, as the scripted approver. Called before an agent or approver reads a
 * status, and for each time that a moving clock passes.
 */
export const letApproverAnswer = (context: Watched): void => {
  const { approver: script } = context.tenant.state
  if (script === undefined || script.decision === 'ignore') return
  decideRequests(context, script)
  answerApprovals(context, script)
}

const decideRequests = ({ tenant, polls }: Watched, script: ApproverScript) => {
  const { state, clock } = tenant
  const approver = [...state.users.values()].find((user) =>
    script.by === undefined ? mayApprove(state, user.id) : user.email === script.by,
  )
  if (approver === undefined) return
  for (const requestId of [...state.undecided]) {
    const request = state.requests.get(requestId)?.request
    if (request === undefined || clock.now() < request.requestedAt + script.after) continue
    if (polls.count(requestId) < script.after_polls) continue
    const decision = { requestId, userId: approver.id }
    try {
      if (script.decision === 'approve') {
        tenant.run(approveRequest, { ...decision, ttl: script.ttl, message: script.reason })
      } else {
        tenant.run(denyRequest, { ...decision, message: script.reason })
      }
    } catch {
      // Requests that this user may not decide, and expired ones, stay as they are.
    }
  }
}

/** The user of a push approval answers it, even when the script names another approver. */
const answerApprovals = ({ tenant, polls }: Watched, script: ApproverScript) => {
  const { state, clock } = tenant
  for (const record of state.approvals.values()) {
    const { id, userId, askedAt } = record.approval
    if (approvalStatus(record, clock.now()) !== 'pending') continue
    if (clock.now() < askedAt + script.after) continue
    if (polls.count(id) < script.after_polls) continue
    const as = script.decision === 'approve' ? 'approved' : 'denied'
    tenant.run(answerApproval, { approvalId: id, as, userId })
  }
}
