import type { Event } from './event.ts'
import type { State, TaskRecord } from './state.ts'
import { endTask } from './tasks.ts'

/** Why a task with this score and so many denials has to end; undefined while it may go on. */
export const excessive = (
  { policy: { scoring } }: State,
  { score, denials }: Pick<TaskRecord, 'score' | 'denials'>,
): string | undefined => {
  if (denials >= scoring.suspend_denials) return `${scoring.suspend_denials} requests were denied`
  if (score >= scoring.suspend_from)
    return `the task reached the risk score ${scoring.suspend_from}`
  return undefined
}

/** The end of a task that the agent does not choose (contract §5.5). */
export const suspend = (state: State, task: TaskRecord, now: number, reason: string): Event[] =>
  endTask(state, task, now, 'task_suspended', (taskId) => ({
    type: 'task.suspended',
    taskId,
    reason,
  }))
