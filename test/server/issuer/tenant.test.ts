import { describe, expect, it } from 'vitest'
import type { Entry } from '../../../server/issuer/event.ts'
import { openTask } from '../../../server/issuer/tasks.ts'
import { Clock, Tenant } from '../../../server/issuer/tenant.ts'
import { alice, bot, start } from './world.ts'

const seed = { type: 'tenant.seeded', agents: [bot], users: [alice] } as const
const tenantWith = (
  keep?: (entries: readonly Entry[]) => void,
  clock = new Clock(undefined, start),
) => {
  let ids = 0
  return new Tenant('acme', clock, (prefix) => `${prefix}_${++ids}`, keep)
}

describe('a clock', () => {
  it('is the system clock, in whole seconds, by default', () => {
    const before = Math.floor(Date.now() / 1000)

    const now = new Clock().now()

    expect(now).toBeGreaterThanOrEqual(before)
    expect(now).toBeLessThanOrEqual(Math.floor(Date.now() / 1000))
  })

  it('continues from the time it was moved to', () => {
    let base = 100.9
    const clock = new Clock(() => base)

    clock.advance(50)
    expect(clock.now()).toBe(150)
    base += 10
    expect(clock.now()).toBe(160)
    clock.set(30)
    expect(clock.now()).toBe(30)
    base += 10
    expect(clock.now()).toBe(40)
    expect(clock.running).toBe(true)
  })

  it('that is frozen moves only when it is moved', () => {
    const clock = new Clock(() => 0, 100)

    clock.advance(50)
    expect(clock.now()).toBe(150)
    clock.set(30)
    expect(clock.now()).toBe(30)
    expect(clock.running).toBe(false)
  })
})

describe('a tenant', () => {
  it('changes nothing when its entries cannot be stored', () => {
    const tenant = tenantWith(() => {
      throw new Error('the disk is full')
    })

    expect(() => tenant.happen([seed])).toThrow('the disk is full')
    expect(tenant.journal.last).toBe(0)
    expect(tenant.state.agents.size).toBe(0)
  })

  it('stores all events of one command in one write', () => {
    const kept: (readonly Entry[])[] = []
    const tenant = tenantWith((entries) => kept.push(entries))

    tenant.happen([seed, { type: 'clock.moved', by: 1 }])

    expect(kept.map((entries) => entries.map(({ seq, at, type }) => [seq, at, type]))).toEqual([
      [
        [1, start, 'tenant.seeded'],
        [2, start, 'clock.moved'],
      ],
    ])
  })

  it('calls listeners after all events of a command have been applied', () => {
    const tenant = tenantWith()
    const heard: unknown[] = []
    tenant.journal.listen(({ type }) => heard.push([type, tenant.state.tasks.size]))
    tenant.happen([seed])

    tenant.run(openTask, { agentId: bot.id })

    expect(heard).toEqual([
      ['tenant.seeded', 0],
      ['task.opened', 1],
    ])
  })

  it('is replayed from its entries without calling listeners, at the recorded time', () => {
    const tenant = tenantWith()
    tenant.happen([seed])
    tenant.run(openTask, { agentId: bot.id })
    tenant.clock.advance(60)
    tenant.happen([{ type: 'clock.moved', by: 60 }])
    const again = tenantWith()
    const heard: unknown[] = []
    again.journal.listen((entry) => heard.push(entry))

    again.replay(tenant.journal.after(0))

    expect([...again.state.tasks.keys()]).toEqual([...tenant.state.tasks.keys()])
    expect(again.journal.last).toBe(3)
    expect(again.clock.now()).toBe(start + 60)
    expect(heard).toEqual([])
  })
})
