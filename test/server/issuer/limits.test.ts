import { describe, expect, it } from 'vitest'
import { answerApproval, approvalStatus, askApproval } from '../../../server/issuer/approvals.ts'
import { ask } from '../../../server/issuer/asks.ts'
import { evaluateTask } from '../../../server/issuer/evaluation.ts'
import { registerAgent } from '../../../server/issuer/registration.ts'
import { scopeApproval, scopeDetail } from '../../../server/issuer/scopes.ts'
import { issueClientToken } from '../../../server/issuer/tokens.ts'
import { Policy } from '../../../server/wire/index.ts'
import {
  ada,
  alice,
  bob,
  bot,
  deleting,
  errorOf,
  exporting,
  reading,
  refusalOf,
  start,
  stranger,
  world,
} from './world.ts'

describe('what one caller can have is limited:', () => {
  it('tasks within one another', () => {
    const { open } = world({ policy: { limits: { task_depth: 3 } } })
    const [a, b, c] = [0, 1, 2].reduce<string[]>(
      (above) => [...above, open(above.length ? { parentTaskId: above.at(-1) } : {}).id],
      [],
    )

    expect(refusalOf(() => open({ parentTaskId: c }))).toMatchObject({
      error: 'limit_reached',
      limit: 3,
    })
    open({ parentTaskId: b })
    open({ parentTaskId: a })
  })

  it('active tasks of one agent, without counting what is over', () => {
    const { open, complete, clock } = world({ policy: { limits: { tasks_per_agent: 2 } } })
    const first = open()
    open()

    expect(errorOf(() => open())).toBe('limit_reached')
    open({ agentId: stranger.id })
    complete(first.id)
    open()
    expect(errorOf(() => open())).toBe('limit_reached')
    clock.advance(3600)
    open()
  })

  it('requests within one task, and those that wait for a person', () => {
    const policy = {
      limits: { requests_per_task: 4, pending_per_task: 2 },
      scoring: { critical: 0, low: 0 },
    }
    const { open, request, clock } = world({ policy })
    const task = open()
    for (const name of ['a', 'b']) request(task.id, exporting(name))

    expect(refusalOf(() => request(task.id, exporting('c')))).toMatchObject({ limit: 2 })
    clock.advance(300)
    for (const name of ['c', 'd']) request(task.id, exporting(name))
    expect(refusalOf(() => request(task.id, reading()))).toMatchObject({ limit: 4 })
  })

  it('unanswered push approvals of one agent', () => {
    const { tenant, clock } = world({ policy: { limits: { approvals_per_agent: 1 } } })
    const order = { agentId: bot.id, task: 't', reason: 'r', impact: 'low', onBehalfOf: alice.id }
    tenant.run(askApproval, { ...order, impact: 'low' })

    expect(errorOf(() => tenant.run(askApproval, { ...order, impact: 'low' }))).toBe(
      'limit_reached',
    )
    clock.advance(120)
    tenant.run(askApproval, { ...order, impact: 'low' })
  })

  it('agents', () => {
    const { tenant } = world({ policy: { limits: { agents: 2 } } })
    const order = { by: { agent: bot }, name: 'x', clientId: 'x', secretHash: '' }

    expect(errorOf(() => tenant.run(registerAgent, order))).toBe('limit_reached')
  })
})

describe('a budget', () => {
  const frugal = { ...bot, budget: { tokensPerDay: 1, callsPerHour: 2 } }
  const seeded = () => {
    const here = world()
    here.tenant.happen([{ type: 'tenant.seeded', agents: [frugal], users: [] }])
    return here
  }

  it('of calls is refused when it is used up, until the next hour', () => {
    const { open, request, clock, tenant } = seeded()
    clock.set(start + 1000)
    const task = open()
    request(task.id, reading())

    const refusal = refusalOf(() => request(task.id, reading()))

    expect(refusal).toMatchObject({ error: 'budget_exceeded', limit: 2 })
    expect(errorOf(() => tenant.run(ask, { agent: frugal, action: 'x' }))).toBe('budget_exceeded')
    clock.advance(refusal && 'retryAfter' in refusal ? refusal.retryAfter : 0)
    tenant.run(ask, { agent: frugal, action: 'x' })
  })

  it('of tokens counts every kind, until the next day', () => {
    const { open, request, exchange, clock, tenant } = seeded()
    tenant.run(issueClientToken, { client: frugal })

    expect(errorOf(() => tenant.run(issueClientToken, { client: frugal }))).toBe('budget_exceeded')
    const made = request(open().id, reading())
    expect(errorOf(() => exchange(made.id))).toBe('budget_exceeded')
    clock.advance(86_400)
    tenant.run(issueClientToken, { client: frugal })
  })

  it('does not hold for an agent without one', () => {
    const { tenant } = seeded()

    for (let times = 0; times < 5; times += 1) {
      tenant.run(issueClientToken, { client: stranger })
    }
  })
})

describe('pending requests of the same detail in a task', () => {
  it('are decided together, and each gets a token of its own', () => {
    const { open, request, approve, exchange, life } = world()
    const task = open()
    const ids = [1, 2, 3].map(() => request(task.id, exporting('same')).id)
    const other = request(task.id, exporting('other')).id

    approve(ids[1] ?? '')

    expect(ids.map(life)).toEqual(['approved', 'approved', 'approved'])
    expect(life(other)).toBe('pending')
    expect(new Set(ids.map((id) => exchange(id).jti)).size).toBe(3)
  })

  it('are denied together, which counts once', () => {
    const { open, request, deny, life, tenant } = world()
    const task = open()
    const ids = [1, 2].map(() => request(task.id, exporting('same')).id)

    deny(ids[0] ?? '')

    expect(ids.map(life)).toEqual(['denied', 'denied'])
    expect(tenant.state.tasks.get(task.id)?.denials).toBe(1)
  })

  it('need as many people as one alone', () => {
    const { open, request, approve, life } = world({
      policy: { rules: [{ name: 'four eyes', risk: 'high', decision: 'ask', approvers: 2 }] },
    })
    const task = open()
    const ids = [1, 2].map(() => request(task.id, reading()).id)
    approve(ids[0] ?? '', ada)

    expect(ids.map(life)).toEqual(['pending', 'pending'])
    expect(errorOf(() => approve(ids[1] ?? '', ada))).toBe('approval_forbidden')
    approve(ids[1] ?? '', bob)
    expect(ids.map(life)).toEqual(['approved', 'approved'])
  })

  it('each keep the time their own rule gives, at most what the approver says', () => {
    const { open, request, approve, exchange } = world()
    const task = open()
    const [long, short] = [
      request(task.id, exporting(), { requestedTtl: 600 }),
      request(task.id, exporting(), { requestedTtl: 60 }),
    ]

    approve(long.id)

    expect(exchange(long.id).expiresAt).toBe(start + 600)
    expect(exchange(short.id).expiresAt).toBe(start + 60)
  })

  it('are left apart where the dialect says so, and in different tasks always', () => {
    const apart = world({ dialect: { duplicate_requests: 'separate' } })
    const task = apart.open()
    const ids = [1, 2].map(() => apart.request(task.id, exporting()).id)
    apart.approve(ids[0] ?? '')
    const folding = world()
    const tasks = [1, 2].map(() => folding.request(folding.open().id, exporting()).id)
    folding.approve(tasks[0] ?? '')

    expect(ids.map(apart.life)).toEqual(['approved', 'pending'])
    expect(tasks.map(folding.life)).toEqual(['approved', 'pending'])
  })
})

describe('evaluating a task', () => {
  it('is refused for the task of another agent, and for people who are no approvers', () => {
    const { open, tenant } = world()
    const taskId = open().id
    const by = (who: object) => errorOf(() => tenant.run(evaluateTask, { taskId, ...who }))

    expect(by({ agentId: stranger.id })).toBe('task_forbidden')
    expect(by({ userId: alice.id })).toBe('approval_forbidden')
    expect(by({ userId: ada.id, result: 'failed' })).toBe('task_forbidden')
    expect(errorOf(() => tenant.run(evaluateTask, { taskId: 'x', agentId: bot.id }))).toBe(
      'not_found',
    )
  })

  it('only looks when no result is given', () => {
    const { open, tenant, status } = world()
    const taskId = open().id

    tenant.run(evaluateTask, { taskId, agentId: bot.id })
    tenant.run(evaluateTask, { taskId, userId: ada.id })

    expect(status(taskId)).toBe('active')
  })

  it.each([
    ['yes', 'completed'],
    ['no', 'active'],
  ] as const)('ends it with a result where the dialect says %s', (evaluate_closes, expected) => {
    const { open, tenant, status } = world({ dialect: { evaluate_closes } })
    const taskId = open().id

    tenant.run(evaluateTask, { taskId, agentId: bot.id, result: 'failed' })

    expect(status(taskId)).toBe(expected)
  })

  it('suspends it when a new policy finds too much risk in it', () => {
    const { open, request, exchange, tenant, status } = world()
    const task = open()
    const token = exchange(request(task.id, reading()).id)
    const policy = Policy.parse({ scoring: { suspend_from: 1 } })
    tenant.happen([{ type: 'policy.replaced', policy }])

    tenant.run(evaluateTask, { taskId: task.id, agentId: bot.id, result: 'completed' })

    expect(status(task.id)).toBe('suspended')
    expect(tenant.state.tokens.get(token.jti)?.revokedAt).toBe(start)
  })

  it('notes what came after the end, and changes nothing', () => {
    const { open, complete, tenant, happened } = world()
    const taskId = open().id
    complete(taskId)

    tenant.run(evaluateTask, { taskId, agentId: bot.id, result: 'completed', notes: 'done' })

    expect(happened()).toEqual(['task.opened', 'task.completed', 'task.evaluated'])
  })
})

describe('a task on behalf of a user', () => {
  it('is refused to a delegated token of another user', () => {
    const { open } = world()

    expect(errorOf(() => open({ onBehalfOf: alice.email, delegatedBy: bob.id }))).toBe(
      'delegation_not_allowed',
    )
  })

  it('is refused below a task for another user', () => {
    const { open } = world()
    const parentTaskId = open({ onBehalfOf: alice.email }).id

    expect(errorOf(() => open({ parentTaskId, onBehalfOf: bob.email }))).toBe(
      'delegation_not_allowed',
    )
    expect(open({ parentTaskId, onBehalfOf: alice.email }).onBehalfOf).toBe(alice.id)
  })

  it('is for the user of the delegated token when nobody is named', () => {
    const { open } = world()

    expect(open({ delegatedBy: alice.id }).onBehalfOf).toBe(alice.id)
  })
})

describe('scopes of the older form', () => {
  const status = ({ tenant, clock }: ReturnType<typeof world>, taskId: string) =>
    scopeApproval(tenant.state, taskId, bot.id, clock.now())

  it('wait for a person, and are what was approved', () => {
    const here = world()
    const taskId = here.open().id
    const { id } = here.request(taskId, scopeDetail(['read:a', 'write:b', 'read:a']))

    expect(status(here, taskId)).toMatchObject({ status: 'pending', scopes: [] })
    here.approve(id)
    expect(status(here, taskId)).toMatchObject({
      status: 'approved',
      scopes: ['read:a', 'write:b'],
      by: ada.id,
      expiresAt: start + 600,
    })
  })

  it('are denied or expired as their request is', () => {
    const here = world()
    const [denied, expired] = [here.open().id, here.open().id]
    here.deny(here.request(denied, scopeDetail(['x'])).id)
    here.request(expired, scopeDetail(['x']))
    here.clock.advance(300)

    expect(status(here, denied).status).toBe('denied')
    expect(status(here, expired).status).toBe('expired')
  })

  it('are nobody else’s business', () => {
    const { open, tenant } = world()
    const taskId = open().id

    expect(errorOf(() => scopeApproval(tenant.state, taskId, stranger.id, start))).toBe(
      'task_forbidden',
    )
  })
})

describe('a push approval', () => {
  const asked = (here: ReturnType<typeof world>) =>
    here.tenant.run(askApproval, {
      agentId: bot.id,
      task: 'deploy',
      reason: 'because',
      impact: 'high',
      onBehalfOf: alice.email,
    })[0].approval
  const answer = (
    { tenant }: ReturnType<typeof world>,
    approvalId: string,
    userId = alice.id,
    agentHeld = false,
  ) => tenant.run(answerApproval, { approvalId, as: 'approved', userId, agentHeld })

  it('is refused to an agent that may not act for users, and for nobody', () => {
    const { tenant } = world()
    const order = { task: 't', reason: 'r', impact: 'low', onBehalfOf: alice.email } as const
    const to = (more: object) =>
      errorOf(() => tenant.run(askApproval, { agentId: bot.id, ...order, ...more }))

    expect(to({ agentId: stranger.id })).toBe('delegation_not_allowed')
    expect(to({ onBehalfOf: 'nobody' })).toBe('not_found')
  })

  it('is answered by the person who was asked and by nobody else, once and in time', () => {
    const here = world()
    const { id } = asked(here)

    expect(errorOf(() => answer(here, id, ada.id))).toBe('approval_forbidden')
    expect(errorOf(() => answer(here, id, alice.id, true))).toBe('approval_forbidden')
    expect(errorOf(() => answer(here, 'apr_x'))).toBe('not_found')
    answer(here, id)
    expect(errorOf(() => answer(here, id))).toBe('already_decided')
    const late = asked(here)
    here.clock.advance(120)
    expect(errorOf(() => answer(here, late.id))).toBe('request_expired')
  })

  it('waits 120 s, and is forgotten later', () => {
    const here = world()
    const { id } = asked(here)
    const status = () => {
      const record = here.state.approvals.get(id)
      return record && approvalStatus(record, here.clock.now())
    }

    here.clock.advance(119)
    expect(status()).toBe('pending')
    here.clock.advance(1)
    expect(status()).toBe('expired')
    here.clock.advance(4000)
    here.open()
    expect(status()).toBeUndefined()
  })
})

describe('asking whether something is allowed', () => {
  const judged = (order: Omit<Parameters<typeof ask>[1], 'agent'>, agent = bot) =>
    world().tenant.run(ask, { agent, ...order })[0]

  it.each([
    [{ action: 'read:documents' }, true],
    [{ action: 'write:documents' }, false],
    [{ question: 'May I read:documents?' }, true],
    [{ question: 'May I read:documents and delete:everything?' }, false],
    [{ question: 'May I do whatever I want?' }, false],
    [{ action: 'x', context: { authorization_details: reading() } }, true],
    [{ action: 'read:documents', context: { authorization_details: exporting() } }, false],
    [{ action: 'read:documents', context: { authorization_details: deleting() } }, false],
  ])('answers %j with %s', (order, allowed) => {
    expect(judged(order).allowed).toBe(allowed)
  })

  it('knows capabilities for all below a name', () => {
    const agent = { ...bot, capabilities: ['mcp:*'] }

    expect(judged({ action: 'mcp:files:read' }, agent).allowed).toBe(true)
    expect(judged({ action: 'mcpx' }, agent).allowed).toBe(false)
  })

  it('names the rule of the policy, and grants nothing', () => {
    const { tenant, happened } = world()

    const [{ reason }] = tenant.run(ask, {
      agent: bot,
      action: 'x',
      context: { authorization_details: exporting() },
    })

    expect(reason).toContain('put to a person: personal data')
    expect(happened()).toEqual(['agent.asked'])
  })
})

describe('registering an agent', () => {
  const order = { name: 'helper', clientId: 'helper', secretHash: '' }

  it('is refused beyond what the registering agent has, and to people without agents.manage', () => {
    const { tenant } = world()
    const by = (who: object, more: object = {}) =>
      errorOf(() => tenant.run(registerAgent, { by: who, ...order, ...more }))

    expect(by({ agent: bot }, { capabilities: ['read:documents', 'admin'] })).toBe(
      'capability_denied',
    )
    expect(by({ user: ada })).toBe('registration_forbidden')
    expect(by({})).toBe('registration_forbidden')
    expect(by({ agent: { ...bot, resourceServer: true } })).toBe('registration_forbidden')
  })

  it('is refused for a name that is taken', () => {
    const { tenant } = world()
    const named = (name: string, clientId: string) =>
      errorOf(() =>
        tenant.run(registerAgent, { by: { agent: bot }, secretHash: '', name, clientId }),
      )

    expect(named('stranger', 'new')).toBe('agent_exists')
    expect(named('new', 'stranger')).toBe('agent_exists')
  })

  it('gives one that is no mightier and acts for nobody', () => {
    const { tenant } = world()

    const [{ agent }] = tenant.run(registerAgent, {
      by: { agent: bot },
      ...order,
      capabilities: ['read:documents'],
    })

    expect(agent).toMatchObject({ capabilities: ['read:documents'], mayDelegate: false })
    expect(tenant.state.clients.get('helper')).toBe(agent)
  })
})
