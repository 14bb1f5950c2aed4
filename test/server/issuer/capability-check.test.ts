import { describe, expect, it } from 'vitest'
import { ask, scopesIn, toolFor } from '../../../server/issuer/capability-check.ts'
import { bot, deleting, exporting, reading, world } from './world.ts'

describe('a capability check', () => {
  const judged = (order: Omit<Parameters<typeof ask>[1], 'agent'>, agent = bot) =>
    world().tenant.run(ask, { agent, ...order })[0]

  it.each([
    [{ action: 'read:documents' }, true],
    [{ action: 'write:documents' }, false],
    [{ action: 'read:documents:all' }, false],
    [{ question: 'May I read:documents?' }, true],
    [{ question: 'May I read:documents and delete:everything?' }, false],
    [{ question: 'May I do whatever I want?' }, false],
    [{ action: 'x', context: { authorization_details: reading() } }, true],
    [{ action: 'read:documents', context: { authorization_details: exporting() } }, false],
    [{ action: 'read:documents', context: { authorization_details: deleting() } }, false],
  ])('answers %j with %s', (order, allowed) => {
    expect(judged(order).allowed).toBe(allowed)
  })

  it('matches a wildcard capability with every name below it', () => {
    const agent = { ...bot, capabilities: ['mcp:*'] }

    expect(judged({ action: 'mcp:files:read' }, agent).allowed).toBe(true)
    expect(judged({ action: 'mcpx' }, agent).allowed).toBe(false)
  })

  it('finds one capability among several', () => {
    const agent = { ...bot, capabilities: ['read:documents', 'mcp:*'] }

    expect(judged({ action: 'read:documents' }, agent).allowed).toBe(true)
    expect(judged({ action: 'mcp:files:read' }, agent).allowed).toBe(true)
  })

  it('is recorded with its own id and the question', () => {
    const asked = { question: 'May I read:documents?' }

    expect(judged(asked)).toStrictEqual({
      type: 'agent.asked',
      agentId: bot.id,
      auditId: '1',
      action: asked.question,
      allowed: true,
      reason: 'the agent has the capability read:documents',
    })
    expect(judged({ ...asked, action: 'write:documents' }).action).toBe('write:documents')
    expect(judged({})).toMatchObject({ action: '', allowed: false })
  })

  it.each([
    ['approve', 'approved'],
    ['ask', 'pending until a person decides'],
    ['deny', 'denied'],
  ] as const)('says which decision (%s) the policy rule would make', (decision, says) => {
    const { tenant } = world({ policy: { rules: [{ name: 'house rule', risk: 'low', decision }] } })
    const context = { authorization_details: reading() }

    const [{ reason }] = tenant.run(ask, { agent: bot, action: 'x', context })

    expect(reason).toBe(`a request for it would be ${says}: house rule`)
  })

  it('names the policy rule, and grants nothing', () => {
    const { tenant, happened } = world()

    const [{ reason }] = tenant.run(ask, {
      agent: bot,
      action: 'x',
      context: { authorization_details: exporting() },
    })

    expect(reason).toContain('pending until a person decides: personal data')
    expect(happened()).toEqual(['agent.asked'])
  })
})

describe('scopesIn', () => {
  it.each([
    ['May I read:documents?', ['read:documents']],
    [
      '(read:documents), "write:reports"; \'a:b\' `c:d`!',
      ['read:documents', 'write:reports', 'a:b', 'c:d'],
    ],
    ['read:documents read:documents', ['read:documents']],
    ['May I read:documents... or mcp:*', ['read:documents', 'mcp:*']],
    ['Is it so: that I may?', []],
    ['Might I see §read:documents§?', []],
    ['Might I see §read:documents or read:documents§?', []],
    ['May I approve?', ['approve']],
    ['', []],
  ])('finds in %j the scopes %j', (question, scopes) => {
    expect(scopesIn(question, { ...bot, capabilities: ['approve'] })).toEqual(scopes)
  })
})

describe('a tool of an MCP server', () => {
  const server = {
    id: 'mcp_1',
    name: 'files',
    description: '',
    resourceUri: 'https://mcp.test',
    scopes: [],
    tokenLifetime: 60,
    createdAt: 0,
  }
  const calling = (serverId: string, capabilities: string[] = [], agents?: string[]) => {
    const { tenant, state } = world()
    const closed = { ...server, id: 'mcp_0', resourceUri: 'https://closed.test', agents: [] }
    const mcpServers = [closed, { ...server, ...(agents && { agents }) }]
    tenant.happen([{ type: 'tenant.seeded', agents: [], users: [], mcpServers }])
    return toolFor(state, { ...bot, capabilities }, serverId, 'read')
  }

  it('is undefined for an agent that the server does not list and that lacks the capability', () => {
    expect(calling('mcp_0')).toBeUndefined()
    expect(calling('mcp_1', [], ['agt_other'])).toBeUndefined()
    expect(calling('mcp_x')).toBeUndefined()
    expect(calling('mcp_x', ['mcp:mcp_x:write'])).toBeUndefined()
  })

  it('is found by the server’s id and by its resource URI', () => {
    expect(calling('mcp_1')).toBe('https://mcp.test#read')
    expect(calling('https://mcp.test')).toBe('https://mcp.test#read')
    expect(calling('mcp_1', [], [bot.id])).toBe('https://mcp.test#read')
  })

  it('is callable with the capability mcp:SERVER:TOOL, even on a closed or an unknown server', () => {
    expect(calling('mcp_0', ['mcp:mcp_0:read'])).toBe('https://closed.test#read')
    expect(calling('mcp_x', ['mcp:mcp_x:read'])).toBe('mcp_x#read')
  })
})
