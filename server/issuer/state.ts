import {
  type ApproverScript,
  type Dialect,
  Dialect as DialectSchema,
  type Policy,
} from '../wire/index.ts'
import type { Agent, Entry, PermissionRequest, Task, Token, User } from './event.ts'

/** A task and what has become of it. */
export type TaskRecord = {
  readonly task: Task
  ended?: { as: 'completed' | 'suspended'; at: number; reason?: string }
  score: number
  denials: number
  /** When permissions were requested, newest last; only the last minute is kept. */
  requestedAt: number[]
  readonly children: string[]
  readonly tokens: Set<string>
}

/** A request and what has become of it. */
export type RequestRecord = {
  readonly request: PermissionRequest
  endorsedBy: string[]
  decided?:
    | { as: 'approved'; by: string; at: number; ttl: number; notes?: string }
    | { as: 'denied'; by: string; at: number; reason?: string }
  exchangedAt?: number
}

export type TokenRecord = { readonly token: Token; revokedAt?: number }

/**
 * What is remembered of a tenant. Only `evolve` changes it; everything that has expired and can
 * no longer matter is forgotten on the way.
 */
export type State = {
  policy: Policy
  dialect: Dialect
  approver: ApproverScript | undefined
  readonly agents: Map<string, Agent>
  readonly clients: Map<string, Agent>
  readonly users: Map<string, User>
  readonly tasks: Map<string, TaskRecord>
  readonly requests: Map<string, RequestRecord>
  /** Ids of requests nobody has decided, among them some whose time is over. */
  readonly undecided: Set<string>
  readonly tokens: Map<string, TokenRecord>
  /** What to forget, by the minute (epoch) from which on it cannot matter. */
  readonly forgetting: Map<number, (() => void)[]>
  lastForgotten: number
}

export const emptyState = (policy: Policy): State => ({
  policy,
  dialect: DialectSchema.parse({}),
  approver: undefined,
  agents: new Map(),
  clients: new Map(),
  users: new Map(),
  tasks: new Map(),
  requests: new Map(),
  undecided: new Set(),
  tokens: new Map(),
  forgetting: new Map(),
  lastForgotten: 0,
})

/** How long, in seconds, an ended task and its requests can still be asked about. */
const remembered = 3600

/** The one place where state changes. */
export const evolve = (state: State, entry: Entry): void => {
  switch (entry.type) {
    case 'tenant.seeded':
      for (const agent of entry.agents) {
        state.agents.set(agent.id, agent)
        state.clients.set(agent.clientId, agent)
      }
      for (const user of entry.users) state.users.set(user.id, user)
      break
    case 'policy.replaced':
      state.policy = entry.policy
      break
    case 'dialect.set':
      state.dialect = entry.dialect
      break
    case 'approver.scripted':
      state.approver = entry.script
      break
    case 'task.opened': {
      const { task } = entry
      state.tasks.set(task.id, {
        task,
        score: 0,
        denials: 0,
        requestedAt: [],
        children: [],
        tokens: new Set(),
      })
      if (task.parentId !== undefined) state.tasks.get(task.parentId)?.children.push(task.id)
      forgetAt(state, task.expiresAt + remembered, () => state.tasks.delete(task.id))
      break
    }
    case 'permission.requested': {
      const { request } = entry
      state.requests.set(request.id, { request, endorsedBy: [] })
      state.undecided.add(request.id)
      const task = state.tasks.get(request.taskId)
      if (task) {
        task.score += entry.score
        task.requestedAt = [...task.requestedAt.filter((at) => at > entry.at - 60), entry.at]
        forgetAt(state, task.task.expiresAt + remembered, () => {
          state.requests.delete(request.id)
          state.undecided.delete(request.id)
        })
      }
      break
    }
    case 'permission.endorsed':
      state.requests.get(entry.requestId)?.endorsedBy.push(entry.by)
      break
    case 'permission.approved': {
      const request = state.requests.get(entry.requestId)
      if (request) {
        request.decided = {
          as: 'approved',
          by: entry.by,
          at: entry.at,
          ttl: entry.ttl,
          ...(entry.notes === undefined ? {} : { notes: entry.notes }),
        }
      }
      state.undecided.delete(entry.requestId)
      break
    }
    case 'permission.denied': {
      const request = state.requests.get(entry.requestId)
      if (request) {
        request.decided = {
          as: 'denied',
          by: entry.by,
          at: entry.at,
          ...(entry.reason === undefined ? {} : { reason: entry.reason }),
        }
      }
      state.undecided.delete(entry.requestId)
      const task = state.tasks.get(entry.taskId)
      if (task) {
        task.denials += 1
        task.score += entry.score
      }
      break
    }
    case 'token.issued': {
      const { token } = entry
      state.tokens.set(token.jti, { token })
      if (token.taskId !== undefined) state.tasks.get(token.taskId)?.tokens.add(token.jti)
      const request =
        token.requestId === undefined ? undefined : state.requests.get(token.requestId)
      if (request) request.exchangedAt ??= entry.at
      forgetAt(state, token.expiresAt, () => {
        state.tokens.delete(token.jti)
        if (token.taskId !== undefined) state.tasks.get(token.taskId)?.tokens.delete(token.jti)
      })
      break
    }
    case 'token.revoked': {
      const token = state.tokens.get(entry.jti)
      if (token) {
        token.revokedAt = entry.at
        if (token.token.taskId !== undefined) {
          state.tasks.get(token.token.taskId)?.tokens.delete(entry.jti)
        }
      }
      break
    }
    case 'task.evaluated':
      break
    case 'task.completed':
      end(state, entry.taskId, { as: 'completed', at: entry.at })
      break
    case 'task.suspended':
      end(state, entry.taskId, { as: 'suspended', at: entry.at, reason: entry.reason })
      break
  }
  forget(state, entry.at)
}

const end = (state: State, taskId: string, ended: NonNullable<TaskRecord['ended']>) => {
  const task = state.tasks.get(taskId)
  if (task) task.ended = ended
}

const forgetAt = (state: State, at: number, act: () => void) => {
  const minute = Math.ceil(at / 60)
  const acts = state.forgetting.get(minute)
  if (acts) acts.push(act)
  else state.forgetting.set(minute, [act])
}

const forget = (state: State, now: number) => {
  const minute = Math.floor(now / 60)
  if (minute <= state.lastForgotten) return
  state.lastForgotten = minute
  for (const [at, acts] of state.forgetting) {
    if (at >= minute) continue
    for (const act of acts) act()
    state.forgetting.delete(at)
  }
}
