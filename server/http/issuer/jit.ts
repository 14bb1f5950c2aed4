import { answerApproval } from '../../issuer/approvals.ts'
import { evaluateTask } from '../../issuer/evaluation.ts'
import { refuse } from '../../issuer/refusal.ts'
import {
  approveRequest,
  denyRequest,
  exchangeRequest,
  lifeAt,
  mayApprove,
  ownRequest,
  repetitionsOf,
  requestPermission,
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
import { type Handlers, ok } from '../message.ts'
import { answerWith } from '../refusals.ts'
import { basePath, letApproverAnswer, notePoll, type Tenancy } from '../tenant-context.ts'
import type { IssuerContext } from './handlers.ts'
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
    status: Number(call.tenancy.tenant.state.dialect.create_task_status),
    body: call.body.task_description === undefined ? opened(call) : openedForScopes(call),
  }),

  'jit.task.complete': ({ tenancy: { tenant }, agent, params }) => {
    const { taskId = '' } = params
    tenant.run(completeTask, { taskId, agentId: agent().id })
    if (tenant.state.dialect.complete_status === '204') return { status: 204 }
    const completedAt = tenant.state.tasks.get(taskId)?.ended?.at ?? tenant.clock.now()
    return ok({ task_id: taskId, status: 'completed', completed_at: isoTime(completedAt) })
  },

  'jit.task.evaluate': ({ tenancy: { tenant }, principal, params, body }) => {
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

  'jit.status': ({ tenancy, agent, params }) => {
    const { taskId = '' } = params
    const { tenant } = tenancy
    letApproverAnswer(tenancy)
    const approval = scopeApproval(tenant.state, taskId, agent().id, tenant.clock.now())
    const { requests = [] } = tenant.state.tasks.get(taskId) ?? {}
    for (const id of requests) if (isPending(tenancy, id)) notePoll(tenancy, id, true)
    const { status, scopes, by, at } = approval
    const decided = at === undefined ? undefined : isoTime(at)
    return ok({
      task_id: taskId,
      status,
      approved_scopes: [...scopes],
      ...(status === 'approved' ? { approved_by: by, approved_at: decided } : {}),
    } satisfies OlderTaskStatus)
  },

  'jit.request': ({ tenancy, agent, body, request }) => {
    const { tenant, outbound } = tenancy
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
    const seen = seenByAgent(tenancy, made.id, request.path)
    const status = seen.status === 'pending' ? Number(tenant.state.dialect.pending_status) : 201
    return { status, body: seen }
  },

  'jit.request.status': ({ tenancy, agent, params, request }) => {
    const { requestId = '' } = params
    ownRequest(tenancy.tenant.state, requestId, agent().id)
    refuseFasterThanInterval(tenancy, requestId)
    letApproverAnswer(tenancy)
    notePoll(tenancy, requestId, isPending(tenancy, requestId))
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
    const now = tenancy.tenant.clock.now()
    const visible = [...state.undecided]
      .flatMap((id) => state.requests.get(id) ?? [])
      .filter((record) => lifeAt(state, record, now) === 'pending')
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

  'jit.deny': ({ tenancy: { tenant }, principal, params, body }) => {
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
const open = ({ tenancy: { tenant }, agent, principal, body }: TaskCall) => {
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

const opened = (call: TaskCall): TaskCreated => {
  const task = open(call)
  const { tenancy, agent } = call
  const { users } = tenancy.tenant.state
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
const openedForScopes = (call: TaskCall): OlderTaskCreated => {
  const { id: taskId } = open(call)
  const { tenancy, agent, body } = call
  const { tenant, origins } = tenancy
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
    decided_together: repetitionsOf(state, record, tenancy.tenant.clock.now()).map(
      (it) => it.request.id,
    ),
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
const refuseFasterThanInterval = (tenancy: Tenancy, requestId: string) => {
  const { tenant, polls } = tenancy
  const before = polls.get(requestId)
  if (tenant.state.dialect.slow_down === 'off' || before === undefined) return
  const { poll_interval: interval } = tenant.state.policy
  const isFast = tenant.clock.now() < before.lastAt + interval
  if (isFast && isPending(tenancy, requestId)) refuse({ error: 'slow_down', interval })
}

const isPending = ({ tenant: { state, clock } }: Tenancy, requestId: string) => {
  const record = state.requests.get(requestId)
  return record !== undefined && lifeAt(state, record, clock.now()) === 'pending'
}
