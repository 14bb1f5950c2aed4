import type { Decide } from './decide.ts'
import type { Event } from './event.ts'
import { findLiveToken } from './oauth/tokens.ts'
import { suspend } from './policy/risk.ts'
import { refuse } from './refusal.ts'
import { findRequest, lifeAt, mayApprove } from './requests.ts'
import type { State } from './state.ts'
import { findTask, statusAt } from './tasks.ts'

/**
 * Revokes an approval: its tokens are revoked, and it cannot be exchanged any more. An approval that
 * has ended stays as it is.
 * @throws {Refused} `not_found`; `approval_forbidden` without `jit.approve`; `request_not_approved`
 */
export const withdrawPermission: Decide<Readonly<{ requestId: string; userId: string }>> = (
  state,
  { requestId, userId },
  { now },
) => {
  requireApprover(state, userId)
  const record = findRequest(state, requestId)
  const { taskId } = record.request
  const status = lifeAt(state, record, now)
  if (status === 'revoked') return []
  if (status !== 'approved' && status !== 'exchanged') {
    refuse({ error: 'request_not_approved', requestId, status })
  }
  const tokens = [...(state.tasks.get(taskId)?.tokens ?? [])].filter(
    (jti) => findLiveToken(state, jti, now)?.requestId === requestId,
  )
  return [
    { type: 'permission.revoked', requestId, taskId, by: userId },
    ...tokens.map(
      (jti): Event => ({ type: 'token.revoked', jti, reason: 'revoked_by_approver', taskId }),
    ),
  ]
}

/**
 * Suspends a task, with all its child tasks, on behalf of an approver.
 * @throws {Refused} `not_found`; `approval_forbidden` without `jit.approve`; `task_not_active`
 */
export const stopTask: Decide<Readonly<{ taskId: string; userId: string }>> = (
  state,
  { taskId, userId },
  { now },
) => {
  requireApprover(state, userId)
  const record = findTask(state, taskId)
  const status = statusAt(record, now)
  if (status !== 'active') refuse({ error: 'task_not_active', taskId, status })
  return suspend(state, record, now, 'an approver ended the task', userId)
}

const requireApprover = (state: State, userId: string) => {
  if (mayApprove(state, userId)) return
  refuse({ error: 'approval_forbidden', reason: 'the permission jit.approve is missing' })
}
