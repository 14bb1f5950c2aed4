import { answerApproval } from '../../issuer/approvals.ts'
import { assessRequest } from '../../issuer/requests.ts'
import { findUser } from '../../issuer/tasks.ts'
import { type Handlers, ok } from '../message.ts'
import { answerWith } from '../refusals.ts'
import type { ControlContext } from './context.ts'
import { agentNamed } from './find-agent.ts'

/** Settings of a tenant: policy, approver, dialect and rate limits. */
export const settingHandlers: Handlers<
  | 'control.policy.read'
  | 'control.policy.replace'
  | 'control.policy.decide'
  | 'control.approver.script'
  | 'control.approval.answer'
  | 'control.dialect.read'
  | 'control.dialect.set'
  | 'control.limits.read'
  | 'control.limits.set',
  ControlContext
> = {
  'control.policy.read': ({ context }) => ok(context().tenant.state.policy),
  'control.policy.replace': ({ context, body }) => {
    context().tenant.happen([{ type: 'policy.replaced', policy: body }])
    return ok(context().tenant.state.policy)
  },
  'control.policy.decide': ({ context, body }) => {
    const { state, clock } = context().tenant
    const task = body.task_id === undefined ? undefined : state.tasks.get(body.task_id)
    const { rule, ttl, explanation } = assessRequest(
      state,
      task,
      {
        agentId: agentNamed(context(), body.agent).id,
        detail: body.authorization_details,
        justification: body.justification,
        requestedTtl: body.requested_ttl,
      },
      clock.now(),
    )
    const status = { approve: 'approved', ask: 'pending', deny: 'denied' }[rule.decision]
    return ok({ status, explanation, ...(rule.decision === 'deny' ? {} : { granted_ttl: ttl }) })
  },
  'control.approver.script': ({ context, body }) => {
    if (body.by !== undefined && findUser(context().tenant.state, body.by) === undefined) {
      answerWith(400, 'invalid_request', 'by: expected the e-mail address of a user of this tenant')
    }
    context().tenant.happen([{ type: 'approver.scripted', script: body }])
    return ok(body)
  },
  'control.approval.answer': ({ context, params, body }) => {
    const { approvalToken: approvalId = '' } = params
    const { tenant } = context()
    const asked = tenant.state.approvals.get(approvalId)?.approval
    tenant.run(answerApproval, {
      approvalId,
      as: body.decision === 'approve' ? 'approved' : 'denied',
      userId: asked?.userId ?? '',
    })
    return ok({ ok: true })
  },
  'control.dialect.read': ({ context }) => ok(context().tenant.state.dialect),
  'control.dialect.set': ({ context, body }) => {
    context().tenant.happen([{ type: 'dialect.set', dialect: body }])
    return ok(body)
  },
  'control.limits.read': ({ context }) => ok(context().tenant.state.limits),
  'control.limits.set': ({ context, body }) => {
    context().tenant.happen([{ type: 'limits.set', limits: body }])
    return ok(body)
  },
}
