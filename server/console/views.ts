import type { Entry } from '../issuer/event.ts'
import { Refused } from '../issuer/refusal.ts'
import { approveRequest, lifeAt, mayApprove } from '../issuer/requests.ts'
import type { RequestRecord, State, TaskRecord } from '../issuer/state.ts'
import { findUser, statusAt } from '../issuer/tasks.ts'
import type { Tenant } from '../issuer/tenant.ts'
import type {
  Exchange,
  Inbox,
  InboxQuery,
  JournalEntry,
  RequestView,
  TaskList,
  TaskSummary,
  Timeline,
} from '../wire/index.ts'
import { firstPage } from '../wire/log-page.ts'
import { sizeOf } from '../wire/size-of.ts'
import { exchangesOf, lineageOf } from './lineage.ts'

/** The newest requests, tasks and entries that one view shows. */
const pageSize = 200

/** What waits for a person, and what a person was asked before. */
export const inboxOf = (
  tenant: Tenant,
  userId: string | undefined,
  { page, limit }: InboxQuery,
): Inbox => {
  const { state, clock } = tenant
  const now = clock.now()
  const isAsked = ({ request }: RequestRecord) => request.explanation.decision === 'ask'
  const asked = [...state.requests.values()].filter(isAsked)
  const isWaiting = (it: RequestRecord) =>
    state.undecided.has(it.request.id) && lifeAt(state, it, now) === 'pending'
  const [waiting, others] = [asked.filter(isWaiting), asked.filter((it) => !isWaiting(it))]
  const shown = new Set([...waiting, ...others.reverse()].slice((page - 1) * limit, page * limit))
  return {
    ...clockOf(tenant),
    requests: asked
      .filter((it) => shown.has(it))
      .map((record) => requestView(tenant, record, userId)),
    waiting: waiting.length,
    pagination: { total: asked.length, page, limit },
  }
}

/** One request as somebody sees it who may decide it, or is told why not. */
export const requestView = (
  { state, clock }: Tenant,
  record: RequestRecord,
  userId: string | undefined,
): RequestView => {
  const { request, endorsedBy, narrowedTo, decided } = record
  const task = state.tasks.get(request.taskId)?.task
  const notes = decided?.as === 'denied' ? decided.reason : decided?.notes
  const text = [notes, decided?.message].filter((it) => it !== undefined).join('\n')
  return {
    id: request.id,
    status: lifeAt(state, record, clock.now()),
    risk: request.risk,
    agent: agentOf(state, request.agentId),
    on_behalf_of: task?.onBehalfOf === undefined ? null : personOf(state, task.onBehalfOf),
    task: { id: request.taskId, name: task?.name ?? null },
    detail: request.detail,
    justification: request.justification ?? null,
    explanation: request.explanation,
    ttl: request.ttl,
    max_ttl: request.maxTtl,
    requested_at: request.requestedAt,
    expires_at: request.expiresAt,
    approvals: endorsedBy.map((id) => personOf(state, id)),
    approvals_required: request.approvalsRequired,
    narrowed_to: narrowedTo === undefined ? null : [...narrowedTo],
    decided: decided
      ? {
          as: decided.as,
          by: personOf(state, decided.by),
          at: decided.at,
          ...(decided.as === 'approved' ? { ttl: decided.ttl } : {}),
          ...(decided.as === 'approved' && decided.detail ? { detail: decided.detail } : {}),
          ...(text === '' ? {} : { text }),
        }
      : null,
    hindrance: describeHindrance(state, request.id, userId, clock.now()),
  }
}

/** The tasks of a tenant, newest first. */
export const taskList = (tenant: Tenant): TaskList => ({
  ...clockOf(tenant),
  tasks: [...tenant.state.tasks.values()]
    .slice(-pageSize)
    .reverse()
    .map((record) => taskSummary(tenant, record)),
})

/** What belongs to one task, of requests, entries and exchanges the newest; undefined for one that is unknown or forgotten. */
export const timelineOf = (
  tenant: Tenant,
  taskId: string,
  exchanges: readonly Exchange[],
  userId: string | undefined,
): Timeline | undefined => {
  const { state, journal } = tenant
  const record = state.tasks.get(taskId)
  if (record === undefined) return undefined
  const all = journal.after(journal.forgotten)
  const entries = all.filter((entry) => taskOf(entry) === taskId)
  const requests = requestsOf(state, taskId)
  const requestIds = requests.map(({ request }) => request.id)
  const own = exchangesOf(taskId, requestIds, entries, exchanges)
  return {
    ...clockOf(tenant),
    task: taskSummary(tenant, record),
    parent: record.task.parentId ?? null,
    children: [...record.children],
    requests: newest(requests).map((it) => requestView(tenant, it, userId)),
    entries: newest(entries).map(toJournalEntry),
    exchanges: newest(own),
    tokens: lineageOf(taskId, all, own),
  }
}

/** An entry without what nobody needs to see: digests of secrets, and where callbacks go. */
export const toJournalEntry = (entry: Entry): JournalEntry =>
  JSON.parse(
    JSON.stringify(entry, (key, value) =>
      key === 'secretHash' || key === 'callbackUrl' ? undefined : value,
    ),
  )

export const clockOf = ({ clock }: Tenant) => ({ now: clock.now(), running: clock.running })

/** Who decides: a user by id, or the policy itself. */
export const personOf = (state: State, id: string) => {
  const user = state.users.get(id)
  return user
    ? { id, email: user.email, name: user.name }
    : { id, email: '', name: id === 'policy' ? 'the policy' : id }
}

/** An approver by e-mail or id; the first one where none is named. */
export const approverNamed = (state: State, name: string | undefined) => {
  const user = name === undefined ? approversOf(state)[0] : findUser(state, name)
  return user && mayApprove(state, user.id) ? user : undefined
}

export const approversOf = (state: State) =>
  [...state.users.values()].filter(({ id }) => mayApprove(state, id))

/** The rules say why not, by being asked without anything happening. */
const describeHindrance = (
  state: State,
  requestId: string,
  userId = '',
  now = 0,
): string | null => {
  try {
    approveRequest(state, { requestId, userId }, { now, id: (prefix) => `${prefix}_` })
    return null
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused
    return 'reason' in refused.refusal ? (refused.refusal.reason ?? null) : null
  }
}

const taskSummary = ({ state, clock }: Tenant, record: TaskRecord): TaskSummary => {
  const { task, ended, score, denials } = record
  const requests = requestsOf(state, task.id)
  const waiting = requests.filter((it) => lifeAt(state, it, clock.now()) === 'pending')
  return {
    id: task.id,
    name: task.name ?? null,
    agent: agentOf(state, task.agentId),
    on_behalf_of: task.onBehalfOf === undefined ? null : personOf(state, task.onBehalfOf),
    status: statusAt(record, clock.now()),
    opened_at: task.openedAt,
    expires_at: task.expiresAt,
    ended_at: ended?.at ?? null,
    reason: ended?.reason ?? null,
    score,
    denials,
    requests: requests.length,
    waiting: waiting.length,
  }
}

/** The newest that go on one page, oldest first. */
const newest = <T>(items: readonly T[]): T[] => firstPage(items.toReversed(), sizeOf).reverse()

const agentOf = (state: State, id: string) => ({ id, name: state.agents.get(id)?.name ?? id })

const requestsOf = (state: State, taskId: string): RequestRecord[] =>
  (state.tasks.get(taskId)?.requests ?? []).flatMap((id) => state.requests.get(id) ?? [])

const taskOf = (entry: Entry): string | undefined => {
  if (entry.type === 'task.opened') return entry.task.id
  if (entry.type === 'permission.requested') return entry.request.taskId
  return 'taskId' in entry ? entry.taskId : undefined
}
