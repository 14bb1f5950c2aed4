import type { Decide } from './decide.ts'
import type { Event } from './event.ts'
import { excessive, suspend } from './policy/risk.ts'
import { recentActivity } from './recent-activity.ts'
import { refuse } from './refusal.ts'
import { mayApprove } from './requests.ts'
import { completeTask, findTask, requireOwnTask, statusAt } from './tasks.ts'

export type EvaluateTask = Readonly<{
  taskId: string
  /** The caller: the agent of the task, or an approver. */
  agentId?: string | undefined
  userId?: string | undefined
  /** The result of the task, reported by the agent. */
  result?: string | undefined
  notes?: string | undefined
}>

/**
 * Evaluates the risk of a task again, because the policy may have changed. Suspends a task over the
 * limit. With a result it completes the task, if the dialect says so (CONTRACT.md#evaluation).
 */
export const evaluateTask: Decide<EvaluateTask> = (
  state,
  { taskId, agentId, userId, result, notes },
  context,
) => {
  if (agentId === undefined && !mayApprove(state, userId ?? '')) {
    refuse({ error: 'approval_forbidden', reason: 'the permission jit.approve is missing' })
  }
  const record =
    agentId === undefined ? findTask(state, taskId) : requireOwnTask(state, taskId, agentId)
  if (agentId === undefined && result !== undefined) refuse({ error: 'task_forbidden', taskId })
  const evaluated: Event = {
    type: 'task.evaluated',
    taskId,
    ...(result === undefined ? {} : { result }),
    ...(notes === undefined ? {} : { notes }),
  }
  if (statusAt(record, context.now) !== 'active') return [evaluated]
  const reason = excessive(state, record, recentActivity(state, record.task.agentId, context.now))
  if (reason !== undefined) return [evaluated, ...suspend(state, record, context.now, reason)]
  const closes = result !== undefined && state.dialect.evaluate_closes === 'yes'
  return [
    evaluated,
    ...(closes && agentId !== undefined ? completeTask(state, { taskId, agentId }, context) : []),
  ]
}
