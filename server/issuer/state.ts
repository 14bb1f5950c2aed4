import {
  type ApproverScript,
  type AuthorizationDetail,
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
  Device,
  Event,
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
import { countKept, storedBy } from './kept-bytes.ts'
import { rootOf } from './lineage.ts'

/** A task and its history. */
export type TaskRecord = {
  readonly task: Task
  ended?: { as: 'completed' | 'suspended'; at: number; reason?: string }
  score: number
  denials: number
  readonly children: string[]
  /** Ids of its requests, oldest first. */
  readonly requests: string[]
  readonly tokens: Set<string>
}

/** A request and its history. */
export type RequestRecord = {
  readonly request: PermissionRequest
  /** Its detail in the form of `canonical`, so that repetitions are found by comparing texts. */
  readonly canonical: string
  endorsedBy: string[]
  /** The actions that all endorsements permit. Absent: all requested actions. */
  narrowedTo?: readonly string[]
  decided?:
    | {
        as: 'approved'
        by: string
        at: number
        ttl: number
        /** The granted detail, if it is narrower than requested. */
        detail?: AuthorizationDetail
        notes?: string
        message?: string
      }
    | { as: 'denied'; by: string; at: number; reason?: string; message?: string }
  exchangedAt?: number
  revokedAt?: number
}

/** A push approval and its answer. */
export type ApprovalRecord = {
  readonly approval: Approval
  answered?: { as: 'approved' | 'denied'; by: string; at: number }
}

/** A stream and its undelivered signals, oldest first. */
export type StreamRecord = {
  readonly stream: Stream
  waiting: Signal[]
  /** Number of signals dropped because the receiver did not poll. */
  dropped: number
}

/** Usage of an agent's budget: tokens of this day, calls of this hour. */
export type Usage = { day: number; tokens: number; hour: number; calls: number }

/** Activity of an agent and the agents it registered, within one second of the tenant's time. */
export type RecentActivity = { at: number; requests: number; denials: number; score: number }

export type TokenRecord = { readonly token: Token; revokedAt?: number }

/** A grant and its history. */
export type GrantRecord = {
  readonly grant: Grant
  redeemed: boolean
  revoked: boolean
  /** SHA-256 of the one valid refresh token. */
  refresh?: {
    readonly hash: string
    readonly expiresAt: number
    /** The refresh token that was used for this one, and when. */
    readonly replaced?: Readonly<{ hash: string; at: number }>
    /** Valid besides `hash`: issued to earlier uses of the same refresh token. */
    readonly siblings?: readonly string[]
  }
  readonly tokens: Set<string>
}

/** A device, and whether the person has denied it. */
export type DeviceRecord = { readonly device: Device; denied?: true }

/** Something that expires: its kind, and its id in the state. */
export type Forgettable = readonly [kind: ForgettableKind, id: string]
export type ForgettableKind =
  | 'assertion'
  | 'pushed'
  | 'device'
  | 'code'
  | 'refreshToken'
  | 'openTask'
  | 'task'
  | 'request'
  | 'undecided'
  | 'token'
  | 'approval'
  | 'recent'

/**
 * The state of a tenant. It can be written as JSON (`snapshot.ts`). Only `evolve` changes it;
 * `forgetExpired` deletes expired records.
 */
export type State = {
  policy: Policy
  dialect: Dialect
  limits: RateLimits
  approver: ApproverScript | undefined
  readonly agents: Map<string, Agent>
  readonly clients: Map<string, Client>
  readonly users: Map<string, User>
  /** By SHA-256 of the key. */
  readonly apiKeys: Map<string, ApiKey>
  readonly mcpServers: Map<string, McpServer>
  workloads: readonly WorkloadTrust[]
  readonly grants: Map<string, GrantRecord>
  /** Ids of grants, by SHA-256 of their codes and of all their refresh tokens, including used ones. */
  readonly codes: Map<string, string>
  readonly refreshTokens: Map<string, string>
  readonly pushed: Map<string, PushedRequest>
  /** By the SHA-256 of their codes. */
  readonly devices: Map<string, DeviceRecord>
  /** Used client assertions, as `clientId jti`. */
  readonly assertions: Set<string>
  readonly tasks: Map<string, TaskRecord>
  /** Ids of each agent's tasks that have not ended, including some that just expired. */
  readonly openTasks: Map<string, Set<string>>
  readonly usage: Map<string, Usage>
  /** Activity of each root agent within the last minutes, oldest first. */
  readonly recent: Map<string, RecentActivity[]>
  readonly approvals: Map<string, ApprovalRecord>
  readonly streams: Map<string, StreamRecord>
  readonly requests: Map<string, RequestRecord>
  /** Ids of undecided requests, including some that just expired. */
  readonly undecided: Set<string>
  /** `undecided` by root agent. Derived from `undecided`; the next two are derived from all records. */
  readonly undecidedOf: Map<string, Set<string>>
  /** Stored bytes of callers' texts (`kept-bytes.ts`): in total, and by owner. */
  keptBytes: number
  readonly keptBytesBy: Map<string, number>
  readonly tokens: Map<string, TokenRecord>
  /** Records to delete, by the minute (epoch) of their deletion. */
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
  devices: new Map(),
  assertions: new Set(),
  tasks: new Map(),
  openTasks: new Map(),
  usage: new Map(),
  recent: new Map(),
  approvals: new Map(),
  streams: new Map(),
  requests: new Map(),
  undecided: new Set(),
  undecidedOf: new Map(),
  keptBytes: 0,
  keptBytesBy: new Map(),
  tokens: new Map(),
  forgetting: new Map(),
  lastForgotten: 0,
})

/** Seconds for which a request or a denial in one task counts in the other tasks of the root agent. */
export const recentSeconds = 600

/** How long, in seconds, an ended task and its requests can still be read. */
export const remembered = 3600

/** Schedules the deletion of a record at a time (epoch seconds). */
export const forgetAt = (state: State, at: number, ...thing: Forgettable): void => {
  const minute = Math.ceil(at / 60)
  const things = state.forgetting.get(minute)
  if (things) things.push(thing)
  else state.forgetting.set(minute, [thing])
}

/** Deletes expired records within two minutes. */
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

/** How each kind of record is deleted, in the scheduled minute. */
const forget: Record<ForgettableKind, (state: State, id: string, minute: number) => void> = {
  assertion: (state, id) => {
    if (state.assertions.delete(id)) countKept(state, storedBy.assertion(id), -1)
  },
  pushed: (state, uri) => deleteRecord(state, state.pushed, uri, storedBy.pushed),
  device: (state, codeHash) => deleteRecord(state, state.devices, codeHash, storedBy.device),
  code: (state, hash, minute) => {
    forgetGrant(state, state.codes.get(hash), minute)
    state.codes.delete(hash)
  },
  refreshToken: (state, hash, minute) => {
    forgetGrant(state, state.refreshTokens.get(hash), minute)
    state.refreshTokens.delete(hash)
  },
  openTask: (state, id) => noteEnded(state, id),
  // When the clock has leapt, these may come before 'openTask' and 'undecided'.
  task: (state, id) => {
    noteEnded(state, id)
    deleteRecord(state, state.tasks, id, storedBy.task)
  },
  request: (state, id) => {
    noteDecided(state, id)
    deleteRecord(state, state.requests, id, storedBy.request)
  },
  undecided: (state, id) => noteDecided(state, id),
  token: (state, jti) => {
    const { taskId = '', grantId = '' } = state.tokens.get(jti)?.token ?? {}
    state.tasks.get(taskId)?.tokens.delete(jti)
    state.grants.get(grantId)?.tokens.delete(jti)
    deleteRecord(state, state.tokens, jti, storedBy.token)
  },
  approval: (state, id) => deleteRecord(state, state.approvals, id, storedBy.approval),
  recent: (state, agentId, minute) => {
    const until = (state.recent.get(agentId)?.at(-1)?.at ?? 0) + recentSeconds
    if (Math.ceil(until / 60) <= minute) state.recent.delete(agentId)
    else forgetAt(state, until, 'recent', agentId)
  },
}

/** Deletes a record, and no longer counts the texts that its event stored. */
const deleteRecord = <Stored>(
  state: State,
  records: Map<string, Stored>,
  id: string,
  eventOf: (record: Stored) => Event,
): void => {
  const record = records.get(id)
  if (record !== undefined) countKept(state, eventOf(record), -1)
  records.delete(id)
}

/** Keeps a grant while it can be refreshed. */
const forgetGrant = (state: State, grantId = '', minute: number) => {
  const record = state.grants.get(grantId)
  if (record === undefined || Math.ceil((record.refresh?.expiresAt ?? 0) / 60) > minute) return
  deleteRecord(state, state.grants, grantId, storedBy.grant)
}

/** Marks a request as pending. */
export const noteUndecided = (state: State, { id, agentId }: PermissionRequest): void => {
  state.undecided.add(id)
  const root = rootOf(state, agentId)
  const ofRoot = state.undecidedOf.get(root)
  if (ofRoot) ofRoot.add(id)
  else state.undecidedOf.set(root, new Set([id]))
}

/** Marks a request as decided or expired. */
export const noteDecided = (state: State, requestId: string): void => {
  state.undecided.delete(requestId)
  const { agentId = '' } = state.requests.get(requestId)?.request ?? {}
  const root = rootOf(state, agentId)
  const ofRoot = state.undecidedOf.get(root)
  ofRoot?.delete(requestId)
  if (ofRoot?.size === 0) state.undecidedOf.delete(root)
}

/** Removes an ended task from the open tasks of its agent. */
export const noteEnded = (state: State, taskId: string): void => {
  const { agentId = '' } = state.tasks.get(taskId)?.task ?? {}
  const open = state.openTasks.get(agentId)
  open?.delete(taskId)
  if (open?.size === 0) state.openTasks.delete(agentId)
}
