import { describe, expect, it } from 'vitest'
import { ask } from '../../../server/issuer/asks.ts'
import { bot, deleting, exporting, reading, world } from './world.ts'

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
