import {
  type ApproverScript,
  type Dialect,
  Dialect as DialectSchema,
  type Policy,
  RateLimits,
} from '../wire/index.ts'
import type {
  Agent,
  ApiKey,
  Approval,
  Client,
  Grant,
  McpServer,
  PermissionRequest,
  PushedRequest,
  Signal,
  Stream,
  Task,
  Token,
  User,
  WorkloadTrust,
} from './event.ts'

/** A task and what has become of it. */
export type TaskRecord = {
  readonly task: Task
  ended?: { as: 'completed' | 'suspended'; at: number; reason?: string }
  score: number
  denials: number
  /** When permissions were requested, newest last; only the last minute is kept. */
  requestedAt: number[]
  readonly children: string[]
  /** Ids of its requests, oldest first. */
  readonly requests: string[]
  readonly tokens: Set<string>
}

/** A request and what has become of it. */
export type RequestRecord = {
  readonly request: PermissionRequest
  endorsedBy: string[]
  decided?:
    | { as: 'approved'; by: string; at: number; ttl: number; notes?: string; message?: string }
    | { as: 'denied'; by: string; at: number; reason?: string; message?: string }
  exchangedAt?: number
}

/** A push approval and what has become of it. */
export type ApprovalRecord = {
  readonly approval: Approval
  answered?: { as: 'approved' | 'denied'; by: string; at: number }
}

/** A stream and what it has not been told yet, oldest first. */
export type StreamRecord = {
  readonly stream: Stream
  waiting: Signal[]
  /** How many were dropped because nobody fetched them. */
  dropped: number
}

/** What an agent has used of its budget: tokens in this day, calls in this hour. */
export type Usage = { day: number; tokens: number; hour: number; calls: number }

export type TokenRecord = { readonly token: Token; revokedAt?: number }

/** A grant and what has become of it. */
export type GrantRecord = {
  readonly grant: Grant
  redeemed: boolean
  revoked: boolean
  /** The one refresh token that is good, as SHA-256. */
  refresh?: { readonly hash: string; readonly expiresAt: number }
  readonly tokens: Set<string>
}

/** Something that expires: its kind, and its id in the state. */
export type Forgettable = readonly [kind: ForgettableKind, id: string]
export type ForgettableKind =
  | 'assertion'
  | 'pushed'
  | 'code'
  | 'refreshToken'
  | 'openTask'
  | 'task'
  | 'request'
  | 'token'
  | 'approval'

/**
 * What is remembered of a tenant; it can be written as JSON (`snapshot.ts`). Only `evolve` changes it; what has expired and can no longer
 * matter, `forgetExpired` leaves out.
 */
export type State = {
  policy: Policy
  dialect: Dialect
  limits: RateLimits
  approver: ApproverScript | undefined
  readonly agents: Map<string, Agent>
  readonly clients: Map<string, Client>
  readonly users: Map<string, User>
  /** By the SHA-256 of the key. */
  readonly apiKeys: Map<string, ApiKey>
  readonly mcpServers: Map<string, McpServer>
  workloads: readonly WorkloadTrust[]
  readonly grants: Map<string, GrantRecord>
  /** Ids of grants, by the SHA-256 of their codes and of every refresh token they ever had. */
  readonly codes: Map<string, string>
  readonly refreshTokens: Map<string, string>
  readonly pushed: Map<string, PushedRequest>
  /** Client assertions that have been used, as `clientId jti`. */
  readonly assertions: Set<string>
  readonly tasks: Map<string, TaskRecord>
  /** Ids of each agent's tasks that have not ended, among them some whose time is just over. */
  readonly openTasks: Map<string, Set<string>>
  readonly usage: Map<string, Usage>
  readonly approvals: Map<string, ApprovalRecord>
  readonly streams: Map<string, StreamRecord>
  readonly requests: Map<string, RequestRecord>
  /** Ids of requests nobody has decided, among them some whose time is over. */
  readonly undecided: Set<string>
  readonly tokens: Map<string, TokenRecord>
  /** What to forget, by the minute (epoch) from which on it cannot matter. */
  readonly forgetting: Map<number, Forgettable[]>
  lastForgotten: number
}

export const emptyState = (policy: Policy): State => ({
  policy,
  dialect: DialectSchema.parse({}),
  limits: RateLimits.parse({}),
  approver: undefined,
  agents: new Map(),
  clients: new Map(),
  users: new Map(),
  apiKeys: new Map(),
  mcpServers: new Map(),
  workloads: [],
  grants: new Map(),
  codes: new Map(),
  refreshTokens: new Map(),
  pushed: new Map(),
  assertions: new Set(),
  tasks: new Map(),
  openTasks: new Map(),
  usage: new Map(),
  approvals: new Map(),
  streams: new Map(),
  requests: new Map(),
  undecided: new Set(),
  tokens: new Map(),
  forgetting: new Map(),
  lastForgotten: 0,
})

/** How long, in seconds, an ended task and its requests can still be asked about. */
export const remembered = 3600

/** Plans to forget something at a time (epoch seconds). */
export const forgetAt = (state: State, at: number, ...thing: Forgettable): void => {
  const minute = Math.ceil(at / 60)
  const things = state.forgetting.get(minute)
  if (things) things.push(thing)
  else state.forgetting.set(minute, [thing])
}

/** What has expired and cannot matter any more is gone within two minutes. */
export const forgetExpired = (state: State, now: number): void => {
  const minute = Math.floor(now / 60)
  if (minute <= state.lastForgotten) return
  state.lastForgotten = minute
  for (const [at, things] of state.forgetting) {
    if (at >= minute) continue
    for (const [kind, id] of things) forget[kind](state, id, at)
    state.forgetting.delete(at)
  }
}

/** How each kind of thing is forgotten, in the minute for which that was planned. */
const forget: Record<ForgettableKind, (state: State, id: string, minute: number) => void> = {
  assertion: (state, id) => state.assertions.delete(id),
  pushed: (state, uri) => state.pushed.delete(uri),
  code: (state, hash, minute) => {
    forgetGrant(state, state.codes.get(hash), minute)
    state.codes.delete(hash)
  },
  refreshToken: (state, hash, minute) => {
    forgetGrant(state, state.refreshTokens.get(hash), minute)
    state.refreshTokens.delete(hash)
  },
  openTask: (state, id) => noteEnded(state, id),
  task: (state, id) => {
    noteEnded(state, id)
    state.tasks.delete(id)
  },
  request: (state, id) => {
    state.requests.delete(id)
    state.undecided.delete(id)
  },
  token: (state, jti) => {
    const { taskId = '', grantId = '' } = state.tokens.get(jti)?.token ?? {}
    state.tasks.get(taskId)?.tokens.delete(jti)
    state.grants.get(grantId)?.tokens.delete(jti)
    state.tokens.delete(jti)
  },
  approval: (state, id) => state.approvals.delete(id),
}

/** A grant matters while it can be refreshed. */
const forgetGrant = (state: State, grantId = '', minute: number) => {
  const expiresAt = state.grants.get(grantId)?.refresh?.expiresAt ?? 0
  if (Math.ceil(expiresAt / 60) <= minute) state.grants.delete(grantId)
}

/** A task that has ended is not among the open tasks of its agent. */
export const noteEnded = (state: State, taskId: string): void => {
  const { agentId = '' } = state.tasks.get(taskId)?.task ?? {}
  const open = state.openTasks.get(agentId)
  open?.delete(taskId)
  if (open?.size === 0) state.openTasks.delete(agentId)
}
