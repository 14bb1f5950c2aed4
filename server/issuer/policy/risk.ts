import type { Event } from '../event.ts'
import type { State, TaskRecord } from '../state.ts'
import { endTask } from '../tasks.ts'

type Risk = Pick<TaskRecord, 'score' | 'denials'>

/**
 * Why a task with this score and this number of denials is suspended; undefined when it is not.
 * @param recent of all tasks of the root agent within 600 s, for which the policy has separate limits
 */
export const excessive = (
  { policy: { scoring } }: State,
  { score, denials }: Risk,
  recent: Risk,
): string | undefined => {
  if (denials >= scoring.suspend_denials) return `${scoring.suspend_denials} requests were denied`
  if (score >= scoring.suspend_from)
    return `the task reached the risk score ${scoring.suspend_from}`
  if (recent.denials >= scoring.agent_denials)
    return `${scoring.agent_denials} requests of the agent were denied within 600 s`
  if (recent.score >= scoring.agent_from)
    return `the agent reached the risk score ${scoring.agent_from} within 600 s`
  return undefined
}

/**
 * Suspends a task (CONTRACT.md#suspension).
 * @param by the approver who ended it; absent: the policy
 */
export const suspend = (
  state: State,
  task: TaskRecord,
  now: number,
  reason: string,
  by?: string,
): Event[] =>
  endTask(state, task, now, 'task_suspended', (taskId) => ({
    type: 'task.suspended',
    taskId,
    reason,
    ...(by === undefined ? {} : { by }),
  }))
