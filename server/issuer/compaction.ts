import { isDeepStrictEqual } from 'node:util'
import { Policy } from '../wire/index.ts'
import { usageAt } from './budgets.ts'
import type { Entry } from './event.ts'
import { evolve } from './evolve.ts'
import { emptyState, type State } from './state.ts'

/** As many of the newest entries stay as they are, whatever they are about. */
const recent = 10_000

/**
 * The entries it takes to come back to the same state: of what the state has forgotten, older
 * entries are left out. When in doubt, all of them.
 * @throws whatever an entry that makes no sense leads to
 */
export const compactEntries = (entries: readonly Entry[], newest = recent): readonly Entry[] => {
  const state = replayEntries(entries)
  const old = entries.slice(0, Math.max(0, entries.length - newest))
  if (old.length === 0) return entries
  const kept = lasting(entries, old.length, state)
  return isDeepStrictEqual(summarizeState(replayEntries(kept)), summarizeState(state))
    ? kept
    : entries
}

const replayEntries = (entries: readonly Entry[]): State => {
  const state = emptyState(Policy.parse({}))
  for (const entry of entries) evolve(state, entry)
  return state
}

/** All of a state that can still matter. */
const summarizeState = ({ forgetting, usage, streams, tasks, ...state }: State) => ({
  ...state,
  usage: [...usage.keys()].flatMap((agentId) => {
    const used = usageAt({ usage }, agentId, state.lastForgotten * 60)
    return used.tokens + used.calls === 0 ? [] : [[agentId, used]]
  }),
  streams: [...streams].map(([id, { stream, waiting }]) => [id, stream, waiting]),
  tasks: [...tasks].map(([id, task]) => [
    id,
    { ...task, children: task.children.filter((child) => tasks.has(child)) },
  ]),
  forgetting: [...forgetting]
    .map(([minute, acts]) => [minute, acts.length] as const)
    .sort(([a], [b]) => a - b),
})

/** Read from the newest to the oldest: what is kept needs what it is about. */
const lasting = (entries: readonly Entry[], old: number, state: State): Entry[] => {
  const waiting = new Set([...state.streams.values()].flatMap((it) => it.waiting.map(causeOf)))
  const needed = new Set<string>()
  const replaced = new Set<Entry['type']>()
  const kept = new Set<number>()
  const isNeeded = (entry: Entry) =>
    waiting.has(entry.seq) ||
    usesBudget(entry, state) ||
    idsIn(entry).some((id) => needed.has(id) || isKnown(state, id))
  for (const [at, entry] of [...entries.entries()].reverse()) {
    const matters = isSetting(entry) ? !replaced.has(entry.type) : isNeeded(entry)
    replaced.add(entry.type)
    if (at < old && !matters) continue
    kept.add(entry.seq)
    for (const id of [...idsIn(entry), ...needs(entry)]) needed.add(id)
  }
  const moves = entries.slice(0, old).filter((entry) => entry.type === 'clock.moved')
  return entries.flatMap((entry, at): Entry[] => {
    if (entry.type === 'clock.moved' && entry === moves.at(-1)) {
      return [{ ...entry, by: moves.reduce((sum, { by }) => sum + by, 0) }]
    }
    // What would cause a signal again needs what says that it was told.
    const isTold = signalsIn(entry).some((jti) => kept.has(causeOf({ jti })))
    return at >= old || kept.has(entry.seq) || isTold ? [entry] : []
  })
}

/** A signal is named after the entry that caused it, behind the stream it waits in. */
const causeOf = ({ jti }: { jti: string }) => Number(jti.split('.').at(-1))

const signalsIn = (entry: Entry): readonly string[] => {
  if (entry.type === 'signal.acknowledged') return entry.jtis
  return entry.type === 'signal.delivered' || entry.type === 'signal.failed' ? [entry.jti] : []
}

/** Whether it counts against the budget of the day in which the state stands. */
const usesBudget = (entry: Entry, state: State): boolean => {
  const agentId = agentOf(entry)
  if (agentId === undefined || state.agents.get(agentId)?.budget === undefined) return false
  return entry.at >= state.lastForgotten * 60 - 86_400
}

const agentOf = (entry: Entry): string | undefined => {
  switch (entry.type) {
    case 'task.opened':
      return entry.task.agentId
    case 'permission.requested':
      return entry.request.agentId
    case 'token.issued':
      return entry.token.agentId
    case 'agent.asked':
      return entry.agentId
  }
}

/** Of these only the newest of its kind matters. */
const isSetting = ({ type }: Entry): boolean =>
  ['policy.replaced', 'dialect.set', 'approver.scripted', 'limits.set'].includes(type)

const isKnown = (state: State, id: string): boolean =>
  id === always ||
  state.tasks.has(id) ||
  state.requests.has(id) ||
  state.tokens.has(id) ||
  state.approvals.has(id) ||
  state.grants.has(id) ||
  state.refreshTokens.has(id) ||
  state.pushed.has(id) ||
  state.assertions.has(id) ||
  state.streams.has(id)

const always = 'always'

/** Ids of what an entry tells of; as long as one of them is known it matters. */
const idsIn = (entry: Entry): readonly string[] => {
  switch (entry.type) {
    case 'tenant.seeded':
    case 'client.registered':
    case 'agent.registered':
      return [always]
    case 'assertion.used':
      return [`${entry.clientId} ${entry.jti}`]
    case 'authorization.pushed':
      return [entry.pushed.uri]
    case 'grant.given':
      return [entry.grant.id]
    case 'grant.redeemed':
    case 'grant.revoked':
      return [entry.grantId]
    case 'grant.refreshable':
      return [entry.refreshHash]
    case 'task.opened':
      return [entry.task.id]
    case 'task.completed':
    case 'task.suspended':
      return [entry.taskId]
    case 'permission.requested':
      return [entry.request.id]
    case 'permission.endorsed':
    case 'permission.approved':
    case 'permission.denied':
      return [entry.requestId]
    case 'token.issued':
      return [entry.token.jti, ...(entry.requestId === undefined ? [] : [entry.requestId])]
    case 'token.revoked':
      return [entry.jti]
    case 'approval.asked':
      return [entry.approval.id]
    case 'approval.answered':
      return [entry.approvalId]
    case 'stream.created':
      return [entry.stream.id]
    case 'policy.replaced':
    case 'dialect.set':
    case 'approver.scripted':
    case 'limits.set':
    case 'key.published':
    case 'key.rotated':
    case 'key.retired':
    case 'clock.moved':
    case 'agent.asked':
    case 'callback.delivered':
    case 'callback.failed':
    case 'stream.deleted':
    case 'stream.verified':
    case 'signal.delivered':
    case 'signal.failed':
    case 'signal.acknowledged':
    case 'task.evaluated':
      return []
  }
}

/** Ids of what must be there for an entry to have its effect. */
const needs = (entry: Entry): readonly string[] => {
  switch (entry.type) {
    case 'permission.requested':
      return [entry.request.taskId]
    case 'permission.endorsed':
    case 'permission.approved':
    case 'permission.denied':
      return [entry.taskId]
    case 'token.issued':
      return [entry.taskId, entry.token.grantId].filter((id) => id !== undefined)
    case 'grant.refreshable':
      return [entry.grantId]
    default:
      return []
  }
}
