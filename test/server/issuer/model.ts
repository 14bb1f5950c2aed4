import fc from 'fast-check'
import { expect } from 'vitest'
import { evaluateTask } from '../../../server/issuer/evaluation.ts'
import type { Agent, User } from '../../../server/issuer/event.ts'
import { findLiveToken, revokeToken } from '../../../server/issuer/oauth/tokens.ts'
import { Refused } from '../../../server/issuer/refusal.ts'
import {
  approveRequest,
  denyRequest,
  exchangeRequest,
  lifeAt,
  requestPermission,
} from '../../../server/issuer/requests.ts'
import { forgetExpired, type State } from '../../../server/issuer/state.ts'
import { completeTask, openTask, statusAt } from '../../../server/issuer/tasks.ts'
import { Clock, Tenant } from '../../../server/issuer/tenant.ts'
import { covers, Dialect, longestTtl, Policy } from '../../../server/wire/index.ts'
import { compacted } from './compacted.ts'
import { ada, alice, bob, bot, stranger } from './world.ts'

/** What the model knows. It shares no code with the rules. */
type Model = { tenants: TenantModel[] }
type TenantModel = {
  now: number
  tasks: Map<string, TaskModel>
  requests: Map<string, RequestModel>
  tokens: Map<string, TokenModel>
  /** How often each kind of command has run. */
  happened: Record<string, number>
  /** When requests of each agent were denied. */
  denials: Map<string, number[]>
}
type TaskModel = {
  agent: string
  parent: string | undefined
  user: string | undefined
  until: number
  ended?: 'completed' | 'suspended'
  score: number
  denials: number
}
type RequestModel = {
  task: string
  agent: string
  detail: Detail
  ttl: number
  mostTtl: number
  until: number
  needs: number
  endorsed: Set<string>
  decided?: 'approved' | 'denied'
  decidedAt: number
  exchanged: boolean
}
type TokenModel = { task: string; agent: string; until: number; revoked: boolean }

type Real = { tenants: Tenant[] }

const minute = 60
const lifetime = 30 * minute
const remembered = 60 * minute
const most = { tasks: 4, depth: 3, requests: 6, pending: 3, score: 40, denials: 2, agentDenials: 3 }

const details = {
  reading: { type: 'file_access', actions: ['read'], identifier: 'a' },
  writing: { type: 'file_access', actions: ['write'], identifier: 'a' },
  exporting: { type: 'user_data', actions: ['read'], identifier: 'b' },
  paying: { type: 'payment', actions: ['initiate'], identifier: 'c' },
}
type Detail = keyof typeof details

/** The same policy twice: as the rules read it, and as the model does. */
const policy = Policy.parse({
  task_lifetime: lifetime,
  approval_timeout: 5 * minute,
  default_ttl: 600,
  scoring: {
    low: 1,
    medium: 5,
    high: 10,
    critical: 15,
    denial: 10,
    suspend_from: 40,
    suspend_denials: 2,
    agent_denials: 3,
  },
  limits: { tasks_per_agent: 4, task_depth: 3, requests_per_task: 6, pending_per_task: 3 },
  rules: [
    { name: 'pay', when: { type: 'payment' }, risk: 'medium', decision: 'deny' },
    {
      name: 'export',
      when: { type: 'user_data' },
      risk: 'critical',
      decision: 'ask',
      approvers: 2,
      timeout: 120,
    },
    { name: 'write', when: { actions: ['write'] }, risk: 'high', decision: 'ask', max_ttl: 300 },
    { name: 'read', risk: 'low', decision: 'approve' },
  ],
})
const ruled: Record<
  Detail,
  { score: number; does: 'approve' | 'ask' | 'deny'; needs: number; mostTtl: number; time: number }
> = {
  reading: { score: 1, does: 'approve', needs: 1, mostTtl: 900, time: 300 },
  writing: { score: 10, does: 'ask', needs: 1, mostTtl: 300, time: 300 },
  exporting: { score: 15, does: 'ask', needs: 2, mostTtl: 900, time: 120 },
  paying: { score: 5, does: 'deny', needs: 1, mostTtl: 900, time: 300 },
}

const opened = (name: string): Tenant => {
  let ids = 0
  const tenant = new Tenant(
    name,
    new Clock(undefined, 1_800_000_000),
    (prefix) => `${prefix}_${name}${++ids}`,
  )
  tenant.happen([
    { type: 'tenant.seeded', agents: [bot, stranger], users: [ada, bob, alice] },
    { type: 'dialect.set', dialect: Dialect.parse({}) },
    { type: 'policy.replaced', policy },
  ])
  return tenant
}

export const bothWorlds = (): { model: Model; real: Real } => {
  const tenants = [opened('a'), opened('b')]
  return {
    real: { tenants },
    model: {
      tenants: tenants.map(({ clock }) => ({
        now: clock.now(),
        tasks: new Map(),
        requests: new Map(),
        tokens: new Map(),
        happened: {},
        denials: new Map(),
      })),
    },
  }
}

/** The result of a command: the code of a refusal, or `done`. */
const outcomeOf = (act: () => void): string => {
  try {
    act()
    return 'done'
  } catch (thrown) {
    if (thrown instanceof Refused) return thrown.refusal.error
    throw thrown
  }
}

/** A command in one tenant, sometimes with an id of the other tenant. */
abstract class Command implements fc.Command<Model, Real> {
  readonly at: number
  /** In which of the two tenants the id is looked up. */
  readonly from: number
  readonly pick: number
  readonly needs: 'tasks' | 'requests' | 'tokens' | undefined
  constructor({ at, strays, pick }: Common, needs?: Command['needs']) {
    this.at = at
    this.from = strays ? 1 - at : at
    this.pick = pick
    this.needs = needs
  }

  /** Picks from a list; the list may be empty. */
  check(model: Readonly<Model>): boolean {
    return this.needs === undefined || (model.tenants[this.from]?.[this.needs].size ?? 0) > 0
  }

  run(model: Model, real: Real): void {
    const [here, there] = [model.tenants[this.at], real.tenants[this.at]]
    if (here === undefined || there === undefined) throw new Error('there are two tenants')
    const { expected, act } = this.act(here, there, model)
    expect(outcomeOf(act), String(this)).toBe(expected)
    for (const [index, tenant] of real.tenants.entries()) {
      agree(model.tenants[index] as TenantModel, tenant)
    }
  }

  abstract act(
    here: TenantModel,
    there: Tenant,
    model: Model,
  ): Readonly<{ expected: string; act: () => void }>

  abstract toString(): string

  protected picked(model: Model, kind: 'tasks' | 'requests' | 'tokens'): string {
    const ids = [...(model.tenants[this.from]?.[kind].keys() ?? [])]
    return ids[this.pick % Math.max(ids.length, 1)] ?? 'none'
  }

  protected where(): string {
    return `tenant ${this.at}${this.from === this.at ? '' : ', by an id of the other'}, pick ${this.pick}`
  }
}

const happened = (here: TenantModel, what: string) => {
  here.happened[what] = (here.happened[what] ?? 0) + 1
}

const taskState = (here: TenantModel, task: TaskModel) =>
  task.ended ?? (here.now >= task.until ? 'expired' : 'active')

const isActive = (here: TenantModel, id: string | undefined): boolean => {
  const task = here.tasks.get(id ?? '')
  return task !== undefined && taskState(here, task) === 'active'
}

const depth = (here: TenantModel, id: string | undefined): number => {
  const task = here.tasks.get(id ?? '')
  return task === undefined ? 0 : 1 + depth(here, task.parent)
}

const requestState = (here: TenantModel, it: RequestModel) => {
  if (it.decided === 'denied') return 'denied'
  if (it.decided === undefined && here.now >= it.until) return 'expired'
  if (!isActive(here, it.task)) return 'revoked'
  if (it.decided === undefined) return 'pending'
  if (it.exchanged) return 'exchanged'
  return here.now >= it.decidedAt + Math.max(it.ttl, 300) ? 'expired' : 'approved'
}

const isAlive = (here: TenantModel, { until, revoked }: TokenModel) => !revoked && here.now < until

/** Ends a task and the tasks below it. Tokens that have expired already stay as they are. */
const end = (here: TenantModel, id: string, as: 'completed' | 'suspended') => {
  for (const [child, task] of here.tasks) {
    if (task.parent === id && taskState(here, task) === 'active') end(here, child, as)
  }
  const task = here.tasks.get(id)
  if (task) task.ended = as
  happened(here, `task.${as}`)
  for (const token of here.tokens.values()) {
    if (token.task === id && isAlive(here, token)) token.revoked = true
  }
}

const ownTask = (here: TenantModel, id: string, agent: string): string | undefined => {
  const task = here.tasks.get(id)
  if (task === undefined) return 'not_found'
  return task.agent === agent ? undefined : 'task_forbidden'
}

const suspendIfTooMuch = (here: TenantModel, id: string) => {
  const task = here.tasks.get(id)
  if (task === undefined) return
  if (
    task.score >= most.score ||
    task.denials >= most.denials ||
    isDeniedTooOften(here, task.agent)
  )
    end(here, id, 'suspended')
}

/** Denials count in all tasks of an agent for 600 s. */
const isDeniedTooOften = (here: TenantModel, agent: string) =>
  (here.denials.get(agent) ?? []).filter((at) => at > here.now - 600).length >= most.agentDenials

const noteDenial = (here: TenantModel, task: TaskModel) => {
  task.denials += 1
  here.denials.set(task.agent, [...(here.denials.get(task.agent) ?? []), here.now])
}

class Open extends Command {
  readonly agent: Agent
  readonly below: boolean
  readonly user: User | undefined
  constructor(it: Common & { agent: Agent; below: boolean; user: User | undefined }) {
    super(it, it.below ? 'tasks' : undefined)
    this.agent = it.agent
    this.below = it.below
    this.user = it.user
  }
  act(here: TenantModel, there: Tenant, model: Model) {
    const { agent, user } = this
    const parent = this.below ? this.picked(model, 'tasks') : undefined
    const above = here.tasks.get(parent ?? '')
    const expected = (() => {
      if (parent !== undefined) {
        const why = ownTask(here, parent, agent.id)
        if (why) return why
        if (!isActive(here, parent)) return 'task_not_active'
      }
      if (depth(here, parent) >= most.depth) return 'limit_reached'
      const open = [...here.tasks].filter(([id, it]) => it.agent === agent.id && isActive(here, id))
      if (open.length >= most.tasks) return 'limit_reached'
      if (user !== undefined && !agent.mayDelegate) return 'delegation_not_allowed'
      if (user && above?.user && above.user !== user.id) return 'delegation_not_allowed'
      return 'done'
    })()
    const act = () => {
      const [{ task }] = there.run(openTask, {
        agentId: agent.id,
        parentTaskId: parent,
        onBehalfOf: user?.email,
      })
      happened(here, 'task.opened')
      here.tasks.set(task.id, {
        agent: agent.id,
        parent,
        user: user?.id ?? above?.user,
        until: Math.min(here.now + lifetime, above?.until ?? Number.POSITIVE_INFINITY),
        score: 0,
        denials: 0,
      })
    }
    return { expected, act }
  }
  toString() {
    return `${this.agent.name} opens a task${this.below ? ' below another' : ''}${this.user ? ` for ${this.user.name}` : ''} (${this.where()})`
  }
}

class Request extends Command {
  readonly agent: Agent
  readonly detail: Detail
  readonly ttl: number | undefined
  constructor(it: Common & { agent: Agent; detail: Detail; ttl: number | undefined }) {
    super(it, 'tasks')
    this.agent = it.agent
    this.detail = it.detail
    this.ttl = it.ttl
  }
  act(here: TenantModel, there: Tenant, model: Model) {
    const { agent, detail, ttl } = this
    const taskId = this.picked(model, 'tasks')
    const mine = [...here.requests.values()].filter((it) => it.task === taskId)
    const pending = mine.filter((it) => requestState(here, it) === 'pending')
    const expected = (() => {
      const why = ownTask(here, taskId, agent.id)
      if (why) return why
      if (!isActive(here, taskId)) return 'task_not_active'
      return mine.length >= most.requests || pending.length >= most.pending
        ? 'limit_reached'
        : 'done'
    })()
    const act = () => {
      const [{ request }] = there.run(requestPermission, {
        agentId: agent.id,
        taskId,
        detail: details[detail],
        requestedTtl: ttl,
      })
      const task = here.tasks.get(taskId) as TaskModel
      const { score, does, needs, mostTtl, time } = ruled[detail]
      const it: RequestModel = {
        task: taskId,
        agent: agent.id,
        detail,
        ttl: Math.min(ttl ?? 600, mostTtl),
        mostTtl,
        until: Math.min(here.now + time, task.until),
        needs,
        endorsed: new Set(),
        decidedAt: here.now,
        exchanged: false,
      }
      here.requests.set(request.id, it)
      happened(here, 'permission.requested')
      task.score += score
      const tooMuch = task.score >= most.score || isDeniedTooOften(here, agent.id)
      if (tooMuch || does === 'deny') {
        it.decided = 'denied'
        noteDenial(here, task)
        if (!tooMuch) task.score += 10
        happened(here, 'permission.denied')
        suspendIfTooMuch(here, taskId)
      } else if (does === 'approve') {
        it.decided = 'approved'
        happened(here, 'permission.approved')
      }
    }
    return { expected, act }
  }
  toString() {
    return `${this.agent.name} requests ${this.detail} for ${this.ttl ?? 'the usual'} s (${this.where()})`
  }
}

class Decide extends Command {
  readonly user: User
  readonly verb: 'approve' | 'deny'
  readonly ttl: number | undefined
  constructor(it: Common & { user: User; verb: 'approve' | 'deny'; ttl: number | undefined }) {
    super(it, 'requests')
    this.user = it.user
    this.verb = it.verb
    this.ttl = it.ttl
  }
  act(here: TenantModel, there: Tenant, model: Model) {
    const { user, verb, ttl } = this
    const requestId = this.picked(model, 'requests')
    const it = here.requests.get(requestId)
    const expected = (() => {
      // A user who may not decide gets the same refusal whether or not the request exists.
      if (user === alice) return 'approval_forbidden'
      if (it === undefined) return 'not_found'
      if (here.tasks.get(it.task)?.user === user.id) return 'approval_forbidden'
      const state = requestState(here, it)
      if (state === 'expired' && it.decided === undefined) return 'request_expired'
      if (state !== 'pending') return 'already_decided'
      const twice = verb === 'approve' && it.endorsed.has(user.id)
      return twice ? 'approval_forbidden' : 'done'
    })()
    const act = () => {
      const decision = { requestId, userId: user.id }
      if (verb === 'approve') there.run(approveRequest, { ...decision, ttl })
      else there.run(denyRequest, decision)
      const first = it as RequestModel
      // One decision applies to all identical requests.
      const same = [...here.requests.values()].filter(
        (other) =>
          other.task === first.task &&
          other.detail === first.detail &&
          requestState(here, other) === 'pending',
      )
      for (const other of same) {
        if (verb === 'approve') this.approve(here, other)
        else this.deny(here, other)
      }
      if (verb === 'approve') return
      const task = here.tasks.get(first.task) as TaskModel
      noteDenial(here, task)
      task.score += 10
      suspendIfTooMuch(here, first.task)
    }
    return { expected, act }
  }
  approve(here: TenantModel, it: RequestModel) {
    if (it.endorsed.has(this.user.id)) return
    it.endorsed.add(this.user.id)
    if (it.endorsed.size < it.needs) return
    it.decided = 'approved'
    it.decidedAt = here.now
    it.ttl = Math.min(this.ttl ?? it.ttl, it.mostTtl)
    happened(here, 'permission.approved')
  }
  deny(here: TenantModel, it: RequestModel) {
    it.decided = 'denied'
    happened(here, 'permission.denied')
  }
  toString() {
    return `${this.user.name} is to ${this.verb}${this.ttl ? ` for ${this.ttl} s` : ''} (${this.where()})`
  }
}

class Exchange extends Command {
  readonly agent: Agent
  constructor(it: Common & { agent: Agent }) {
    super(it, 'requests')
    this.agent = it.agent
  }
  act(here: TenantModel, there: Tenant, model: Model) {
    const requestId = this.picked(model, 'requests')
    const it = here.requests.get(requestId)
    const expected = (() => {
      if (it === undefined) return 'not_found'
      if (it.agent !== this.agent.id) return 'request_forbidden'
      if (!isActive(here, it.task)) return 'request_not_approved'
      const state = requestState(here, it)
      if (state === 'exchanged') return 'already_exchanged'
      return state === 'approved' ? 'done' : 'request_not_approved'
    })()
    const act = () => {
      const [{ token }] = there.run(exchangeRequest, { requestId, agentId: this.agent.id })
      const from = it as RequestModel
      const until = Math.min(here.now + from.ttl, here.tasks.get(from.task)?.until ?? 0)
      expect(token.expiresAt).toBe(until)
      expect(token.detail && covers(details[from.detail], token.detail)).toBe(true)
      expect(token.expiresAt - token.issuedAt).toBeLessThanOrEqual(longestTtl)
      here.tokens.set(token.jti, { task: from.task, agent: from.agent, until, revoked: false })
      from.exchanged = true
      happened(here, 'token.issued')
    }
    return { expected, act }
  }
  toString() {
    return `${this.agent.name} exchanges (${this.where()})`
  }
}

class End extends Command {
  readonly agent: Agent
  readonly verb: 'complete' | 'evaluate' | 'report'
  constructor(it: Common & { agent: Agent; verb: End['verb'] }) {
    super(it, 'tasks')
    this.agent = it.agent
    this.verb = it.verb
  }
  act(here: TenantModel, there: Tenant, model: Model) {
    const taskId = this.picked(model, 'tasks')
    const task = here.tasks.get(taskId)
    const state = task && taskState(here, task)
    const expected =
      ownTask(here, taskId, this.agent.id) ??
      (this.verb === 'complete' && state !== 'active' && state !== 'completed'
        ? 'task_not_active'
        : 'done')
    const act = () => {
      const order = { taskId, agentId: this.agent.id }
      if (this.verb === 'complete') there.run(completeTask, order)
      else if (this.verb === 'report') there.run(evaluateTask, { ...order, result: 'completed' })
      else there.run(evaluateTask, order)
      if (state !== 'active') return
      // Reading a task suspends it when its agent was denied too often in other tasks meanwhile.
      const isSuspended = this.verb !== 'complete' && isDeniedTooOften(here, this.agent.id)
      if (isSuspended) end(here, taskId, 'suspended')
      else if (this.verb !== 'evaluate') end(here, taskId, 'completed')
    }
    return { expected, act }
  }
  toString() {
    return `${this.agent.name} is to ${this.verb} (${this.where()})`
  }
}

class Revoke extends Command {
  readonly agent: Agent
  constructor(it: Common & { agent: Agent }) {
    super(it, 'tokens')
    this.agent = it.agent
  }
  act(here: TenantModel, there: Tenant, model: Model) {
    const jti = this.picked(model, 'tokens')
    const token = here.tokens.get(jti)
    const act = () => {
      there.run(revokeToken, { jti, clientId: this.agent.clientId })
      if (token && token.agent === this.agent.id && isAlive(here, token)) token.revoked = true
    }
    return { expected: 'done', act }
  }
  toString() {
    return `${this.agent.name} revokes a token (${this.where()})`
  }
}

class Wait extends Command {
  readonly seconds: number
  constructor(it: Common & { seconds: number }) {
    super(it)
    this.seconds = it.seconds
  }
  act(here: TenantModel, there: Tenant) {
    const act = () => {
      here.now += this.seconds
      there.clock.advance(this.seconds)
      there.happen([{ type: 'clock.moved', by: this.seconds }])
      forget(here, there.state)
    }
    return { expected: 'done', act }
  }
  toString() {
    return `${this.seconds} s pass in tenant ${this.at}`
  }
}

/** Records may be deleted an hour after they expire, and no other records. */
const forget = (here: TenantModel, { tasks, requests, tokens }: State) => {
  for (const [id, { until }] of here.tasks) {
    if (tasks.has(id)) continue
    expect(here.now).toBeGreaterThanOrEqual(until + remembered)
    here.tasks.delete(id)
    for (const [requestId, { task }] of here.requests) {
      if (task !== id) continue
      expect(requests.has(requestId)).toBe(false)
      here.requests.delete(requestId)
    }
  }
  for (const [jti, { until }] of here.tokens) {
    if (tokens.has(jti)) continue
    expect(here.now).toBeGreaterThanOrEqual(until)
    here.tokens.delete(jti)
  }
}

/** The model and the rules are in the same state. */
const agree = (here: TenantModel, { state, clock, journal }: Tenant) => {
  const now = clock.now()
  expect(now).toBe(here.now)
  const tasks = [...state.tasks].map(([id, it]) => [id, statusAt(it, now)])
  expect(tasks).toEqual([...here.tasks].map(([id, it]) => [id, taskState(here, it)]))
  const requests = [...state.requests].map(([id, it]) => [id, lifeAt(state, it, now)])
  expect(requests).toEqual([...here.requests].map(([id, it]) => [id, requestState(here, it)]))
  const tokens = [...state.tokens.keys()].map((jti) => [
    jti,
    findLiveToken(state, jti, now) !== undefined,
  ])
  expect(tokens).toEqual([...here.tokens].map(([jti, it]) => [jti, isAlive(here, it)]))
  const counts: Record<string, number> = {}
  for (const { type } of journal.after(0)) {
    if (counted.has(type)) counts[type] = (counts[type] ?? 0) + 1
  }
  expect(counts).toEqual(here.happened)
}

const counted = new Set([
  'task.opened',
  'task.completed',
  'task.suspended',
  'permission.requested',
  'permission.approved',
  'permission.denied',
  'token.issued',
])

/** The journal gives the same state again, as it is and compacted. */
const comesBack = ({ journal, state, id, clock }: Tenant) => {
  const entries = journal.after(0)
  forgetExpired(state, clock.now())
  const again = new Tenant('again', new Clock(undefined, 0), id)
  again.replay(entries)
  for (const tenant of [again, compacted(entries, 0).tenant, compacted(entries, 7).tenant]) {
    forgetExpired(tenant.state, clock.now())
    expect(tenant.state).toEqual(state)
    expect(tenant.journal.last).toBe(journal.last)
  }
}

type Common = { at: number; strays: boolean; pick: number }
const common = {
  at: fc.constantFrom(0, 0, 0, 1),
  strays: fc.constantFrom(...Array(19).fill(false), true),
  pick: fc.nat(7),
}
const agent = fc.constantFrom(...Array<Agent>(9).fill(bot), stranger)
const ttl = fc.option(fc.integer({ min: 1, max: 2000 }), { nil: undefined })

const kinds = {
  open: fc
    .record({
      ...common,
      agent,
      below: fc.constantFrom(false, false, false, true),
      user: fc.constantFrom(undefined, undefined, alice, ada),
    })
    .map((it) => new Open(it)),
  request: fc
    .record({
      ...common,
      agent,
      detail: fc.constantFrom<Detail>('reading', 'reading', 'writing', 'exporting', 'paying'),
      ttl,
    })
    .map((it) => new Request(it)),
  decide: fc
    .record({
      ...common,
      user: fc.constantFrom(ada, bob, bob, alice),
      verb: fc.constantFrom('approve' as const, 'approve' as const, 'deny' as const),
      ttl,
    })
    .map((it) => new Decide(it)),
  exchange: fc.record({ ...common, agent }).map((it) => new Exchange(it)),
  end: fc
    .record({
      ...common,
      agent,
      verb: fc.constantFrom('complete' as const, 'evaluate' as const, 'report' as const),
    })
    .map((it) => new End(it)),
  revoke: fc.record({ ...common, agent }).map((it) => new Revoke(it)),
  wait: fc
    .record({
      ...common,
      seconds: fc.oneof(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 3000 })),
    })
    .map((it) => new Wait(it)),
}

const often = <T>(it: T): T[] => [it, it, it, it]

/** Commands that move a request on are drawn more often than commands that end it. */
const commands = [
  kinds.open,
  ...often(kinds.request),
  ...often(kinds.decide),
  ...often(kinds.exchange),
  kinds.end,
  kinds.revoke,
  kinds.wait,
]

/** For any commands of agents and approvers and any time, the rules agree with the model. */
export const holds = (sequences: number): void => {
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: 60, size: 'max' }), (all) => {
      const worlds = bothWorlds()
      fc.modelRun(() => worlds, all)
      for (const tenant of worlds.real.tenants) comesBack(tenant)
    }),
    { numRuns: sequences },
  )
}
