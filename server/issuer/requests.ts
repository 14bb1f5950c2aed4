import { type AuthorizationDetail, knownTypes, type RequestStatus } from '../wire/index.ts'
import { withinBudget } from './budgets.ts'
import type { Context, Decide } from './decide.ts'
import type { Event, EventOf, Token } from './event.ts'
import { lineageOf, rootOf } from './lineage.ts'
import { type Assessment, assess } from './policy/policy.ts'
import { excessive, suspend } from './policy/risk.ts'
import { recentActivity } from './recent-activity.ts'
import { refuse } from './refusal.ts'
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
 * Creates a permission request. The policy approves it, denies it, or leaves the decision to a
 * person. Each request raises the risk score of the task; the request that reaches the limit is
 * denied and suspends the task (CONTRACT.md#suspension).
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
  /** Why the approver's token cannot decide; absent when it can. */
  obstacle?: string | undefined
}>

/**
 * Approves a request. When several approvers are required, each but the last endorses. Pending requests
 * of the same detail in the same task are decided together, so that a person is not asked repeatedly
 * (THR-17); each gets its own token.
 */
export const approveRequest: Decide<
  Decision &
    Readonly<{
      ttl?: number | undefined
      /** The only requested actions to permit. Absent: all of them. */
      actions?: readonly string[] | undefined
      notes?: string | undefined
      message?: string | undefined
    }>,
  readonly [EventOf<'permission.endorsed'>, ...Event[]]
> = (state, { requestId, userId, obstacle, ttl, actions, notes, message }, { now }) => {
  const record = requireDecidable(state, requestId, { userId, obstacle }, now)
  const { request, endorsedBy } = record
  if (endorsedBy.includes(userId)) {
    refuse({ error: 'approval_forbidden', reason: 'the same user cannot approve twice' })
  }
  const permitted = narrowActions(record, actions)
  // The approver saw only this request, so the others get no longer lifetime.
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
 * The requested actions that this approver and all earlier ones permit; undefined: all of them.
 * @throws {Refused} `invalid_authorization_details` for an action that was not requested, and when no
 * action is left
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
    const reason = `actions: expected a subset of ${(narrowedTo ?? requested).join(', ')}`
    refuse({ error: 'invalid_authorization_details', reason })
  }
  return permitted.length === requested.length ? undefined : permitted
}

/** The detail granted to the agent: narrower than requested when an approver has narrowed it. */
export const grantedDetail = ({ request, decided }: RequestRecord): AuthorizationDetail =>
  (decided?.as === 'approved' ? decided.detail : undefined) ?? request.detail

/** Denies a request. `reason` is for people, `message` for the agent. */
type DenialText = Readonly<{ reason?: string; message?: string }>

/** One denial is final, even when several approvers are required. */
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

/** The other pending requests of the task for exactly the same detail, if the dialect folds them. */
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

/** The pending requests of an agent and of all agents with the same root, oldest first. */
const pendingOf = (state: State, agentId: string, now: number): RequestRecord[] =>
  undecidedOf(state, agentId).filter((it) => lifeAt(state, it, now) === 'pending')

const undecidedOf = (state: State, agentId: string): RequestRecord[] =>
  [...(state.undecidedOf.get(rootOf(state, agentId)) ?? [])].flatMap(
    (id) => state.requests.get(id) ?? [],
  )

/**
 * Exchanges an approval for a token, once. The token is exactly as wide as the approval, and lives no
 * longer than the task. With a dialect switch it can be exchanged again for the remaining lifetime of
 * the first token.
 */
export const exchangeRequest: Decide<
  Readonly<{
    requestId: string
    agentId: string
    /** The audience of the token. Absent: the `locations` of the detail. */
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
      reason: `the task is ${taskStatus}`,
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

/** Every state of a request. On the wire, `exchanged` is sent as `approved`. */
export type Life = RequestStatus | 'exchanged'

/**
 * The state of a request. It changes in one direction: a decision or an expiry is final, until the end
 * of the task revokes it.
 */
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

/** Minimum time in seconds in which an approval can be exchanged. */
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

/** The decision of the policy on a hypothetical request. */
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

/** A child task inherits the denials of its parent tasks. */
const denialsUpwards = (state: State, record: TaskRecord | undefined): number =>
  record === undefined
    ? 0
    : record.denials + denialsUpwards(state, state.tasks.get(record.task.parentId ?? ''))

/** @throws {Refused} `not_found` */
export const findRequest = (state: State, requestId: string): RequestRecord =>
  state.requests.get(requestId) ?? refuse({ error: 'not_found', what: `request ${requestId}` })

/**
 * The request, after checking that the user may decide it: before that, an error reveals nothing about
 * its state (THR-26). Only a user with `jit.approve` decides, and never about an agent that acts for
 * them (HITL-05).
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
    forbid('a user cannot decide a request of an agent that acts for this user')
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
    by: record.decided?.by ?? 'no one',
  })
}

/** Whether a user is an approver. */
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
  const undecided = state.undecidedOf.get(rootOf(state, task.agentId))?.size ?? 0
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

/** A token contains its detail, and must fit into a header. */
const longestDetail = 8192

/**
 * @throws {Refused} `invalid_authorization_details`: too long for a token, or of a type the dialect
 * does not accept
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
      reason: `unknown type; expected one of ${Object.keys(knownTypes).join(', ')}`,
      detail,
    })
  } else if (!(detail.actions ?? []).every((action) => actions.includes(action))) {
    refuse({
      error: 'invalid_authorization_details',
      reason: `unknown action for ${detail.type}; expected ${actions.join(', ')}`,
      detail,
    })
  }
}
