import { refuse } from '../issuer/refusal.ts'
import {
  approveRequest,
  denyRequest,
  exchangeRequest,
  lifeAt,
  mayApprove,
  ownRequest,
  requestPermission,
} from '../issuer/requests.ts'
import type { RequestRecord } from '../issuer/state.ts'
import { completeTask, openTask } from '../issuer/tasks.ts'
import { accessTokenType, type PendingRequests, type PermissionRequest } from '../wire/index.ts'
import { accessToken } from './access-token.ts'
import type { Principal } from './authenticate.ts'
import { isoTime } from './iso-time.ts'
import type { IssuerContext } from './issuer.ts'
import { type Handlers, ok } from './message.ts'
import { basePath, letApproverAnswer, type Tenancy } from './tenancy.ts'

export const jitHandlers: Handlers<
  | 'jit.task.create'
  | 'jit.task.complete'
  | 'jit.request'
  | 'jit.request.status'
  | 'jit.request.token'
  | 'jit.pending'
  | 'jit.approve'
  | 'jit.deny',
  IssuerContext
> = {
  'jit.task.create': ({ tenancy: { tenant }, agent, body }) => {
    const [{ task }] = tenant.run(openTask, {
      agentId: agent().id,
      name: body.name,
      type: body.type,
      parentTaskId: body.parent_task_id,
      onBehalfOf: body.on_behalf_of,
    })
    const user = task.onBehalfOf === undefined ? undefined : tenant.state.users.get(task.onBehalfOf)
    return {
      status: Number(tenant.state.dialect.create_task_status),
      body: {
        task_id: task.id,
        caep_session_id: task.caepSessionId,
        expires_at: isoTime(task.expiresAt),
        agent_id: task.agentId,
        agent: { id: task.agentId, name: agent().name },
        on_behalf_of: user?.email ?? null,
        ...(task.parentId === undefined ? {} : { parent_task_id: task.parentId }),
      },
    }
  },

  'jit.task.complete': ({ tenancy: { tenant }, agent, params }) => {
    const { taskId = '' } = params
    tenant.run(completeTask, { taskId, agentId: agent().id })
    if (tenant.state.dialect.complete_status === '204') return { status: 204 }
    const completedAt = tenant.state.tasks.get(taskId)?.ended?.at ?? tenant.clock.now()
    return ok({ task_id: taskId, status: 'completed', completed_at: isoTime(completedAt) })
  },

  'jit.request': ({ tenancy, agent, body, request }) => {
    const { tenant } = tenancy
    const [{ request: made }] = tenant.run(requestPermission, {
      agentId: agent().id,
      taskId: body.task_id,
      detail: body.authorization_details,
      justification: body.justification,
      requestedTtl: body.requested_ttl,
      callbackUrl: body.callback_url,
    })
    const seen = seenByAgent(tenancy, made.id, request.path)
    const status = seen.status === 'pending' ? Number(tenant.state.dialect.pending_status) : 201
    return { status, body: seen }
  },

  'jit.request.status': ({ tenancy, agent, params, request }) => {
    const { requestId = '' } = params
    ownRequest(tenancy.tenant.state, requestId, agent().id)
    notePoll(tenancy, requestId)
    return ok(seenByAgent(tenancy, requestId, request.path))
  },

  'jit.request.token': async ({ tenancy, agent, params, request }) => {
    const { requestId = '' } = params
    const { tenant } = tenancy
    letApproverAnswer(tenancy)
    const [{ token }] = tenant.run(exchangeRequest, { requestId, agentId: agent().id })
    return {
      status: 200,
      headers: { 'cache-control': 'no-store', pragma: 'no-cache' },
      body: {
        access_token: await accessToken(tenancy, token, request.path),
        token_type: 'Bearer',
        expires_in: token.expiresAt - token.issuedAt,
        issued_token_type: accessTokenType,
        authorization_details: [token.detail],
        task_id: token.taskId,
        jit_request_id: token.requestId,
      },
    }
  },

  'jit.pending': ({ tenancy, principal, request }) => {
    const asked = principal()
    const { state } = tenancy.tenant
    letApproverAnswer(tenancy)
    const visible = [...state.undecided]
      .flatMap((id) => state.requests.get(id) ?? [])
      .filter((record) => lifeAt(state, record, tenancy.tenant.clock.now()) === 'pending')
      .filter(mayList(tenancy, asked))
    return ok(
      pendingList(
        tenancy,
        visible.map((record) => seenByApprover(tenancy, record, request.path)),
      ),
    )
  },

  'jit.approve': ({ tenancy: { tenant }, principal, params, body }) => {
    const { requestId = '' } = params
    const { user, agentHeld } = principal()
    tenant.run(approveRequest, {
      requestId,
      userId: user?.id ?? '',
      agentHeld,
      ttl: body.ttl,
      notes: body.notes,
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

  'jit.deny': ({ tenancy: { tenant }, principal, params, body }) => {
    const { requestId = '' } = params
    const { user, agentHeld } = principal()
    tenant.run(denyRequest, { requestId, userId: user?.id ?? '', agentHeld, reason: body.reason })
    return ok({ request_id: requestId, status: 'denied' })
  },
}

/** One request as its agent sees it (contract §8.6). */
const seenByAgent = (
  tenancy: Tenancy,
  requestId: string,
  requestPath: string,
): PermissionRequest => {
  const { tenant } = tenancy
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
    authorization_details: request.detail,
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
          ...(decided.notes === undefined ? {} : { review_notes: decided.notes }),
        }
      : {}),
    ...(decided?.as === 'denied' ? denialText(tenancy, decided.reason) : {}),
  }
}

/** Two names for one text (contract §7 row 9). */
const denialText = ({ tenant }: Tenancy, reason = 'Denied.') => {
  const { denial_text: where } = tenant.state.dialect
  return {
    ...(where === 'deny_reason' ? {} : { review_notes: reason }),
    ...(where === 'review_notes' ? {} : { deny_reason: reason }),
  }
}

/** One request as an approver sees it: the exact detail, apart from the agent's prose (HITL-04). */
const seenByApprover = (tenancy: Tenancy, record: RequestRecord, requestPath: string) => {
  const { request, endorsedBy } = record
  const { state } = tenancy.tenant
  const task = state.tasks.get(request.taskId)?.task
  return {
    ...seenByAgent(tenancy, request.id, requestPath),
    agent_id: request.agentId,
    agent_name: state.agents.get(request.agentId)?.name,
    task_name: task?.name ?? null,
    on_behalf_of: task?.onBehalfOf ? (state.users.get(task.onBehalfOf)?.email ?? null) : null,
    justification: request.justification ?? null,
    requested_ttl: request.ttl,
    requested_at: isoTime(request.requestedAt),
    approvals: endorsedBy.length,
    approvals_required: request.approvalsRequired,
    explanation: request.explanation,
  }
}

/** Approvers see the whole tenant; the lenient dialect shows agents their own (contract §7 row 7). */
const mayList = (
  { tenant }: Tenancy,
  { agent, user, agentHeld }: Principal,
): ((record: RequestRecord) => boolean) => {
  if (!agentHeld && user !== undefined && mayApprove(tenant.state, user.id)) return () => true
  if (agent !== undefined && tenant.state.dialect.pending_for === 'agents_own') {
    return ({ request }) => request.agentId === agent.id
  }
  return refuse({ error: 'approval_forbidden', reason: 'the permission jit.approve is missing' })
}

const pendingList = (
  { tenant }: Tenancy,
  requests: ReturnType<typeof seenByApprover>[],
): PendingRequests | typeof requests | object => {
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

const notePoll = (tenancy: Tenancy, requestId: string) => {
  const { tenant, polls } = tenancy
  const now = tenant.clock.now()
  const before = polls.get(requestId)
  const { poll_interval: interval } = tenant.state.policy
  const record = tenant.state.requests.get(requestId)
  if (record === undefined || lifeAt(tenant.state, record, now) !== 'pending') {
    polls.delete(requestId)
    return
  }
  if (tenant.state.dialect.slow_down === 'on' && before && now < before.lastAt + interval) {
    refuse({ error: 'slow_down', interval })
  }
  letApproverAnswer(tenancy)
  polls.set(requestId, { count: (before?.count ?? 0) + 1, lastAt: now })
}
