import { canonical } from '../wire/index.ts'
import { usageAt } from './budgets.ts'
import type { Entry, Event, EventOf, Signal, Task } from './event.ts'
import { countKept } from './kept-bytes.ts'
import { rootOf } from './lineage.ts'
import { noteActivity } from './recent-activity.ts'
import { aboutTask, aboutToken, verification } from './signals.ts'
import {
  forgetAt,
  forgetExpired,
  noteDecided,
  noteEnded,
  noteUndecided,
  remembered,
  type State,
  type StreamRecord,
  type TaskRecord,
} from './state.ts'

/** The only function that changes state. */
export const evolve = (state: State, entry: Entry): void => {
  forgetExpired(state, entry.at)
  countKept(state, entry)
  const change = changes[entry.type] as (state: State, entry: Entry) => void
  change(state, entry)
}

/** How each event changes the state. */
const changes: Readonly<{
  [Type in Event['type']]: (state: State, entry: Entry & EventOf<Type>) => void
}> = {
  'tenant.seeded': (state, entry) => {
    for (const agent of entry.agents) {
      state.agents.set(agent.id, agent)
      state.clients.set(agent.clientId, agent)
    }
    for (const user of entry.users) state.users.set(user.id, user)
    for (const client of entry.applications ?? []) state.clients.set(client.clientId, client)
    for (const key of entry.apiKeys ?? []) state.apiKeys.set(key.hash, key)
    for (const server of entry.mcpServers ?? []) state.mcpServers.set(server.id, server)
    state.workloads = entry.workloads ?? []
  },
  'policy.replaced': (state, entry) => {
    state.policy = entry.policy
  },
  'dialect.set': (state, entry) => {
    state.dialect = entry.dialect
  },
  'approver.scripted': (state, entry) => {
    state.approver = entry.script
  },
  'client.registered': (state, entry) => {
    state.clients.set(entry.client.clientId, entry.client)
  },
  'client.deleted': (state, entry) => {
    state.clients.delete(entry.clientId)
  },
  'key.published': () => {},
  'key.rotated': () => {},
  'key.retired': () => {},
  'assertion.used': (state, entry) => {
    const used = `${entry.clientId} ${entry.jti}`
    state.assertions.add(used)
    forgetAt(state, entry.expiresAt, 'assertion', used)
  },
  'authorization.pushed': (state, entry) => {
    const { pushed } = entry
    state.pushed.set(pushed.uri, pushed)
    forgetAt(state, pushed.expiresAt, 'pushed', pushed.uri)
  },
  'authorization.used': (state, entry) => {
    const pushed = state.pushed.get(entry.uri)
    if (pushed) state.pushed.set(entry.uri, { ...pushed, used: true })
  },
  'device.asked': (state, entry) => {
    const { device } = entry
    state.devices.set(device.codeHash, { device })
    forgetAt(state, device.expiresAt + remembered, 'device', device.codeHash)
  },
  'device.denied': (state, entry) => {
    const record = state.devices.get(entry.codeHash)
    if (record) record.denied = true
  },
  'grant.given': (state, entry) => {
    const { grant } = entry
    state.grants.set(grant.id, { grant, redeemed: false, revoked: false, tokens: new Set() })
    state.codes.set(grant.codeHash, grant.id)
    forgetAt(state, grant.codeExpiresAt, 'code', grant.codeHash)
  },
  'grant.redeemed': (state, entry) => {
    const record = state.grants.get(entry.grantId)
    if (record) record.redeemed = true
  },
  'grant.refreshable': (state, entry) => {
    const { grantId, refreshHash: hash, expiresAt, usedHash, at } = entry
    const record = state.grants.get(grantId)
    if (record) {
      const before = record.refresh
      const isRetry = usedHash !== undefined && before?.replaced?.hash === usedHash
      record.refresh = {
        hash,
        expiresAt,
        ...(usedHash === undefined
          ? {}
          : { replaced: isRetry ? before.replaced : { hash: usedHash, at } }),
        ...(isRetry ? { siblings: [...(before.siblings ?? []), before.hash] } : {}),
      }
    }
    state.refreshTokens.set(hash, grantId)
    forgetAt(state, expiresAt, 'refreshToken', hash)
  },
  'grant.revoked': (state, entry) => {
    const record = state.grants.get(entry.grantId)
    if (record) record.revoked = true
  },
  'task.opened': (state, entry) => {
    const { task } = entry
    state.tasks.set(task.id, {
      task,
      score: 0,
      denials: 0,
      children: [],
      requests: [],
      tokens: new Set(),
    })
    if (task.parentId !== undefined) state.tasks.get(task.parentId)?.children.push(task.id)
    noteOpen(state, task)
    use(state, task.agentId, entry.at, { calls: 1 })
    forgetAt(state, task.expiresAt, 'openTask', task.id)
    forgetAt(state, task.expiresAt + remembered, 'task', task.id)
  },
  'permission.requested': (state, entry) => {
    const { request } = entry
    state.requests.set(request.id, {
      request,
      canonical: canonical(request.detail),
      endorsedBy: [],
    })
    noteUndecided(state, request)
    forgetAt(state, request.expiresAt, 'undecided', request.id)
    use(state, request.agentId, entry.at, { calls: 1 })
    noteActivity(state, request.agentId, entry.at, { requests: 1, score: entry.score })
    const task = state.tasks.get(request.taskId)
    if (task) {
      task.requests.push(request.id)
      task.score += entry.score
      forgetAt(state, task.task.expiresAt + remembered, 'request', request.id)
    }
  },
  'permission.endorsed': (state, entry) => {
    const record = state.requests.get(entry.requestId)
    record?.endorsedBy.push(entry.by)
    if (record && entry.actions) record.narrowedTo = entry.actions
  },
  'permission.approved': (state, entry) => {
    const request = state.requests.get(entry.requestId)
    if (request) {
      request.decided = {
        as: 'approved',
        by: entry.by,
        at: entry.at,
        ttl: entry.ttl,
        ...(entry.detail === undefined ? {} : { detail: entry.detail }),
        ...(entry.notes === undefined ? {} : { notes: entry.notes }),
        ...(entry.message === undefined ? {} : { message: entry.message }),
      }
    }
    noteDecided(state, entry.requestId)
  },
  'permission.denied': (state, entry) => {
    const request = state.requests.get(entry.requestId)
    if (request) {
      request.decided = {
        as: 'denied',
        by: entry.by,
        at: entry.at,
        ...(entry.reason === undefined ? {} : { reason: entry.reason }),
        ...(entry.message === undefined ? {} : { message: entry.message }),
      }
    }
    noteDecided(state, entry.requestId)
    const task = state.tasks.get(entry.taskId)
    if (task) {
      const denials = entry.repeats === undefined ? 1 : 0
      task.denials += denials
      task.score += entry.score
      noteActivity(state, task.task.agentId, entry.at, { denials, score: entry.score })
    }
  },
  'permission.revoked': (state, entry) => {
    const request = state.requests.get(entry.requestId)
    if (request) request.revokedAt = entry.at
  },
  'token.issued': (state, entry) => {
    const { token } = entry
    state.tokens.set(token.jti, { token })
    if (token.agentId !== undefined) use(state, token.agentId, entry.at, { tokens: 1 })
    if (token.taskId !== undefined) state.tasks.get(token.taskId)?.tokens.add(token.jti)
    if (token.grantId !== undefined) state.grants.get(token.grantId)?.tokens.add(token.jti)
    const request = token.requestId === undefined ? undefined : state.requests.get(token.requestId)
    if (request) request.exchangedAt ??= entry.at
    forgetAt(state, token.expiresAt, 'token', token.jti)
  },
  'token.revoked': (state, entry) => {
    const token = state.tokens.get(entry.jti)
    if (token) {
      token.revokedAt = entry.at
      const signal = aboutToken(token.token, entry)
      if (signal) queueSignal(state, signal, token.token.agentId)
      if (token.token.taskId !== undefined) {
        state.tasks.get(token.token.taskId)?.tokens.delete(entry.jti)
      }
    }
  },
  'limits.set': (state, entry) => {
    state.limits = entry.limits
  },
  'agent.registered': (state, entry) => {
    state.agents.set(entry.agent.id, entry.agent)
    state.clients.set(entry.agent.clientId, entry.agent)
  },
  'agent.asked': (state, entry) => {
    use(state, entry.agentId, entry.at, { calls: 1 })
  },
  'approval.asked': (state, entry) => {
    const { approval } = entry
    state.approvals.set(approval.id, { approval })
    forgetAt(state, approval.expiresAt + remembered, 'approval', approval.id)
  },
  'approval.answered': (state, entry) => {
    const record = state.approvals.get(entry.approvalId)
    if (record) record.answered = { as: entry.as, by: entry.by, at: entry.at }
  },
  'stream.created': (state, entry) => {
    state.streams.set(entry.stream.id, { stream: entry.stream, waiting: [], dropped: 0 })
  },
  'stream.deleted': (state, entry) => {
    state.streams.delete(entry.streamId)
  },
  'stream.verified': (state, entry) => {
    const record = state.streams.get(entry.streamId)
    if (record) queue(record, verification(entry))
  },
  'signal.delivered': (state, entry) => {
    acknowledgeSignals(state, entry.streamId, [entry.jti])
  },
  'signal.failed': (state, entry) => {
    if (entry.final) acknowledgeSignals(state, entry.streamId, [entry.jti])
  },
  'signal.acknowledged': (state, entry) => {
    acknowledgeSignals(state, entry.streamId, entry.jtis)
  },
  'callback.delivered': () => {},
  'callback.failed': () => {},
  'clock.moved': () => {},
  'task.evaluated': () => {},
  'task.completed': (state, entry) => {
    end(state, entry, { as: 'completed', at: entry.at })
  },
  'task.suspended': (state, entry) => {
    end(state, entry, { as: 'suspended', at: entry.at, reason: entry.reason })
  },
}

const end = (
  state: State,
  entry: Entry & EventOf<'task.completed' | 'task.suspended'>,
  ended: NonNullable<TaskRecord['ended']>,
) => {
  const record = state.tasks.get(entry.taskId)
  if (record === undefined) return
  record.ended = ended
  noteEnded(state, record.task.id)
  const name = state.agents.get(record.task.agentId)?.name ?? record.task.agentId
  queueSignal(state, aboutTask(record.task, name, entry), record.task.agentId)
}

const noteOpen = (state: State, { agentId, id }: Task) => {
  const open = state.openTasks.get(agentId)
  if (open) open.add(id)
  else state.openTasks.set(agentId, new Set([id]))
}

const use = (
  state: State,
  agentId: string,
  at: number,
  { tokens = 0, calls = 0 }: { tokens?: number; calls?: number },
) => {
  const root = rootOf(state, agentId)
  if (state.agents.get(root)?.budget === undefined) return
  const used = usageAt(state, root, at)
  used.tokens += tokens
  used.calls += calls
  state.usage.set(root, used)
}

const queueSignal = (state: State, signal: Signal, agentId: string | undefined) => {
  for (const record of state.streams.values()) {
    const { stream } = record
    if (stream.agentId !== undefined && stream.agentId !== agentId) continue
    if (stream.events.some((uri) => uri.endsWith(`/${signal.event}`))) queue(record, signal)
  }
}

/** A receiver that never polls loses its oldest signals. */
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
