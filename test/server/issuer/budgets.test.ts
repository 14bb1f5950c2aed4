import { describe, expect, it } from 'vitest'
import { ask } from '../../../server/issuer/capability-check.ts'
import { registerAgent } from '../../../server/issuer/oauth/registration.ts'
import { issueClientToken } from '../../../server/issuer/oauth/tokens.ts'
import { bot, errorOf, reading, refusalOf, start, stranger, world } from './world.ts'

describe('a budget', () => {
  const frugal = { ...bot, budget: { tokensPerDay: 1, callsPerHour: 2 } }
  const seeded = () => {
    const here = world()
    here.tenant.happen([{ type: 'tenant.seeded', agents: [frugal], users: [] }])
    return here
  }

  it('refuses calls above calls per hour until the next hour', () => {
    const { open, request, clock, tenant } = seeded()
    clock.set(start + 1000)
    const task = open()
    request(task.id, reading())

    const refusal = refusalOf(() => request(task.id, reading()))

    expect(refusal).toEqual({
      error: 'budget_exceeded',
      what: 'calls an hour',
      limit: 2,
      retryAfter: 3600 - ((start + 1000) % 3600),
    })
    expect(errorOf(() => tenant.run(ask, { agent: frugal, action: 'x' }))).toBe('budget_exceeded')
    clock.advance(refusal && 'retryAfter' in refusal ? refusal.retryAfter : 0)
    tenant.run(ask, { agent: frugal, action: 'x' })
  })

  it('counts tokens of every kind per day, until the next day', () => {
    const { open, request, exchange, clock, tenant } = seeded()
    tenant.run(issueClientToken, { client: frugal })

    expect(refusalOf(() => tenant.run(issueClientToken, { client: frugal }))).toMatchObject({
      error: 'budget_exceeded',
      what: 'tokens a day',
      limit: 1,
    })
    const made = request(open().id, reading())
    expect(errorOf(() => exchange(made.id))).toBe('budget_exceeded')
    clock.advance(86_400)
    tenant.run(issueClientToken, { client: frugal })
  })

  it('counts the tokens and calls of the agents that an agent registered, and of theirs', () => {
    const { tenant } = seeded()
    const order = { name: 'helper', secretHash: '' }
    const [{ agent: helper }] = tenant.run(registerAgent, { ...order, by: { agent: frugal } })
    const below = { ...order, name: 'next', by: { agent: helper } }
    const [{ agent: next }] = tenant.run(registerAgent, below)
    tenant.run(issueClientToken, { client: next })
    tenant.run(ask, { agent: helper, action: 'x' })
    tenant.run(ask, { agent: next, action: 'x' })

    for (const agent of [frugal, helper, next]) {
      expect(errorOf(() => tenant.run(issueClientToken, { client: agent }))).toBe('budget_exceeded')
      expect(errorOf(() => tenant.run(ask, { agent, action: 'x' }))).toBe('budget_exceeded')
    }
  })

  it('resets at the start of the hour and of the day, and not before', () => {
    const { clock, tenant } = seeded()
    const midnight = Math.ceil(start / 86_400) * 86_400
    const calls = () => errorOf(() => tenant.run(ask, { agent: frugal, action: 'x' }))
    const tokens = () => errorOf(() => tenant.run(issueClientToken, { client: frugal }))
    clock.set(midnight - 3600)
    for (const act of [calls, calls, tokens]) act()

    clock.set(midnight - 1)
    expect([calls(), tokens()]).toEqual(['budget_exceeded', 'budget_exceeded'])
    clock.set(midnight)
    expect([calls(), tokens()]).toEqual([undefined, undefined])
  })

  it('counts calls and tokens separately', () => {
    const { tenant } = seeded()
    const agent = { ...bot, budget: { tokensPerDay: 1 } }
    tenant.happen([{ type: 'tenant.seeded', agents: [agent], users: [] }])

    const errors = Array.from({ length: 5 }, () =>
      errorOf(() => tenant.run(ask, { agent, action: 'x' })),
    )

    expect(errors).toEqual(Array(5).fill(undefined))
  })

  it('does not apply to an agent without one', () => {
    const { tenant } = seeded()

    const errors = Array.from({ length: 5 }, () =>
      errorOf(() => tenant.run(issueClientToken, { client: stranger })),
    )

    expect(errors).toEqual(Array(5).fill(undefined))
  })
})
