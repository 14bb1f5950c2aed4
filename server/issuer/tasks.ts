import type { TaskStatus } from '../wire/index.ts'
import type { Decide } from './decide.ts'
import type { Event, EventOf, RevocationReason } from './event.ts'
import { refuse } from './refusal.ts'
import type { State, TaskRecord } from './state.ts'

export type OpenTask = Readonly<{
  agentId: string
  name?: string | undefined
  type?: string | undefined
  parentTaskId?: string | undefined
  /** E-mail or id of the user the agent acts for. */
  onBehalfOf?: string | undefined
}>

/** A child never outlives its parent, and acts for the same user. */
export const openTask: Decide<OpenTask, readonly [EventOf<'task.opened'>]> = (
  state,
  { agentId, name, type, parentTaskId, onBehalfOf },
  { now, id },
) => {
  const parent =
    parentTaskId === undefined ? undefined : activeTask(state, parentTaskId, agentId, now)
  const user = onBehalfOf === undefined ? undefined : principal(state, agentId, onBehalfOf)
  const actsFor = user ?? parent?.task.onBehalfOf
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

/** Ends the task and all below it; completing twice is completing once. */
export const completeTask: Decide<Readonly<{ taskId: string; agentId: string }>> = (
  state,
  { taskId, agentId },
  { now },
) => {
  const record = ownTask(state, taskId, agentId)
  const status = statusAt(record, now)
  if (status === 'completed') return []
  if (status !== 'active') refuse({ error: 'task_not_active', taskId, status })
  return endTask(state, record, now, 'task_completed', (id) => ({
    type: 'task.completed',
    taskId: id,
  }))
}

export type EvaluateTask = Readonly<{
  taskId: string
  agentId: string
  result?: string | undefined
  notes?: string | undefined
}>

/** Notes how a task went; with a result the task ends too, where the dialect says so (row 8). */
export const evaluateTask: Decide<EvaluateTask> = (
  state,
  { taskId, agentId, result, notes },
  context,
) => {
  const record = ownTask(state, taskId, agentId)
  const evaluated: Event = {
    type: 'task.evaluated',
    taskId,
    ...(result === undefined ? {} : { result }),
    ...(notes === undefined ? {} : { notes }),
  }
  const closes =
    result !== undefined &&
    state.dialect.evaluate_closes === 'yes' &&
    statusAt(record, context.now) === 'active'
  return [evaluated, ...(closes ? completeTask(state, { taskId, agentId }, context) : [])]
}

/** A task past its time is expired, whether or not anyone has noticed. */
export const statusAt = ({ task, ended }: TaskRecord, now: number): TaskStatus =>
  ended?.as ?? (now >= task.expiresAt ? 'expired' : 'active')

/** @throws {Refused} `not_found`, or `task_forbidden` for another agent's task */
export const ownTask = (state: State, taskId: string, agentId: string): TaskRecord => {
  const record = state.tasks.get(taskId) ?? refuse({ error: 'not_found', what: `task ${taskId}` })
  if (record.task.agentId !== agentId) refuse({ error: 'task_forbidden', taskId })
  return record
}

/** @throws {Refused} as `ownTask`, or `task_not_active` */
export const activeTask = (
  state: State,
  taskId: string,
  agentId: string,
  now: number,
): TaskRecord => {
  const record = ownTask(state, taskId, agentId)
  const status = statusAt(record, now)
  if (status !== 'active') refuse({ error: 'task_not_active', taskId, status })
  return record
}

/** The end of a task and of everything below it, deepest first: tokens, then the task itself. */
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

const principal = (state: State, agentId: string, onBehalfOf: string): string => {
  if (state.agents.get(agentId)?.mayDelegate !== true) refuse({ error: 'delegation_not_allowed' })
  const user = findUser(state, onBehalfOf) ?? refuse({ error: 'unknown_user', user: onBehalfOf })
  return user.id
}

/** A user by id or e-mail. */
export const findUser = (state: State, idOrEmail: string) =>
  state.users.get(idOrEmail) ?? [...state.users.values()].find(({ email }) => email === idOrEmail)
