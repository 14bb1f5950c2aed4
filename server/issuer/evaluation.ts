import type { Decide } from './decide.ts'
import type { Event } from './event.ts'
import { recentActivity } from './lineage.ts'
import { refuse } from './refusal.ts'
import { mayApprove } from './requests.ts'
import { excessive, suspend } from './risk.ts'
import { completeTask, findTask, requireOwnTask, statusAt } from './tasks.ts'

export type EvaluateTask = Readonly<{
  taskId: string
  /** Who asks: the agent whose task it is, or an approver. */
  agentId?: string | undefined
  userId?: string | undefined
  /** How it went, as the agent says. */
  result?: string | undefined
  notes?: string | undefined
}>

/**
 * Looks at a task again, since the policy may have changed meanwhile: one that has run up too much
 * risk is suspended. With a result it ends, where the dialect says so (contract §7 row 8).
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
