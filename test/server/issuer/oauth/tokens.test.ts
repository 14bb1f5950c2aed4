import { describe, expect, it } from 'vitest'
import type { Client, Token } from '../../../../server/issuer/event.ts'
import { delegate, exchangeForTask, narrow } from '../../../../server/issuer/oauth/delegation.ts'
import { scopeDetail } from '../../../../server/issuer/oauth/scopes.ts'
import {
  findLiveToken,
  grantedScope,
  issueClientToken,
  issueUserToken,
  revokeToken,
} from '../../../../server/issuer/oauth/tokens.ts'
import { alice, bot, errorOf, reading, refusalOf, start, stranger, world } from '../world.ts'

const app: Client = { name: 'App', clientId: 'app', capabilities: ['a', 'b'] }
const audience = { names: ['https://api.test'], servers: [] }
const hour = start + 3600

describe('a client_credentials token', () => {
  const issued = (client: Client, more: object = {}) =>
    world().tenant.run(issueClientToken, { client, ...more })[0].token

  it('names the application or the agent as its sub', () => {
    expect(issued(app)).toStrictEqual({
      jti: 'jti_1',
      kind: 'client',
      sub: 'app',
      clientId: 'app',
      issuedAt: start,
      expiresAt: hour,
      scope: 'a b',
    })
    expect(issued(bot)).toStrictEqual({
      jti: 'jti_1',
      kind: 'agent',
      sub: 'agent:report-bot',
      clientId: 'report-bot',
      issuedAt: start,
      expiresAt: hour,
      agentId: bot.id,
      scope: 'read:documents',
    })
  })

  it('has the requested audience, and expires at the requested time if that is earlier', () => {
    expect(issued(app, { audience, until: start + 60 })).toMatchObject({
      audience: ['https://api.test'],
      expiresAt: start + 60,
    })
    expect(issued(app, { until: hour + 60 }).expiresAt).toBe(hour)
    expect(issued({ ...app, capabilities: [] })).not.toHaveProperty('scope')
  })

  it('has on request the basic scopes of agents, and delegate:on_behalf if the agent may act for users', () => {
    const scopeOf = (client: Client, scope: string) => {
      const refused = errorOf(() => issued(client, { scope }))
      return refused ?? issued(client, { scope }).scope
    }

    for (const scope of [
      'agent:basic',
      'delegate:on_behalf',
      'read:documents delegate:on_behalf',
    ]) {
      expect(scopeOf(bot, scope)).toBe(scope)
    }
    expect(scopeOf(stranger, 'agent:basic')).toBe('agent:basic')
    expect(scopeOf(stranger, 'delegate:on_behalf')).toBe('invalid_scope')
    expect(refusalOf(() => issued(app, { scope: 'agent:basic' }))).toMatchObject({
      error: 'invalid_scope',
      allowed: app.capabilities,
    })
    expect(refusalOf(() => issued(stranger, { scope: 'x' }))).toMatchObject({
      allowed: ['read:documents', 'agent:basic', 'jit:request'],
    })
  })

  it('lives as long as the shortest lifetime of the MCP servers it is for', () => {
    const server = {
      id: 'm',
      name: 'm',
      description: '',
      resourceUri: 'https://m.test',
      scopes: [],
    }
    const servers = [60, 30, 90].map((tokenLifetime) => ({
      ...server,
      tokenLifetime,
      createdAt: 0,
    }))

    expect(issued(bot, { audience: { names: [], servers } }).expiresAt).toBe(start + 30)
  })

  it('is refused with access_denied for an MCP server that does not list the agent', () => {
    const servers = [
      {
        id: 'm',
        name: 'm',
        description: '',
        resourceUri: 'https://m.test',
        scopes: [],
        tokenLifetime: 60,
        createdAt: 0,
        agents: [bot.id],
      },
    ]
    const to = (client: Client) =>
      errorOf(() => issued(client, { audience: { names: [], servers } }))

    expect([to(bot), to(stranger), to(app)]).toEqual([undefined, 'access_denied', 'access_denied'])
  })
})

describe('a user’s token', () => {
  const order = { userId: alice.id, clientId: 'app', lifetime: 60 }
  const issued = (more: object = {}) =>
    world().tenant.run(issueUserToken, { ...order, ...more })[0].token

  it('holds what the user consented to, and nothing else', () => {
    const minimal = {
      jti: 'jti_1',
      kind: 'user',
      sub: alice.id,
      clientId: 'app',
      userId: alice.id,
      issuedAt: start,
      expiresAt: start + 60,
    }
    const more = { scope: 'openid', details: [reading()], mayAct: 'agent:x', grantId: 'grant_1' }

    expect(issued()).toStrictEqual(minimal)
    expect(issued({ scope: '' })).toStrictEqual(minimal)
    expect(issued({ ...more, audience })).toStrictEqual({
      ...minimal,
      ...more,
      audience: audience.names,
    })
  })
})

describe('revoking a token', () => {
  it('does nothing for an unknown, another client’s, a revoked or an expired token', () => {
    const { tenant, clock } = world()
    const [{ token }] = tenant.run(issueClientToken, { client: app })
    const [{ token: second }] = tenant.run(issueClientToken, { client: app })
    const revoke = (jti: string, clientId = 'app') => tenant.run(revokeToken, { jti, clientId })

    expect(revoke('jti_x')).toEqual([])
    expect(revoke(token.jti, 'other')).toEqual([])
    expect(revoke(token.jti)).toStrictEqual([
      { type: 'token.revoked', jti: token.jti, reason: 'revoked_by_client' },
    ])
    expect(revoke(token.jti)).toEqual([])
    clock.advance(3599)
    expect(findLiveToken(tenant.state, second.jti, clock.now())).toBe(second)
    clock.advance(1)
    expect(findLiveToken(tenant.state, second.jti, clock.now())).toBeUndefined()
    expect(revoke(second.jti)).toEqual([])
  })

  it('names the task the token was granted in', () => {
    const { open, request, exchange, tenant } = world()
    const task = open()
    const { jti, clientId } = exchange(request(task.id, reading()).id)

    expect(tenant.run(revokeToken, { jti, clientId })).toStrictEqual([
      { type: 'token.revoked', jti, reason: 'revoked_by_client', taskId: task.id },
    ])
  })
})

describe('a scope', () => {
  it('defaults to all registered scopes; a requested scope is granted once', () => {
    expect(grantedScope(['a', 'b'], undefined)).toBe('a b')
    expect(grantedScope(['a', 'b'], ' b  b ')).toBe('b')
    expect(grantedScope(['a', 'b'], '')).toBe('')
  })

  it('is refused with invalid_scope, which lists the allowed scopes', () => {
    expect(refusalOf(() => grantedScope(['a'], 'a c'))).toEqual({
      error: 'invalid_scope',
      scope: 'a c',
      allowed: ['a'],
    })
  })
})

/** A user’s token and an agent’s, with which the agent gets a token to act for the user. */
const both = (login: object = {}, budget?: { tokensPerDay: number }) => {
  const here = world()
  const agent = { ...bot, capabilities: ['a', 'b'], ...(budget && { budget }) }
  here.tenant.happen([{ type: 'agent.registered', agent, by: 'ada' }])
  const [{ token: subject }] = here.tenant.run(issueUserToken, {
    userId: alice.id,
    clientId: 'app',
    lifetime: 600,
    scope: 'b  c',
    ...login,
  })
  const [{ token: actor }] = here.tenant.run(issueClientToken, { client: agent })
  return { ...here, agent, subject, actor }
}

describe('a delegated token', () => {
  const delegated = (login: object = {}, more: object = {}) => {
    const { tenant, subject, actor } = both(login)
    return tenant.run(delegate, { subject, actor, ...more })[0].token
  }
  const minimal = {
    jti: 'jti_3',
    kind: 'delegated',
    sub: alice.id,
    clientId: bot.clientId,
    agentId: bot.id,
    userId: alice.id,
    issuedAt: start,
    expiresAt: start + 600,
    act: { sub: 'agent:report-bot' },
  }

  it('is never wider than the subject token or the actor token', () => {
    expect(delegated()).toStrictEqual({ ...minimal, audience: [bot.id], scope: 'b' })
    expect(delegated({ scope: 'c' })).toStrictEqual({ ...minimal, audience: [bot.id] })
  })

  it('keeps the grant of its subject token, and carries the requested details and locations', () => {
    const login = { grantId: 'grant_1', details: [reading()] }

    expect(delegated(login, { details: [reading()], audience })).toStrictEqual({
      ...minimal,
      scope: 'b',
      grantId: 'grant_1',
      details: [reading()],
      audience: audience.names,
    })
    expect(delegated({ ...login, audience })).toMatchObject({
      audience: [bot.id],
      reach: audience.names,
    })
    expect(delegated(login)).not.toHaveProperty('details')
  })

  it('is refused for a subject_token or an actor_token of the wrong kind', () => {
    const { tenant, subject, actor } = both()
    const refused = (of: { subject?: Token; actor?: Token }) =>
      errorOf(() => tenant.run(delegate, { subject, actor, ...of }))

    expect(refused({ subject: actor })).toBe('bad_exchange_token')
    expect(refused({ actor: subject })).toBe('bad_exchange_token')
    expect(refused({ actor: { ...actor, kind: 'jit' } })).toBe('bad_exchange_token')
  })

  it('is refused for more than both tokens have, with what they have', () => {
    const { tenant, subject, actor } = both()

    expect(refusalOf(() => tenant.run(delegate, { subject, actor, scope: 'a b' }))).toMatchObject({
      error: 'insufficient_scope',
      allowed: ['b'],
    })
    const detail = reading()
    expect(
      refusalOf(() => tenant.run(delegate, { subject, actor, details: [detail] })),
    ).toMatchObject({ error: 'invalid_authorization_details', detail })
  })

  it('counts against the tokensPerDay of the agent', () => {
    const { tenant, subject, actor } = both({}, { tokensPerDay: 2 })
    tenant.run(delegate, { subject, actor })

    expect(errorOf(() => tenant.run(delegate, { subject, actor }))).toBe('budget_exceeded')
  })
})

describe('a narrowed token', () => {
  it('differs from its subject token only in what was requested', () => {
    const { tenant, clock, subject } = both({ details: [reading()], mayAct: 'agent:x' })
    clock.advance(10)

    const narrowed = (more: object) => tenant.run(narrow, { subject, ...more })[0].token

    expect(narrowed({})).toStrictEqual({
      ...subject,
      jti: 'jti_3',
      issuedAt: start + 10,
      scope: 'b c',
    })
    expect(narrowed({ scope: '', details: [], audience })).toStrictEqual({
      jti: 'jti_4',
      kind: 'user',
      sub: alice.id,
      clientId: 'app',
      userId: alice.id,
      issuedAt: start + 10,
      expiresAt: start + 600,
      mayAct: 'agent:x',
      details: [],
      audience: audience.names,
    })
  })

  it('is refused for what the subject token lacks, and for a JIT token', () => {
    const { tenant, subject } = both({ audience: { names: ['x', 'y'], servers: [] } })
    const refused = (more: object, of = subject) =>
      refusalOf(() => tenant.run(narrow, { subject: of, ...more }))

    expect(refused({ scope: 'b z' })).toEqual({
      error: 'invalid_scope',
      scope: 'b z',
      allowed: ['b', 'c'],
    })
    expect(refused({}, { ...subject, kind: 'jit' })).toMatchObject({ error: 'bad_exchange_token' })
    expect(refused({ details: [reading()] })).toMatchObject({
      error: 'invalid_authorization_details',
    })
    expect(refused({ audience: { names: ['x', 'z'], servers: [] } })).toMatchObject({
      error: 'invalid_target',
    })
    expect(refused({ audience: { names: ['y'], servers: [] } })).toBeUndefined()
  })

  it('for an MCP server keeps the scopes the server knows', () => {
    const { tenant, subject } = both()
    const server = { id: 'm', name: 'm', description: '', resourceUri: 'm', tokenLifetime: 60 }
    const scopes = (...known: string[]) => {
      const servers = [{ ...server, createdAt: 0, scopes: known }]
      return tenant.run(narrow, { subject, audience: { names: ['m'], servers } })[0].token.scope
    }

    expect([scopes('c', 'd'), scopes()]).toEqual(['c', 'b c'])
  })

  it('counts against the tokensPerDay of an agent, and not of a user', () => {
    const { tenant, subject, actor } = both({}, { tokensPerDay: 2 })
    tenant.run(narrow, { subject: actor })

    expect(errorOf(() => tenant.run(narrow, { subject: actor }))).toBe('budget_exceeded')
    expect(errorOf(() => tenant.run(narrow, { subject }))).toBeUndefined()
  })
})

describe('a token for the JIT scopes of a task', () => {
  const approved = (ttl?: number, budget?: { tokensPerDay: number }) => {
    const here = both({}, budget)
    const task = here.open({ onBehalfOf: alice.email })
    const { id } = here.request(task.id, scopeDetail(['a', 'b']))
    const exchanged = (more: object = {}) =>
      here.tenant.run(exchangeForTask, { subject: here.actor, taskId: task.id, ...more })[0]
    return { ...here, task, id, exchanged, approveIt: () => here.approve(id, undefined, ttl) }
  }

  it('holds what was approved, the task and the user', () => {
    const { exchanged, approveIt, task, id } = approved()
    approveIt()

    expect(exchanged({ scope: 'a' })).toStrictEqual({
      type: 'token.issued',
      taskId: task.id,
      requestId: id,
      token: {
        jti: 'jti_6',
        kind: 'jit',
        requestId: id,
        detail: { type: 'scope', actions: ['a'] },
        sub: `agent:report-bot:task:${task.id}`,
        clientId: bot.clientId,
        agentId: bot.id,
        taskId: task.id,
        issuedAt: start,
        expiresAt: start + 600,
        scope: 'a',
        userId: alice.id,
      },
    })
    expect(errorOf(exchanged)).toBe('already_exchanged')
  })

  it('holds all approved scopes by default, with their locations', () => {
    const { tenant, actor, open, request, approve } = both()
    const taskId = open().id
    approve(request(taskId, scopeDetail(['a', 'b'], ['https://a.test'])).id)

    const [{ token }] = tenant.run(exchangeForTask, { subject: actor, taskId })

    expect(token).toMatchObject({
      scope: 'a b',
      detail: { type: 'scope', actions: ['a', 'b'], locations: ['https://a.test'] },
    })
  })

  it('covers one approval: of two it takes the one that is enough, and never combines them', () => {
    const { tenant, actor, open, request, approve } = both()
    const taskId = open().id
    for (const scope of ['a', 'b']) approve(request(taskId, scopeDetail([scope])).id)
    const exchanged = (scope?: string) =>
      tenant.run(exchangeForTask, { subject: actor, taskId, scope })[0].token.scope

    expect(errorOf(() => exchanged('a b'))).toBe('invalid_scope')
    expect(exchanged('a')).toBe('a')
    expect(exchanged()).toBe('b')
    expect(errorOf(() => exchanged('a'))).toBe('already_exchanged')
  })

  it('is refused with the scopes of the last approval when no approval has all requested scopes', () => {
    const { tenant, actor, open, request, approve } = both()
    const taskId = open().id
    for (const scope of ['a', 'b']) approve(request(taskId, scopeDetail([scope])).id)

    expect(
      refusalOf(() => tenant.run(exchangeForTask, { subject: actor, taskId, scope: 'a b' })),
    ).toEqual({ error: 'invalid_scope', scope: 'a b', allowed: ['b'] })
  })

  it('is issued again in the dialect repeated_exchange: yes, for the rest of the time', () => {
    const { tenant, state, exchanged, approveIt, clock } = approved(60)
    const repeated = { ...state.dialect, repeated_exchange: 'yes' } as const
    approveIt()
    expect(exchanged().token.expiresAt).toBe(start + 60)
    clock.advance(10)

    expect(errorOf(exchanged)).toBe('already_exchanged')
    tenant.happen([{ type: 'dialect.set', dialect: repeated }])
    expect(exchanged().token.expiresAt).toBe(start + 60)
  })

  it('lives no longer than the subject token', () => {
    const { exchanged, approveIt, actor } = approved()
    approveIt()

    const { token } = exchanged({ subject: { ...actor, expiresAt: start + 60 } })

    expect(token.expiresAt).toBe(start + 60)
  })

  it('has no user when the agent acts for none', () => {
    const { tenant, actor, open, request, approve } = both()
    const taskId = open().id
    approve(request(taskId, scopeDetail(['a'])).id)

    const [{ token }] = tenant.run(exchangeForTask, { subject: actor, taskId })

    expect(token).not.toHaveProperty('userId')
  })

  it('is refused before the approval, after it has expired, and for a JIT token', () => {
    const { exchanged, approveIt, clock, task, actor } = approved(60)
    const refused = (more: object = {}) => refusalOf(() => exchanged(more))
    const about = { error: 'request_not_approved', requestId: task.id }

    expect(refused()).toEqual({ ...about, status: 'pending' })
    approveIt()
    expect(refused({ subject: { ...actor, kind: 'jit' } })).toMatchObject({
      error: 'bad_exchange_token',
    })
    clock.advance(60)
    expect(refused()).toEqual({ ...about, status: 'expired' })
  })

  it('counts against the tokensPerDay of the agent', () => {
    const { exchanged, approveIt } = approved(60, { tokensPerDay: 1 })
    approveIt()

    expect(errorOf(exchanged)).toBe('budget_exceeded')
  })
})
