import type { TaskStatus } from '../wire/index.ts'
import { withinBudget } from './budgets.ts'
import type { Decide } from './decide.ts'
import type { Event, EventOf, RevocationReason } from './event.ts'
import { refuse } from './refusal.ts'
import type { State, TaskRecord } from './state.ts'

export type OpenTask = Readonly<{
  agentId: string
  name?: string | undefined
  type?: string | undefined
  parentTaskId?: string | undefined
  /** E-mail address or id of the user the agent acts for. */
  onBehalfOf?: string | undefined
  /** The user of the agent's delegated token, the only user it may act for. */
  delegatedBy?: string | undefined
}>

/** Opens a task. A child task expires with its parent at the latest, and acts for the same user. */
export const openTask: Decide<OpenTask, readonly [EventOf<'task.opened'>]> = (
  state,
  { agentId, name, type, parentTaskId, onBehalfOf, delegatedBy },
  { now, id },
) => {
  const parent =
    parentTaskId === undefined ? undefined : requireActiveTask(state, parentTaskId, agentId, now)
  refuseTooMany(state, agentId, parent, now)
  withinBudget(state, agentId, 'calls', now)
  const named = onBehalfOf ?? delegatedBy
  const user = named === undefined ? undefined : principal(state, agentId, named)
  if (delegatedBy !== undefined && user !== delegatedBy) {
    refuse({
      error: 'delegation_not_allowed',
      reason: 'on_behalf_of: expected the user of the delegated token',
    })
  }
  const inherited = parent?.task.onBehalfOf
  if (user !== undefined && inherited !== undefined && user !== inherited) {
    refuse({ error: 'delegation_not_allowed', reason: 'the parent task is for another user' })
  }
  const actsFor = user ?? inherited
  const expiresAt = now + state.policy.task_lifetime
  return [
    {
      type: 'task.opened',
      task: {
        id: id('task'),
        agentId,
        caepSessionId: id('caep'),
        openedAt: now,
        expiresAt: Math.min(expiresAt, parent?.task.expiresAt ?? expiresAt),
        ...(name === undefined ? {} : { name }),
        ...(type === undefined ? {} : { type }),
        ...(parent === undefined ? {} : { parentId: parent.task.id }),
        ...(actsFor === undefined ? {} : { onBehalfOf: actsFor }),
      },
    },
  ]
}

/** Completes the task and all its child tasks. Completing it again has no effect. */
export const completeTask: Decide<Readonly<{ taskId: string; agentId: string }>> = (
  state,
  { taskId, agentId },
  { now },
) => {
  const record = requireOwnTask(state, taskId, agentId)
  const status = statusAt(record, now)
  if (status === 'completed') return []
  if (status !== 'active') refuse({ error: 'task_not_active', taskId, status })
  return endTask(state, record, now, 'task_completed', (id) => ({
    type: 'task.completed',
    taskId: id,
  }))
}

/** A task past `expiresAt` is expired; no timer is involved. */
export const statusAt = ({ task, ended }: TaskRecord, now: number): TaskStatus =>
  ended?.as ?? (now >= task.expiresAt ? 'expired' : 'active')

/** @throws {Refused} `not_found` */
export const findTask = (state: State, taskId: string): TaskRecord =>
  state.tasks.get(taskId) ?? refuse({ error: 'not_found', what: `task ${taskId}` })

/** @throws {Refused} `not_found`, or `task_forbidden` for another agent's task */
export const requireOwnTask = (state: State, taskId: string, agentId: string): TaskRecord => {
  const record = findTask(state, taskId)
  if (record.task.agentId !== agentId) refuse({ error: 'task_forbidden', taskId })
  return record
}

/** @throws {Refused} as `requireOwnTask`, or `task_not_active` */
export const requireActiveTask = (
  state: State,
  taskId: string,
  agentId: string,
  now: number,
): TaskRecord => {
  const record = requireOwnTask(state, taskId, agentId)
  const status = statusAt(record, now)
  if (status !== 'active') refuse({ error: 'task_not_active', taskId, status })
  return record
}

/** The events that end a task and its descendants, deepest first: tokens, then the task itself. */
export const endTask = (
  state: State,
  record: TaskRecord,
  now: number,
  reason: RevocationReason,
  ended: (taskId: string) => Event,
): Event[] => [
  ...record.children.flatMap((childId) => {
    const child = state.tasks.get(childId)
    return child && statusAt(child, now) === 'active'
      ? endTask(state, child, now, reason, ended)
      : []
  }),
  ...[...record.tokens].map(
    (jti): Event => ({ type: 'token.revoked', jti, reason, taskId: record.task.id }),
  ),
  ended(record.task.id),
]

const refuseTooMany = (
  state: State,
  agentId: string,
  parent: TaskRecord | undefined,
  now: number,
) => {
  const { tasks_per_agent: most, task_depth: deepest } = state.policy.limits
  if (depthOf(state, parent) >= deepest) {
    refuse({ error: 'limit_reached', what: 'tasks within one another', limit: deepest })
  }
  const open = state.openTasks.get(agentId)
  if (open === undefined || open.size < most) return
  const active = [...open].filter((id) => {
    const record = state.tasks.get(id)
    return record !== undefined && statusAt(record, now) === 'active'
  })
  if (active.length >= most) {
    refuse({ error: 'limit_reached', what: 'active tasks for one agent', limit: most })
  }
}

/** The depth of this task below its topmost parent. */
const depthOf = (state: State, record: TaskRecord | undefined): number =>
  record === undefined ? 0 : 1 + depthOf(state, state.tasks.get(record.task.parentId ?? ''))

const principal = (state: State, agentId: string, onBehalfOf: string): string => {
  if (state.agents.get(agentId)?.mayDelegate !== true) refuse({ error: 'delegation_not_allowed' })
  const user = findUser(state, onBehalfOf) ?? refuse({ error: 'unknown_user', user: onBehalfOf })
  return user.id
}

/** Finds a user by id or e-mail address. */
export const findUser = (state: State, idOrEmail: string) =>
  state.users.get(idOrEmail) ?? [...state.users.values()].find(({ email }) => email === idOrEmail)
