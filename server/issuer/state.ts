import {
  type ApproverScript,
  type Dialect,
  Dialect as DialectSchema,
  type Policy,
  RateLimits,
} from '../wire/index.ts'
import { usageAt } from './budgets.ts'
import type {
  Agent,
  ApiKey,
  Approval,
  Client,
  Entry,
  EventOf,
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
import { aboutTask, aboutToken, verification } from './signals.ts'

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
    | { as: 'approved'; by: string; at: number; ttl: number; notes?: string }
    | { as: 'denied'; by: string; at: number; reason?: string }
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

/**
 * What is remembered of a tenant. Only `evolve` changes it; what has expired and can no longer
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
  readonly forgetting: Map<number, (() => void)[]>
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
const remembered = 3600

/** The one place where state changes. */
export const evolve = (state: State, entry: Entry): void => {
  forgetExpired(state, entry.at)
  switch (entry.type) {
    case 'tenant.seeded':
      for (const agent of entry.agents) {
        state.agents.set(agent.id, agent)
        state.clients.set(agent.clientId, agent)
      }
      for (const user of entry.users) state.users.set(user.id, user)
      for (const client of entry.applications ?? []) state.clients.set(client.clientId, client)
      for (const key of entry.apiKeys ?? []) state.apiKeys.set(key.hash, key)
      for (const server of entry.mcpServers ?? []) state.mcpServers.set(server.id, server)
      state.workloads = entry.workloads ?? []
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
    case 'client.registered':
      state.clients.set(entry.client.clientId, entry.client)
      break
    case 'key.published':
    case 'key.rotated':
    case 'key.retired':
      break
    case 'assertion.used': {
      const used = `${entry.clientId} ${entry.jti}`
      state.assertions.add(used)
      forgetAt(state, entry.expiresAt, () => state.assertions.delete(used))
      break
    }
    case 'authorization.pushed': {
      const { pushed } = entry
      state.pushed.set(pushed.uri, pushed)
      forgetAt(state, pushed.expiresAt, () => state.pushed.delete(pushed.uri))
      break
    }
    case 'grant.given': {
      const { grant } = entry
      state.grants.set(grant.id, { grant, redeemed: false, revoked: false, tokens: new Set() })
      state.codes.set(grant.codeHash, grant.id)
      forgetAt(state, grant.codeExpiresAt, () => {
        state.codes.delete(grant.codeHash)
        forgetGrant(state, grant.id, grant.codeExpiresAt)
      })
      break
    }
    case 'grant.redeemed': {
      const record = state.grants.get(entry.grantId)
      if (record) record.redeemed = true
      break
    }
    case 'grant.refreshable': {
      const { grantId, refreshHash: hash, expiresAt } = entry
      const record = state.grants.get(grantId)
      if (record) record.refresh = { hash, expiresAt }
      state.refreshTokens.set(hash, grantId)
      forgetAt(state, expiresAt, () => {
        state.refreshTokens.delete(hash)
        forgetGrant(state, grantId, expiresAt)
      })
      break
    }
    case 'grant.revoked': {
      const record = state.grants.get(entry.grantId)
      if (record) record.revoked = true
      break
    }
    case 'task.opened': {
      const { task } = entry
      state.tasks.set(task.id, {
        task,
        score: 0,
        denials: 0,
        requestedAt: [],
        children: [],
        requests: [],
        tokens: new Set(),
      })
      if (task.parentId !== undefined) state.tasks.get(task.parentId)?.children.push(task.id)
      noteOpen(state, task)
      use(state, task.agentId, entry.at, { calls: 1 })
      forgetAt(state, task.expiresAt, () => noteEnded(state, task))
      forgetAt(state, task.expiresAt + remembered, () => state.tasks.delete(task.id))
      break
    }
    case 'permission.requested': {
      const { request } = entry
      state.requests.set(request.id, { request, endorsedBy: [] })
      state.undecided.add(request.id)
      use(state, request.agentId, entry.at, { calls: 1 })
      const task = state.tasks.get(request.taskId)
      if (task) {
        task.requests.push(request.id)
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
        task.denials += entry.repeats === undefined ? 1 : 0
        task.score += entry.score
      }
      break
    }
    case 'token.issued': {
      const { token } = entry
      state.tokens.set(token.jti, { token })
      if (token.agentId !== undefined) use(state, token.agentId, entry.at, { tokens: 1 })
      if (token.taskId !== undefined) state.tasks.get(token.taskId)?.tokens.add(token.jti)
      if (token.grantId !== undefined) state.grants.get(token.grantId)?.tokens.add(token.jti)
      const request =
        token.requestId === undefined ? undefined : state.requests.get(token.requestId)
      if (request) request.exchangedAt ??= entry.at
      forgetAt(state, token.expiresAt, () => {
        state.tokens.delete(token.jti)
        if (token.taskId !== undefined) state.tasks.get(token.taskId)?.tokens.delete(token.jti)
        if (token.grantId !== undefined) state.grants.get(token.grantId)?.tokens.delete(token.jti)
      })
      break
    }
    case 'token.revoked': {
      const token = state.tokens.get(entry.jti)
      if (token) {
        token.revokedAt = entry.at
        const signal = aboutToken(token.token, entry)
        if (signal) queueSignal(state, signal, token.token.agentId)
        if (token.token.taskId !== undefined) {
          state.tasks.get(token.token.taskId)?.tokens.delete(entry.jti)
        }
      }
      break
    }
    case 'limits.set':
      state.limits = entry.limits
      break
    case 'agent.registered':
      state.agents.set(entry.agent.id, entry.agent)
      state.clients.set(entry.agent.clientId, entry.agent)
      break
    case 'agent.asked':
      use(state, entry.agentId, entry.at, { calls: 1 })
      break
    case 'approval.asked': {
      const { approval } = entry
      state.approvals.set(approval.id, { approval })
      forgetAt(state, approval.expiresAt + remembered, () => state.approvals.delete(approval.id))
      break
    }
    case 'approval.answered': {
      const record = state.approvals.get(entry.approvalId)
      if (record) record.answered = { as: entry.as, by: entry.by, at: entry.at }
      break
    }
    case 'stream.created':
      state.streams.set(entry.stream.id, { stream: entry.stream, waiting: [], dropped: 0 })
      break
    case 'stream.deleted':
      state.streams.delete(entry.streamId)
      break
    case 'stream.verified': {
      const record = state.streams.get(entry.streamId)
      if (record) queue(record, verification(entry))
      break
    }
    case 'signal.delivered':
      acknowledgeSignals(state, entry.streamId, [entry.jti])
      break
    case 'signal.failed':
      if (entry.final) acknowledgeSignals(state, entry.streamId, [entry.jti])
      break
    case 'signal.acknowledged':
      acknowledgeSignals(state, entry.streamId, entry.jtis)
      break
    case 'callback.delivered':
    case 'callback.failed':
    case 'clock.moved':
    case 'task.evaluated':
      break
    case 'task.completed':
      end(state, entry, { as: 'completed', at: entry.at })
      break
    case 'task.suspended':
      end(state, entry, { as: 'suspended', at: entry.at, reason: entry.reason })
      break
  }
}

const end = (
  state: State,
  entry: Entry & EventOf<'task.completed' | 'task.suspended'>,
  ended: NonNullable<TaskRecord['ended']>,
) => {
  const record = state.tasks.get(entry.taskId)
  if (record === undefined) return
  record.ended = ended
  noteEnded(state, record.task)
  const name = state.agents.get(record.task.agentId)?.name ?? record.task.agentId
  queueSignal(state, aboutTask(record.task, name, entry), record.task.agentId)
}

const noteOpen = (state: State, { agentId, id }: Task) => {
  const open = state.openTasks.get(agentId)
  if (open) open.add(id)
  else state.openTasks.set(agentId, new Set([id]))
}

const noteEnded = (state: State, { agentId, id }: Task) => {
  const open = state.openTasks.get(agentId)
  open?.delete(id)
  if (open?.size === 0) state.openTasks.delete(agentId)
}

const use = (
  state: State,
  agentId: string,
  at: number,
  { tokens = 0, calls = 0 }: { tokens?: number; calls?: number },
) => {
  if (state.agents.get(agentId)?.budget === undefined) return
  const used = usageAt(state, agentId, at)
  used.tokens += tokens
  used.calls += calls
  state.usage.set(agentId, used)
}

const queueSignal = (state: State, signal: Signal, agentId: string | undefined) => {
  for (const record of state.streams.values()) {
    const { stream } = record
    if (stream.agentId !== undefined && stream.agentId !== agentId) continue
    if (stream.events.some((uri) => uri.endsWith(`/${signal.event}`))) queue(record, signal)
  }
}

/** A receiver that never fetches loses the oldest. */
const queue = (record: StreamRecord, signal: Signal) => {
  record.waiting.push({ ...signal, jti: `${record.stream.id}.${signal.jti}` })
  if (record.waiting.length <= mostWaiting) return
  record.waiting.shift()
  record.dropped += 1
}

const mostWaiting = 1000

const acknowledgeSignals = (state: State, streamId: string, jtis: readonly string[]) => {
  const record = state.streams.get(streamId)
  if (record) record.waiting = record.waiting.filter(({ jti }) => !jtis.includes(jti))
}

/** A grant matters while it can be refreshed. */
const forgetGrant = (state: State, grantId: string, now: number) => {
  const expiresAt = state.grants.get(grantId)?.refresh?.expiresAt ?? 0
  if (expiresAt <= now) state.grants.delete(grantId)
}

const forgetAt = (state: State, at: number, act: () => void) => {
  const minute = Math.ceil(at / 60)
  const acts = state.forgetting.get(minute)
  if (acts) acts.push(act)
  else state.forgetting.set(minute, [act])
}

/** What has expired and cannot matter any more is gone within two minutes. */
export const forgetExpired = (state: State, now: number): void => {
  const minute = Math.floor(now / 60)
  if (minute <= state.lastForgotten) return
  state.lastForgotten = minute
  for (const [at, acts] of state.forgetting) {
    if (at >= minute) continue
    for (const act of acts) act()
    state.forgetting.delete(at)
  }
}
