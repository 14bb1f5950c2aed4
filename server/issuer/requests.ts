import { type AuthorizationDetail, knownTypes, type RequestStatus } from '../wire/index.ts'
import { withinBudget } from './budgets.ts'
import type { Context, Decide } from './decide.ts'
import type { Event, EventOf, Token } from './event.ts'
import { lineageOf, recentActivity } from './lineage.ts'
import { type Assessment, assess } from './policy.ts'
import { refuse } from './refusal.ts'
import { excessive, suspend } from './risk.ts'
import type { RequestRecord, State, TaskRecord } from './state.ts'
import { findUser, requireActiveTask, statusAt as taskStatusAt } from './tasks.ts'

export type RequestPermission = Readonly<{
  agentId: string
  taskId: string
  detail: AuthorizationDetail
  justification?: string | undefined
  requestedTtl?: number | undefined
  callbackUrl?: string | undefined
}>

/**
 * The policy approves, denies or asks a person. The running risk of the task grows with each
 * request; the one that reaches the limit is denied and suspends the task (contract §5.5).
 */
export const requestPermission: Decide<
  RequestPermission,
  readonly [EventOf<'permission.requested'>, ...Event[]]
> = (state, command, context) => {
  const { now, id } = context
  const task = requireActiveTask(state, command.taskId, command.agentId, now)
  refuseUnusable(state, command.detail)
  refuseTooMany(state, task, now)
  withinBudget(state, command.agentId, 'calls', now)
  const { rule, ttl, maxTtl, explanation } = assessRequest(state, task, command, now)
  const { scoring } = state.policy
  const requested: EventOf<'permission.requested'> = {
    type: 'permission.requested',
    score: scoring[rule.risk],
    request: {
      id: id('jit'),
      taskId: task.task.id,
      agentId: command.agentId,
      detail: command.detail,
      risk: rule.risk,
      ttl,
      maxTtl,
      approvalsRequired: rule.approvers,
      requestedAt: now,
      expiresAt: Math.min(
        now + (rule.timeout ?? state.policy.approval_timeout),
        task.task.expiresAt,
      ),
      explanation,
      ...(command.justification === undefined ? {} : { justification: command.justification }),
      ...(command.callbackUrl === undefined ? {} : { callbackUrl: command.callbackUrl }),
    },
  }
  const about = { requestId: requested.request.id, taskId: task.task.id }
  const recent = recentActivity(state, command.agentId, now)
  const reason = excessive(
    state,
    { score: task.score + requested.score, denials: task.denials },
    { score: recent.score + requested.score, denials: recent.denials },
  )
  if (reason !== undefined) {
    return [
      requested,
      { type: 'permission.denied', ...about, by: 'policy', reason, score: 0 },
      ...suspend(state, task, now, reason),
    ]
  }
  switch (rule.decision) {
    case 'approve':
      return [requested, { type: 'permission.approved', ...about, by: 'policy', ttl }]
    case 'deny':
      return [
        requested,
        ...denial(
          state,
          task,
          about.requestId,
          'policy',
          { reason: rule.reason ?? rule.name },
          context,
          requested.score,
        ),
      ]
    case 'ask':
      return [requested]
  }
}

export type Decision = Readonly<{
  requestId: string
  userId: string
  /** Why the token that the person shows cannot decide; absent: it can. */
  obstacle?: string | undefined
}>

/**
 * With several approvers required, each but the last endorses. Pending requests of the same detail
 * in the same task are decided together, so that nobody is asked the same thing over and over
 * (THR-17); each keeps a token of its own.
 */
export const approveRequest: Decide<
  Decision &
    Readonly<{
      ttl?: number | undefined
      /** The only requested actions to permit; absent: all of them. */
      actions?: readonly string[] | undefined
      notes?: string | undefined
      message?: string | undefined
    }>,
  readonly [EventOf<'permission.endorsed'>, ...Event[]]
> = (state, { requestId, userId, obstacle, ttl, actions, notes, message }, { now }) => {
  const record = requireDecidable(state, requestId, { userId, obstacle }, now)
  const { request, endorsedBy } = record
  if (endorsedBy.includes(userId)) {
    refuse({ error: 'approval_forbidden', reason: 'the same person cannot approve twice' })
  }
  const permitted = narrowActions(record, actions)
  // The approver saw this request: what is decided with it lives no longer.
  const approvedTtl = Math.min(ttl ?? request.ttl, request.maxTtl)
  const approval = (it: RequestRecord): readonly [EventOf<'permission.endorsed'>, ...Event[]] => {
    const about = { requestId: it.request.id, taskId: request.taskId, by: userId }
    const narrowed = permitted === undefined ? {} : { actions: permitted }
    const endorsed = { type: 'permission.endorsed', ...about, ...narrowed } as const
    if (it.endorsedBy.length + 1 < it.request.approvalsRequired) return [endorsed]
    return [
      endorsed,
      {
        type: 'permission.approved',
        ...about,
        ttl: Math.min(ttl ?? it.request.ttl, it.request.maxTtl, approvedTtl),
        ...(permitted === undefined ? {} : { detail: { ...it.request.detail, ...narrowed } }),
        ...(notes === undefined ? {} : { notes }),
        ...(message === undefined ? {} : { message }),
      },
    ]
  }
  const others = repetitionsOf(state, record, now).filter((it) => !it.endorsedBy.includes(userId))
  return [...approval(record), ...others.flatMap(approval)]
}

/**
 * The requested actions that this approver and those before permit; undefined: all of them.
 * @throws {Refused} `invalid_authorization_details` for an action that was not requested, and where
 * none is left
 */
const narrowActions = (
  { request, narrowedTo }: RequestRecord,
  actions: readonly string[] | undefined,
): string[] | undefined => {
  const requested = request.detail.actions ?? []
  const isForeign = actions?.some((it) => !requested.includes(it))
  const permitted = requested.filter(
    (it) => (actions?.includes(it) ?? true) && (narrowedTo?.includes(it) ?? true),
  )
  if (isForeign || (actions !== undefined && permitted.length === 0)) {
    const reason = `actions: expected some of ${(narrowedTo ?? requested).join(', ')}`
    refuse({ error: 'invalid_authorization_details', reason })
  }
  return permitted.length === requested.length ? undefined : permitted
}

/** What the agent gets of what it requested: less, where an approver has narrowed it. */
export const grantedDetail = ({ request, decided }: RequestRecord): AuthorizationDetail =>
  (decided?.as === 'approved' ? decided.detail : undefined) ?? request.detail

/** `reason` is for people, `message` for the agent. */
type DenialText = Readonly<{ reason?: string; message?: string }>

/** One denial is enough, however many approvers are required. */
export const denyRequest: Decide<
  Decision & Readonly<{ [K in keyof DenialText]: DenialText[K] | undefined }>
> = (state, { requestId, userId, obstacle, reason, message }, context) => {
  const text = {
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  }
  const record = requireDecidable(state, requestId, { userId, obstacle }, context.now)
  const task = state.tasks.get(record.request.taskId) as TaskRecord
  const others = repetitionsOf(state, record, context.now).map(
    ({ request }): Event => ({
      type: 'permission.denied',
      requestId: request.id,
      taskId: request.taskId,
      by: userId,
      score: 0,
      repeats: requestId,
      ...text,
    }),
  )
  return [...others, ...denial(state, task, requestId, userId, text, context)]
}

/** What else is pending in the task for the very same detail, where the dialect folds that. */
export const repetitionsOf = (
  state: State,
  { request, canonical }: RequestRecord,
  now: number,
): RequestRecord[] =>
  state.dialect.duplicate_requests === 'separate'
    ? []
    : undecidedOf(state, request.agentId).filter(
        (it) =>
          it.request.id !== request.id &&
          it.request.taskId === request.taskId &&
          it.canonical === canonical &&
          lifeAt(state, it, now) === 'pending',
      )

/** The requests of an agent that wait for a person, oldest first. */
const pendingOf = (state: State, agentId: string, now: number): RequestRecord[] =>
  undecidedOf(state, agentId).filter((it) => lifeAt(state, it, now) === 'pending')

const undecidedOf = (state: State, agentId: string): RequestRecord[] =>
  [...(state.undecidedOf.get(agentId) ?? [])].flatMap((id) => state.requests.get(id) ?? [])

/**
 * An approval becomes a token once, exactly as wide as what was approved, and no longer than the
 * task lives. A dialect switch allows it again for what remains of the first token's time.
 */
export const exchangeRequest: Decide<
  Readonly<{
    requestId: string
    agentId: string
    /** Where it is to be used; absent: where its detail says. */
    audience?: readonly string[] | undefined
  }>,
  readonly [EventOf<'token.issued'>]
> = (state, { requestId, agentId, audience }, { now, id }) => {
  const record = requireOwnRequest(state, requestId, agentId)
  const { request, decided, exchangedAt } = record
  const task = state.tasks.get(request.taskId) as TaskRecord
  const taskStatus = taskStatusAt(task, now)
  if (taskStatus !== 'active') {
    refuse({
      error: 'request_not_approved',
      requestId,
      status: 'revoked',
      reason: `its task is ${taskStatus}`,
    })
  }
  const status = lifeAt(state, record, now)
  if (status === 'exchanged' && state.dialect.repeated_exchange === 'no') {
    refuse({ error: 'already_exchanged', requestId })
  }
  const approved = decided?.as === 'approved' ? decided : undefined
  if ((status !== 'approved' && status !== 'exchanged') || approved === undefined) {
    return refuse({ error: 'request_not_approved', requestId, status })
  }
  const expiresAt = Math.min((exchangedAt ?? now) + approved.ttl, task.task.expiresAt)
  if (expiresAt <= now) refuse({ error: 'request_not_approved', requestId, status: 'expired' })
  withinBudget(state, agentId, 'tokens', now)
  const agent = state.agents.get(agentId)
  const token: Token = {
    jti: id('jti'),
    kind: 'jit',
    sub: `agent:${agent?.name}:task:${request.taskId}`,
    clientId: agent?.clientId ?? '',
    agentId,
    issuedAt: now,
    expiresAt,
    taskId: request.taskId,
    requestId,
    detail: grantedDetail(record),
    ...(audience === undefined ? {} : { audience }),
    ...(task.task.onBehalfOf === undefined ? {} : { userId: task.task.onBehalfOf }),
  }
  return [{ type: 'token.issued', token, taskId: request.taskId, requestId }]
}

/** Every state of a request's life. On the wire `exchanged` reads as `approveRecord`. */
export type Life = RequestStatus | 'exchanged'

/** One-way: what a person or time has decided stays, until the end of the task revokes it. */
export const lifeAt = (state: State, record: RequestRecord, now: number): Life => {
  const { request, decided, exchangedAt } = record
  if (decided?.as === 'denied') return 'denied'
  const task = state.tasks.get(request.taskId)
  const over = (decided ? Number.POSITIVE_INFINITY : request.expiresAt) <= now
  if (over) return 'expired'
  if (record.revokedAt !== undefined) return 'revoked'
  if (task && taskStatusAt(task, now) !== 'active') return 'revoked'
  if (decided === undefined) return 'pending'
  if (exchangedAt !== undefined) return 'exchanged'
  return now >= decided.at + Math.max(decided.ttl, redeemable) ? 'expired' : 'approved'
}

/** An approval that nobody fetched is good for this many seconds at least. */
const redeemable = 300

/** @throws {Refused} `not_found`, or `request_forbidden` for another agent's request */
export const requireOwnRequest = (
  state: State,
  requestId: string,
  agentId: string,
): RequestRecord => {
  const record = findRequest(state, requestId)
  if (record.request.agentId !== agentId) refuse({ error: 'request_forbidden', requestId })
  return record
}

/** What the policy says of a request, without making it. */
export const assessRequest = (
  state: State,
  task: TaskRecord | undefined,
  { agentId, detail, justification, requestedTtl }: Omit<RequestPermission, 'taskId'>,
  now: number,
): Assessment => {
  const [agent = agentId, ...ancestors] = lineageOf(state, agentId).map(({ name }) => name)
  return assess(state.policy, {
    detail,
    agent,
    ancestors,
    taskType: task?.task.type,
    onBehalfOf: task?.task.onBehalfOf && state.users.get(task.task.onBehalfOf)?.email,
    requestedTtl,
    justification,
    score: task?.score ?? 0,
    denials: denialsUpwards(state, task),
    agentDenials: recentActivity(state, agentId, now).denials,
    requestsLastMinute: recentActivity(state, agentId, now, 60).requests,
    now,
  })
}

/** A child task does not leave behind what was denied above it. */
const denialsUpwards = (state: State, record: TaskRecord | undefined): number =>
  record === undefined
    ? 0
    : record.denials + denialsUpwards(state, state.tasks.get(record.task.parentId ?? ''))

/** @throws {Refused} `not_found` */
export const findRequest = (state: State, requestId: string): RequestRecord =>
  state.requests.get(requestId) ?? refuse({ error: 'not_found', what: `request ${requestId}` })

/**
 * The request, once it is certain that the person may decide it: until then an answer tells nothing of
 * its state (THR-26). Only a person with `jit.approve` decides, and never for themselves (HITL-05).
 */
const requireDecidable = (
  state: State,
  requestId: string,
  { userId, obstacle }: Omit<Decision, 'requestId'>,
  now: number,
): RequestRecord => {
  const forbid = (reason: string) => refuse({ error: 'approval_forbidden', reason })
  if (obstacle !== undefined) forbid(obstacle)
  if (!mayApprove(state, userId)) forbid('the permission jit.approve is missing')
  const record = findRequest(state, requestId)
  if (state.tasks.get(record.request.taskId)?.task.onBehalfOf === userId) {
    forbid('a person cannot decide what an agent does on their behalf')
  }
  const life = lifeAt(state, record, now)
  if (life === 'pending') return record
  if (life === 'expired' && record.decided === undefined) {
    refuse({ error: 'request_expired', requestId })
  }
  return refuse({
    error: 'already_decided',
    requestId,
    status: life === 'exchanged' ? 'approved' : life,
    by: record.decided?.by ?? 'nobody',
  })
}

/** Whether a person is an approver. */
export const mayApprove = (state: State, userId: string): boolean =>
  findUser(state, userId)?.permissions.includes('jit.approve') === true

const denial = (
  state: State,
  task: TaskRecord,
  requestId: string,
  by: string,
  text: DenialText,
  { now }: Context,
  pendingScore = 0,
): Event[] => {
  const { scoring } = state.policy
  const denied: Event = {
    type: 'permission.denied',
    requestId,
    taskId: task.task.id,
    by,
    score: scoring.denial,
    ...text,
  }
  const after = {
    score: task.score + pendingScore + scoring.denial,
    denials: task.denials + 1,
  }
  const recent = recentActivity(state, task.task.agentId, now)
  const why = excessive(state, after, {
    score: recent.score + pendingScore + scoring.denial,
    denials: recent.denials + 1,
  })
  return why === undefined ? [denied] : [denied, ...suspend(state, task, now, why)]
}

const refuseTooMany = (state: State, { task, requests }: TaskRecord, now: number) => {
  const { requests_per_task, pending_per_task, pending_per_agent } = state.policy.limits
  if (requests.length >= requests_per_task) {
    refuse({ error: 'limit_reached', what: 'requests within one task', limit: requests_per_task })
  }
  const undecided = state.undecidedOf.get(task.agentId)?.size ?? 0
  if (undecided < Math.min(pending_per_task, pending_per_agent)) return
  const pending = pendingOf(state, task.agentId, now)
  if (pending.length >= pending_per_agent) {
    const what = 'pending requests of one agent'
    refuse({ error: 'limit_reached', what, limit: pending_per_agent })
  }
  if (pending.filter(({ request }) => request.taskId === task.id).length >= pending_per_task) {
    const what = 'pending requests within one task'
    refuse({ error: 'limit_reached', what, limit: pending_per_task })
  }
}

/** A token carries its detail, and has to fit into a header with everything else. */
const longestDetail = 8192

/**
 * @throws {Refused} `invalid_authorization_details`: too long for a token, or of a type the dialect
 * does not know
 */
export const refuseUnusable = (state: State, detail: AuthorizationDetail) => {
  if (JSON.stringify(detail).length > longestDetail) {
    refuse({
      error: 'invalid_authorization_details',
      reason: `expected at most ${longestDetail} characters of JSON`,
      detail,
    })
  }
  if (state.dialect.unknown_types === 'accept' || detail.type === 'scope') return
  const actions = Object.hasOwn(knownTypes, detail.type) ? knownTypes[detail.type] : undefined
  if (actions === undefined) {
    refuse({
      error: 'invalid_authorization_details',
      reason: `the type is unknown; known are ${Object.keys(knownTypes).join(', ')}`,
      detail,
    })
  } else if (!(detail.actions ?? []).every((action) => actions.includes(action))) {
    refuse({
      error: 'invalid_authorization_details',
      reason: `${detail.type} knows the actions ${actions.join(', ')}`,
      detail,
    })
  }
}
