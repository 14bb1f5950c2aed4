import { evaluateTask } from '../../issuer/evaluation.ts'
import { scopeApproval, scopeDetail } from '../../issuer/oauth/scopes.ts'
import { requestPermission } from '../../issuer/requests.ts'
import type { TaskRecord } from '../../issuer/state.ts'
import { completeTask, openTask, statusAt } from '../../issuer/tasks.ts'
import type {
  CreateTask,
  OlderTaskCreated,
  OlderTaskStatus,
  TaskCreated,
  TaskEvaluated,
} from '../../wire/index.ts'
import { isoTime } from '../iso-time.ts'
import { type Handlers, ok } from '../message.ts'
import { letApproverAnswer } from '../tenant/scripted-approver.ts'
import type { IssuerContext } from './context.ts'
import { isPending } from './request-views.ts'

export const taskHandlers: Handlers<
  'jit.task.create' | 'jit.task.complete' | 'jit.task.evaluate' | 'jit.status',
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
    const { agent, user, permissions } = principal()
    tenant.run(evaluateTask, {
      taskId,
      agentId: agent?.id,
      userId: permissions.includes('jit.approve') ? user?.id : undefined,
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
    for (const id of requests)
      if (isPending(context, id)) context.polls.note(id, true, tenant.clock.now())
    const { status, scopes, by, at } = approval
    const decided = at === undefined ? undefined : isoTime(at)
    return ok({
      task_id: taskId,
      status,
      approved_scopes: [...scopes],
      ...(status === 'approved' ? { approved_by: by, approved_at: decided } : {}),
    } satisfies OlderTaskStatus)
  },
}

type TaskCall = IssuerContext & Readonly<{ body: CreateTask }>

/** A delegated token opens a task for its user, with or without `on_behalf_of`. */
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

/** The older form opens a task and requests its scopes in one call (CONTRACT.md#older-jit-form). */
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

/** Default lifetime of the older form, in seconds. */
const olderDuration = 300

/** The state of a task, in LumoAuth's format (CONTRACT.md#evaluation). */
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
