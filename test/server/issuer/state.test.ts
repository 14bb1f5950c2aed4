import { describe, expect, it } from 'vitest'
import type { Event, Token } from '../../../server/issuer/event.ts'
import { evolve } from '../../../server/issuer/evolve.ts'
import { createStream, knownEvents, verifyStream } from '../../../server/issuer/signals.ts'
import { emptyState } from '../../../server/issuer/state.ts'
import { ApproverScript, Policy, RateLimits } from '../../../server/wire/index.ts'
import { alice, bot, exporting, reading, start, world } from './world.ts'

const token: Token = {
  jti: 'jti_x',
  kind: 'user',
  sub: 'user:alice',
  clientId: 'app',
  issuedAt: start,
  expiresAt: start + 60,
}
const about = { requestId: 'jit_x', taskId: 'task_x', by: 'ada' }

describe('the state', () => {
  it.each<Event>([
    { type: 'authorization.used', uri: 'urn:x' },
    { type: 'device.denied', codeHash: 'x' },
    { type: 'grant.redeemed', grantId: 'grant_x' },
    { type: 'grant.revoked', grantId: 'grant_x', reason: 'grant_revoked' },
    { type: 'permission.endorsed', ...about },
    { type: 'permission.endorsed', ...about, actions: ['read'] },
    { type: 'permission.revoked', ...about },
    { type: 'permission.approved', ...about, ttl: 60 },
    { type: 'permission.denied', ...about, score: 1 },
    { type: 'token.revoked', jti: 'jti_x', reason: 'revoked_by_client' },
    { type: 'approval.answered', approvalId: 'apr_x', as: 'approved', by: 'ada' },
    { type: 'stream.deleted', streamId: 'ssf_x' },
    { type: 'stream.verified', streamId: 'ssf_x' },
    { type: 'signal.delivered', streamId: 'ssf_x', jti: '1', attempt: 1 },
    { type: 'signal.failed', streamId: 'ssf_x', jti: '1', attempt: 1, reason: 'r', final: true },
    { type: 'signal.acknowledged', streamId: 'ssf_x', jtis: ['1'] },
    { type: 'task.completed', taskId: 'task_x' },
    { type: 'task.suspended', taskId: 'task_x', reason: 'r' },
    { type: 'task.evaluated', taskId: 'task_x' },
    { type: 'key.published', kid: 'k', alg: 'ES256' },
    { type: 'key.rotated', kid: 'k', alg: 'ES256' },
    { type: 'key.retired', kid: 'k' },
    { type: 'clock.moved', by: 1 },
  ])('does not change when $type names an unknown record', (event) => {
    const state = emptyState(Policy.parse({}))

    evolve(state, { seq: 1, at: 0, ...event })

    expect(state).toEqual(emptyState(Policy.parse({})))
  })

  it.each<Event>([
    { type: 'token.issued', token: { ...token, taskId: 'task_x', grantId: 'grant_x' } },
    { type: 'token.issued', token: { ...token, jti: 'jti_y' } },
    {
      type: 'grant.refreshable',
      grantId: 'grant_x',
      refreshHash: 'hash',
      expiresAt: start + 60,
    },
    {
      type: 'task.opened',
      task: {
        id: 'task_x',
        agentId: 'agt_x',
        caepSessionId: 'caep_x',
        parentId: 'task_y',
        openedAt: start,
        expiresAt: start + 60,
      },
    },
  ])(
    'applies $type although a record it names is unknown, and deletes it once expired',
    (event) => {
      const state = emptyState(Policy.parse({}))

      evolve(state, { seq: 1, at: start, ...event })
      expect([state.tokens.size, state.refreshTokens.size, state.tasks.size]).toContain(1)
      evolve(state, { seq: 2, at: start + 7260, type: 'clock.moved', by: 0 })

      expect([state.tokens.size, state.refreshTokens.size, state.tasks.size]).toEqual([0, 0, 0])
    },
  )

  it('records a request of an unknown task', () => {
    const { open, request, tenant } = world()
    request(open().id, exporting())
    const asked = tenant.journal.after(0).find(({ type }) => type === 'permission.requested')
    const state = emptyState(Policy.parse({}))

    if (asked !== undefined) evolve(state, asked)

    expect([...state.requests.values()]).toHaveLength(1)
    expect([...state.undecided]).toEqual([...state.requests.keys()])
  })

  it('revokes a token of an unknown task', () => {
    const state = emptyState(Policy.parse({}))
    evolve(state, {
      seq: 1,
      at: start,
      type: 'token.issued',
      token: { ...token, taskId: 'task_x' },
    })
    evolve(state, {
      seq: 2,
      at: start,
      type: 'token.revoked',
      jti: token.jti,
      reason: 'revoked_by_client',
    })

    expect(state.tokens.get(token.jti)?.revokedAt).toBe(start)
  })

  it('lists the child tasks of a task', () => {
    const { open, state } = world()
    const parent = open()
    const child = open({ parentTaskId: parent.id })

    expect(state.tasks.get(parent.id)?.children).toEqual([child.id])
    expect(state.tasks.get(child.id)).toStrictEqual({
      task: child,
      score: 0,
      denials: 0,
      children: [],
      requests: [],
      tokens: new Set(),
    })
  })

  it('holds everything it was seeded with', () => {
    const { tenant, state } = world()
    const application = { name: 'App', clientId: 'app', capabilities: [] }
    const key = { name: 'backend', hash: 'hash', permissions: [] }
    const server = {
      id: 'mcp_1',
      name: 'files',
      description: '',
      resourceUri: 'https://mcp.test',
      scopes: [],
      tokenLifetime: 60,
      createdAt: start,
    }
    const workload = { provider: 'p', issuer: 'i', subject: 's', agentId: bot.id, keys: [] }

    tenant.happen([
      {
        type: 'tenant.seeded',
        agents: [bot],
        users: [alice],
        applications: [application],
        apiKeys: [key],
        mcpServers: [server],
        workloads: [workload],
      },
    ])

    expect(state.agents.get(bot.id)).toBe(bot)
    expect(state.clients.get(bot.clientId)).toBe(bot)
    expect(state.clients.get('app')).toBe(application)
    expect(state.apiKeys.get('hash')).toBe(key)
    expect(state.mcpServers.get('mcp_1')).toBe(server)
    expect(state.workloads).toEqual([workload])
  })

  it('holds only agents and users when seeded with only these', () => {
    const { state } = world()

    expect([state.apiKeys.size, state.mcpServers.size, state.workloads]).toEqual([0, 0, []])
    expect([...state.clients.keys()]).toEqual(['report-bot', 'stranger'])
  })

  it('applies changes of clients, agents, limits and the approver', () => {
    const { tenant, state } = world()
    const client = { name: 'App', clientId: 'app', capabilities: [] }
    const agent = { ...bot, id: 'agt_new', clientId: 'new' }
    const limits = RateLimits.parse({})
    const script = ApproverScript.parse({ decision: 'deny' })

    tenant.happen([
      { type: 'client.registered', client },
      { type: 'agent.registered', agent, by: 'ada' },
      { type: 'limits.set', limits },
      { type: 'approver.scripted', script },
    ])

    expect(state.clients.get('app')).toBe(client)
    expect(state.clients.get('new')).toBe(agent)
    expect(state.agents.get('agt_new')).toBe(agent)
    expect(state.limits).toBe(limits)
    expect(state.approver).toBe(script)
  })

  it('counts the requests of the last minute by outcome', () => {
    const { open, request, deny, clock } = world()
    const task = open()
    const denied = request(task.id, exporting('a'))
    clock.advance(1)
    request(task.id, exporting('b'))
    deny(denied.id)
    const inputs = () => request(task.id, reading()).explanation.inputs

    clock.advance(58)
    expect(inputs()).toMatchObject({ requests_last_minute: 2, denials: 1, score: 40 })
    clock.advance(1)
    expect(inputs()).toMatchObject({ requests_last_minute: 2 })
    clock.advance(60)
    expect(inputs()).toMatchObject({ requests_last_minute: 0, denials: 1 })
  })

  it('adds up the requests of one second', () => {
    const { open, request } = world()
    const task = open()
    for (const name of ['a', 'b']) request(task.id, reading(name))

    expect(request(task.id, reading('c')).explanation.inputs).toMatchObject({
      requests_last_minute: 2,
    })
  })

  it('keeps the activity of an agent for 600 s', () => {
    const { open, request, clock, state } = world()
    request(open().id, reading())
    clock.advance(600)
    request(open().id, reading())

    expect(state.recent.get(bot.id)).toEqual([
      { at: start + 600, requests: 1, denials: 0, score: expect.any(Number) },
    ])
  })

  it('holds only live tokens of a task', () => {
    const { open, request, exchange, tenant, clock, state } = world()
    const task = open()
    const tokens = [60, 600].map((requestedTtl) =>
      exchange(request(task.id, reading(), { requestedTtl }).id),
    )
    const last = exchange(request(task.id, reading(), { requestedTtl: 600 }).id)

    tenant.happen([{ type: 'token.revoked', jti: last.jti, reason: 'revoked_by_client' }])
    clock.advance(120)
    open()

    expect([...(state.tasks.get(task.id)?.tokens ?? [])]).toEqual([tokens[1]?.jti])
  })

  it('lists a task as open until it ends or expires', () => {
    const { open, complete, clock, state } = world()
    const ended = open()
    open()
    complete(ended.id)
    expect(state.openTasks.get(bot.id)?.size).toBe(1)

    clock.advance(3660)
    open()

    expect(state.openTasks.get(bot.id)?.size).toBe(1)
  })

  it('lists no task as open that was deleted before it was found expired', () => {
    const { tenant, open, clock, state } = world()
    for (const lifetime of [7200, 3600]) {
      const policy = Policy.parse({ ...state.policy, task_lifetime: lifetime })
      tenant.happen([{ type: 'policy.replaced', policy }])
      open()
    }

    clock.advance(86_400)
    open()

    expect(state.openTasks.get(bot.id)?.size).toBe(1)
  })

  it('deletes a signal once it is delivered or given up, and keeps the others', () => {
    const { tenant, state } = world()
    const order = { clientId: 'rs', issuer: 'https://lumo.test', audience: [] }
    const [{ stream }] = tenant.run(createStream, { ...order, requested: knownEvents })
    const streamId = stream.id
    for (let times = 0; times < 3; times += 1) {
      tenant.run(verifyStream, { clientId: 'rs', streamId })
    }
    const waiting = () => (state.streams.get(streamId)?.waiting ?? []).map(({ jti }) => jti)
    const [first = '', second = '', third = ''] = waiting()
    const failed = { type: 'signal.failed', streamId, attempt: 1, reason: 'r' } as const

    tenant.happen([{ type: 'signal.delivered', streamId, jti: second, attempt: 1 }])
    expect(waiting()).toEqual([first, third])
    tenant.happen([{ ...failed, jti: first, final: false }])
    expect(waiting()).toEqual([first, third])
    tenant.happen([{ ...failed, jti: first, final: true }])
    expect(waiting()).toEqual([third])
  })
})
