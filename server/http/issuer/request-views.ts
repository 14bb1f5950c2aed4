import { grantedDetail, lifeAt, repetitionsOf } from '../../issuer/requests.ts'
import type { RequestRecord } from '../../issuer/state.ts'
import type { PermissionRequest } from '../../wire/index.ts'
import { isoTime } from '../iso-time.ts'
import { basePath } from '../origin/issuer-urls.ts'
import type { TenantContext } from '../tenant/tenant-context.ts'

/** The parts of a tenant that a view uses. */
type Reach = Pick<TenantContext, 'tenant'>

/** One request as its agent sees it (CONTRACT.md#status-of-a-request). */
export const toAgentView = (
  context: Reach,
  requestId: string,
  requestPath: string,
): PermissionRequest => {
  const { tenant } = context
  const { state } = tenant
  const record = state.requests.get(requestId) as RequestRecord
  const { request, decided } = record
  const life = lifeAt(state, record, tenant.clock.now())
  const url = `${basePath(tenant.slug, requestPath)}/jit/request/${request.id}`
  return {
    request_id: request.id,
    status: life === 'exchanged' ? 'approved' : life,
    risk_level: request.risk,
    task_id: request.taskId,
    authorization_details: grantedDetail(record),
    ...(life === 'pending'
      ? {
          status_url: `${url}/status`,
          expires_at: isoTime(request.expiresAt),
          interval: state.policy.poll_interval,
          message: 'Waiting for a person to decide.',
        }
      : {}),
    ...((life === 'approved' || life === 'exchanged') && decided?.as === 'approved'
      ? {
          token_url: `${url}/token`,
          granted_ttl: decided.ttl,
        }
      : {}),
    ...(decided === undefined ? {} : decisionText(context, decided)),
  }
}

/**
 * The texts of a decision for the agent: `agent_message`, and whether there are notes for people
 * (lumoauth-api-client 1.1.0, GetRequestStatusResponse). Older forms contain the notes, and a denial
 * contains them under two names (CONTRACT.md#texts-of-a-decision). A policy's text is for the agent.
 */
export const decisionText = (
  { tenant }: Reach,
  decided: NonNullable<RequestRecord['decided']>,
): Pick<PermissionRequest, 'has_notes' | 'agent_message' | 'review_notes' | 'deny_reason'> => {
  const { denial_text: where } = tenant.state.dialect
  const isDenied = decided.as === 'denied'
  const notes = isDenied ? decided.reason : decided.notes
  const isPolicy = decided.by === 'policy'
  if (where === 'agent_message') {
    const message = decided.message ?? (isPolicy ? notes : undefined)
    return {
      has_notes: !isPolicy && notes !== undefined,
      ...(message === undefined
        ? {}
        : { agent_message: message, ...(isDenied ? { deny_reason: message } : {}) }),
    }
  }
  const text = notes ?? decided.message ?? (isDenied ? 'Denied.' : undefined)
  if (text === undefined) return {}
  return {
    ...(isDenied && where === 'deny_reason' ? {} : { review_notes: text }),
    ...(isDenied && where !== 'review_notes' ? { deny_reason: text } : {}),
  }
}

/** One request as an approver sees it: the exact detail, separate from the agent's text (HITL-04). */
export const toApproverView = (context: Reach, record: RequestRecord, requestPath: string) => {
  const { request, endorsedBy } = record
  const { state } = context.tenant
  const task = state.tasks.get(request.taskId)?.task
  return {
    ...toAgentView(context, request.id, requestPath),
    agent_id: request.agentId,
    agent_name: state.agents.get(request.agentId)?.name,
    task_name: task?.name ?? null,
    on_behalf_of: task?.onBehalfOf ? (state.users.get(task.onBehalfOf)?.email ?? null) : null,
    justification: request.justification ?? null,
    requested_ttl: request.ttl,
    requested_at: isoTime(request.requestedAt),
    approvals: endorsedBy.length,
    approvals_required: request.approvalsRequired,
    decided_together: repetitionsOf(state, record, context.tenant.clock.now()).map(
      (it) => it.request.id,
    ),
    explanation: request.explanation,
  }
}

export const isPending = ({ tenant: { state, clock } }: Reach, requestId: string) => {
  const record = state.requests.get(requestId)
  return record !== undefined && lifeAt(state, record, clock.now()) === 'pending'
}
