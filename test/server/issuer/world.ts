import type { Agent, User } from '../../../server/issuer/event.ts'
import { type Refusal, Refused } from '../../../server/issuer/refusal.ts'
import {
  approveRequest,
  denyRequest,
  exchangeRequest,
  lifeAt,
  requestPermission,
} from '../../../server/issuer/requests.ts'
import { completeTask, openTask, statusAt } from '../../../server/issuer/tasks.ts'
import { Clock, Tenant } from '../../../server/issuer/tenant.ts'
import { type AuthorizationDetail, Dialect, Policy } from '../../../server/wire/index.ts'

export const start = 1_800_000_000

export const bot: Agent = {
  id: 'agt_report-bot',
  name: 'report-bot',
  clientId: 'report-bot',
  secretHash: '',
  capabilities: ['read:documents'],
  mayDelegate: true,
}
export const stranger: Agent = {
  ...bot,
  id: 'agt_stranger',
  name: 'stranger',
  clientId: 'stranger',
  mayDelegate: false,
}
export const ada: User = {
  id: 'user:ada',
  email: 'ada@example.com',
  name: 'Ada',
  permissions: ['jit.approve'],
}
export const bob: User = { ...ada, id: 'user:bob', email: 'bob@example.com', name: 'Bob' }
export const alice: User = {
  id: 'user:alice',
  email: 'alice@example.com',
  name: 'Alice',
  permissions: [],
}

/** A tenant with two agents, two approvers and a user, with a frozen clock. */
export const world = ({
  policy = {},
  dialect = {},
}: {
  policy?: Partial<(typeof Policy)['_zod']['input']>
  dialect?: Partial<Dialect>
} = {}) => {
  let ids = 0
  const clock = new Clock(undefined, start)
  const tenant = new Tenant('acme', clock, (prefix) => `${prefix}_${++ids}`)
  tenant.happen([
    { type: 'tenant.seeded', agents: [bot, stranger], users: [ada, bob, alice] },
    { type: 'dialect.set', dialect: Dialect.parse(dialect) },
    { type: 'policy.replaced', policy: Policy.parse({ ...tenant.state.policy, ...policy }) },
  ])
  const seeds = tenant.journal.last
  const open = (order: Partial<Parameters<typeof openTask>[1]> = {}) =>
    tenant.run(openTask, { agentId: bot.id, ...order })[0].task
  const request = (
    taskId: string,
    detail: AuthorizationDetail,
    more: Partial<Parameters<typeof requestPermission>[1]> = {},
  ) => tenant.run(requestPermission, { agentId: bot.id, taskId, detail, ...more })[0].request
  const approve = (requestId: string, user = ada, ttl?: number) =>
    tenant.run(approveRequest, { requestId, userId: user.id, ttl })
  const deny = (requestId: string, user = ada) =>
    tenant.run(denyRequest, { requestId, userId: user.id, reason: 'no' })
  const exchange = (requestId: string, agent = bot) =>
    tenant.run(exchangeRequest, { requestId, agentId: agent.id })[0].token
  const complete = (taskId: string, agent = bot) =>
    tenant.run(completeTask, { taskId, agentId: agent.id })
  return {
    tenant,
    state: tenant.state,
    clock,
    open,
    request,
    approve,
    deny,
    exchange,
    complete,
    life: (requestId: string) => {
      const record = tenant.state.requests.get(requestId)
      return record && lifeAt(tenant.state, record, clock.now())
    },
    status: (taskId: string) => {
      const record = tenant.state.tasks.get(taskId)
      return record && statusAt(record, clock.now())
    },
    happened: () => tenant.journal.after(seeds).map(({ type }) => type),
  }
}

export const reading = (identifier = 'doc_1'): AuthorizationDetail => ({
  type: 'file_access',
  actions: ['read'],
  identifier,
})

/** A request that the default policy sends to a person. */
export const exporting = (identifier = 'ada'): AuthorizationDetail => ({
  type: 'user_data',
  actions: ['read'],
  identifier,
})

/** The same, at a lower risk. */
export const deleting = (identifier = 'doc_1'): AuthorizationDetail => ({
  type: 'file_access',
  actions: ['delete'],
  identifier,
})

/** The refusal a call throws; undefined when it succeeds. */
export const refusalOf = (act: () => unknown): Refusal | undefined => {
  try {
    act()
    return undefined
  } catch (thrown) {
    if (thrown instanceof Refused) return thrown.refusal
    throw thrown
  }
}

export const errorOf = (act: () => unknown): string | undefined => refusalOf(act)?.error
