import { describe, expect, it } from 'vitest'
import { ask } from '../../../server/issuer/asks.ts'
import { issueClientToken } from '../../../server/issuer/tokens.ts'
import { bot, errorOf, reading, refusalOf, start, stranger, world } from './world.ts'

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
