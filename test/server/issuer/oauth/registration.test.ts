import { describe, expect, it } from 'vitest'
import { controlPlaneClient } from '../../../../server/issuer/oauth/authority.ts'
import { registerAgent } from '../../../../server/issuer/oauth/registration.ts'
import { ada, bot, errorOf, refusalOf, world } from '../world.ts'

describe('registering an agent', () => {
  const order = { name: 'helper', clientId: 'helper', secretHash: '' }

  it('is refused for capabilities the registering agent lacks, and to users without agents.manage', () => {
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
    expect(named('new', controlPlaneClient)).toBe('agent_exists')
  })

  it('gives the new agent no more capabilities, and no right to act for users', () => {
    const { tenant } = world()

    const [{ agent }] = tenant.run(registerAgent, {
      by: { agent: bot },
      ...order,
      capabilities: ['read:documents'],
    })

    expect(agent).toMatchObject({ capabilities: ['read:documents'], mayDelegate: false })
    expect(tenant.state.clients.get('helper')).toBe(agent)
  })

  it('by a user with agents.manage records that user', () => {
    const { tenant, state } = world()
    const manager = { ...ada, permissions: ['agents.manage'] }
    const capabilities = ['admin', 'admin']

    const byPerson = tenant.run(registerAgent, { by: { user: manager }, ...order, capabilities })
    const byAgent = tenant.run(registerAgent, {
      by: { agent: bot, user: ada },
      ...order,
      name: 'other',
      clientId: 'other',
    })

    expect(byPerson).toMatchObject([
      { by: ada.id, agent: { id: 'agt_1', capabilities: ['admin'] } },
    ])
    expect(byAgent).toMatchObject([{ by: bot.id, agent: { id: 'agt_2', capabilities: [] } }])
    expect(state.agents.get('agt_1')?.name).toBe('helper')
  })

  it.each([
    ['helper', 'helper', undefined],
    ['Helper', 'Helper', undefined],
    [' Research  Assistant', 'research-assistant', ' Research  Assistant'],
  ])('keeps the name %j as %j; the name as written is the display name', (given, name, shown) => {
    const { secretHash } = order
    const [{ agent }] = world().tenant.run(registerAgent, {
      by: { agent: bot },
      name: given,
      secretHash,
    })

    expect(agent).toStrictEqual({
      id: 'agt_1',
      name,
      clientId: name,
      secretHash,
      capabilities: [],
      mayDelegate: false,
      ...(shown === undefined ? {} : { displayName: shown }),
      parent: bot.id,
    })
  })

  it('is refused with limit_reached at the limit', () => {
    const { tenant } = world({ policy: { limits: { agents: 2 } } })

    expect(refusalOf(() => tenant.run(registerAgent, { by: { agent: bot }, ...order }))).toEqual({
      error: 'limit_reached',
      what: 'agents',
      limit: 2,
    })
  })
})
