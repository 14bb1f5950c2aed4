import { answerApproval } from '../../issuer/approvals.ts'
import { evaluateTask } from '../../issuer/evaluation.ts'
import { refuse } from '../../issuer/refusal.ts'
import {
  approveRequest,
  denyRequest,
  exchangeRequest,
  lifeAt,
  mayApprove,
  repetitionsOf,
  requestPermission,
  requireOwnRequest,
} from '../../issuer/requests.ts'
import { scopeApproval, scopeDetail } from '../../issuer/scopes.ts'
import type { RequestRecord, TaskRecord } from '../../issuer/state.ts'
import { completeTask, openTask, statusAt } from '../../issuer/tasks.ts'
import {
  type AuthorizationDetail,
  accessTokenType,
  type CreateTask,
  type OlderTaskCreated,
  type OlderTaskStatus,
  type PendingRequests,
  type PermissionRequest,
  type RequestPermission,
  type TaskCreated,
  type TaskEvaluated,
} from '../../wire/index.ts'
import { isoTime } from '../iso-time.ts'
import { basePath } from '../issuer-urls.ts'
import { type Handlers, ok } from '../message.ts'
import { answerWith } from '../refusals.ts'
import { letApproverAnswer } from '../scripted-approver.ts'
import { notePoll, type TenantContext } from '../tenant-context.ts'
import type { IssuerContext } from './context.ts'
import { accessToken } from './oauth/access-token.ts'
import type { Principal } from './oauth/bearer.ts'

export const jitHandlers: Handlers<
  | 'jit.task.create'
  | 'jit.task.complete'
  | 'jit.task.evaluate'
  | 'jit.status'
  | 'jit.request'
  | 'jit.request.status'
  | 'jit.request.token'
  | 'jit.pending'
  | 'jit.approve'
  | 'jit.deny',
  IssuerContext
> = {
  'jit.task.create': (call) => ({
    status: Number(call.context.tenant.state.dialect.create_task_status),
    body:
      call.body.task_description === undefined ? openTaskResponse(call) : openTaskForScopes(call),
  }),

  'jit.task.complete': ({ context: { tenant }, agent, params }) => {
    const { taskId = '' } = params
    tenant.run(completeTask, { taskId, agentId: agent().id })
    if (tenant.state.dialect.complete_status === '204') return { status: 204 }
    const completedAt = tenant.state.tasks.get(taskId)?.ended?.at ?? tenant.clock.now()
    return ok({ task_id: taskId, status: 'completed', completed_at: isoTime(completedAt) })
  },

  'jit.task.evaluate': ({ context: { tenant }, principal, params, body }) => {
    const { taskId = '' } = params
    const { agent, user } = principal()
    tenant.run(evaluateTask, {
      taskId,
      agentId: agent?.id,
      userId: user?.id,
      result: body.result,
      notes: body.notes,
    })
    return ok(evaluation(tenant.state.tasks.get(taskId) as TaskRecord, tenant.clock.now()))
  },

  'jit.status': ({ context, agent, params }) => {
    const { taskId = '' } = params
    const { tenant } = context
    letApproverAnswer(context)
    const approval = scopeApproval(tenant.state, taskId, agent().id, tenant.clock.now())
    const { requests = [] } = tenant.state.tasks.get(taskId) ?? {}
    for (const id of requests) if (isPending(context, id)) notePoll(context, id, true)
    const { status, scopes, by, at } = approval
    const decided = at === undefined ? undefined : isoTime(at)
    return ok({
      task_id: taskId,
      status,
      approved_scopes: [...scopes],
      ...(status === 'approved' ? { approved_by: by, approved_at: decided } : {}),
    } satisfies OlderTaskStatus)
  },

  'jit.request': ({ context, agent, body, request }) => {
    const { tenant, outbound } = context
    const objection = body.callback_url && outbound.objection(body.callback_url)
    if (objection) answerWith(400, 'invalid_request', `callback_url: refused, ${objection}`)
    const [{ request: made }] = tenant.run(requestPermission, {
      agentId: agent().id,
      taskId: body.task_id,
      detail: detailOf(body),
      justification: body.justification,
      requestedTtl: body.requested_ttl,
      callbackUrl: body.callback_url,
    })
    const seen = toAgentView(context, made.id, request.path)
    const status = seen.status === 'pending' ? Number(tenant.state.dialect.pending_status) : 201
    return { status, body: seen }
  },

  'jit.request.status': ({ context, agent, params, request }) => {
    const { requestId = '' } = params
    requireOwnRequest(context.tenant.state, requestId, agent().id)
    refuseFasterThanInterval(context, requestId)
    letApproverAnswer(context)
    notePoll(context, requestId, isPending(context, requestId))
    return ok(toAgentView(context, requestId, request.path))
  },

  'jit.request.token': async ({ context, agent, params, request }) => {
    const { requestId = '' } = params
    const { tenant } = context
    letApproverAnswer(context)
    const [{ token }] = tenant.run(exchangeRequest, { requestId, agentId: agent().id })
    return {
      status: 200,
      headers: { 'cache-control': 'no-store', pragma: 'no-cache' },
      body: {
        access_token: await accessToken(context, token, request.path),
        token_type: 'Bearer',
        expires_in: token.expiresAt - token.issuedAt,
        issued_token_type: accessTokenType,
        authorization_details: [token.detail],
        task_id: token.taskId,
        jit_request_id: token.requestId,
      },
    }
  },

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
      tenant.run(denyRequest, { requestId, ...decision, reason: body.reason })
    }
    return ok({ request_id: requestId, status: 'denied' })
  },
}

type TaskCall = IssuerContext & Readonly<{ body: CreateTask }>

/** A delegated token opens a task for its user, whether or not the body says so. */
const open = ({ context: { tenant }, agent, principal, body }: TaskCall) => {
  const { user, agentHeld } = principal()
  const [{ task }] = tenant.run(openTask, {
    agentId: agent().id,
    name: body.name ?? body.task_description?.slice(0, 256),
    type: body.type,
    parentTaskId: body.parent_task_id,
    onBehalfOf: body.on_behalf_of,
    delegatedBy: agentHeld ? user?.id : undefined,
  })
  return task
}

const openTaskResponse = (call: TaskCall): TaskCreated => {
  const task = open(call)
  const { context, agent } = call
  const { users } = context.tenant.state
  return {
    task_id: task.id,
    caep_session_id: task.caepSessionId,
    expires_at: isoTime(task.expiresAt),
    agent_id: task.agentId,
    agent: { id: task.agentId, name: agent().name },
    on_behalf_of: (task.onBehalfOf && users.get(task.onBehalfOf)?.email) ?? null,
    ...(task.parentId === undefined ? {} : { parent_task_id: task.parentId }),
  }
}

/** The older form opens a task and asks for its scopes in one (contract §2.2.1). */
const openTaskForScopes = (call: TaskCall): OlderTaskCreated => {
  const { id: taskId } = open(call)
  const { context, agent, body } = call
  const { tenant, origins } = context
  const [{ request }] = tenant.run(requestPermission, {
    agentId: agent().id,
    taskId,
    detail: scopeDetail(body.required_scopes ?? [], body.resources),
    justification: body.task_description,
    requestedTtl: body.duration ?? olderDuration,
  })
  const { status } = scopeApproval(tenant.state, taskId, agent().id, tenant.clock.now())
  return {
    task_id: taskId,
    status,
    approval_url: `${origins.issuer}/approve/${taskId}`,
    expires_in: request.ttl,
  }
}

/** Seconds, where the older form names none. */
const olderDuration = 300

const detailOf = ({ authorization_details, scope = '' }: RequestPermission): AuthorizationDetail =>
  authorization_details ?? scopeDetail(scope.split(' ').filter((it) => it !== ''))

/** How a task stands, in LumoAuth's words (contract §5.5). */
const evaluation = (record: TaskRecord, now: number): TaskEvaluated => {
  const { task, ended, score, denials } = record
  const status = statusAt(record, now)
  return {
    task_id: task.id,
    active: status === 'active',
    events:
      ended?.as === 'suspended'
        ? [
            {
              type: 'risk_threshold_exceeded',
              details: { risk_score: score, denial_count: denials },
              timestamp: isoTime(ended.at),
            },
          ]
        : [],
    action: status === 'active' ? 'none' : status,
    risk_score: score,
    denial_count: denials,
  }
}

/** One request as its agent sees it (contract §8.6). */
const toAgentView = (
  context: TenantContext,
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
    ...(decided?.as === 'denied' ? denialText(context, decided.reason) : {}),
  }
}

/** Two names for one text (contract §7 row 9). */
const denialText = ({ tenant }: TenantContext, reason = 'Denied.') => {
  const { denial_text: where } = tenant.state.dialect
  return {
    ...(where === 'deny_reason' ? {} : { review_notes: reason }),
    ...(where === 'review_notes' ? {} : { deny_reason: reason }),
  }
}

/** One request as an approver sees it: the exact detail, apart from the agent's prose (HITL-04). */
const toApproverView = (context: TenantContext, record: RequestRecord, requestPath: string) => {
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

/** RFC 8628 §3.5, where the dialect says so. */
const refuseFasterThanInterval = (context: TenantContext, requestId: string) => {
  const { tenant, polls } = context
  const before = polls.get(requestId)
  if (tenant.state.dialect.slow_down === 'off' || before === undefined) return
  const { poll_interval: interval } = tenant.state.policy
  const isFast = tenant.clock.now() < before.lastAt + interval
  if (isFast && isPending(context, requestId)) refuse({ error: 'slow_down', interval })
}

const isPending = ({ tenant: { state, clock } }: TenantContext, requestId: string) => {
  const record = state.requests.get(requestId)
  return record !== undefined && lifeAt(state, record, clock.now()) === 'pending'
}
