import { describe, expect, it } from 'vitest'
import { compactEntries } from '../../../server/issuer/compaction.ts'
import type { Entry } from '../../../server/issuer/event.ts'
import { acknowledge, createStream, knownEvents } from '../../../server/issuer/signals.ts'
import { Clock, Tenant } from '../../../server/issuer/tenant.ts'
import { bot, exporting, reading, world } from './world.ts'

const stream = {
  clientId: 'receiver',
  issuer: 'https://lumo.test',
  audience: ['https://receiver.test'],
  requested: knownEvents,
}

/** A tenant that worked, one task an hour; whatever it did is over but for the last tasks. */
const worked = (tasks: number, each = (_here: ReturnType<typeof world>) => {}) => {
  const here = world({ policy: { task_lifetime: 3600 } })
  for (let at = 0; at < tasks; at += 1) {
    const task = here.open()
    here.exchange(here.request(task.id, reading()).id)
    here.request(task.id, exporting())
    each(here)
    here.complete(task.id)
    here.clock.advance(3600)
    here.tenant.happen([{ type: 'clock.moved', by: 3600 }])
  }
  return here
}

const replayed = (entries: readonly Entry[]) => {
  const tenant = new Tenant('acme', new Clock(undefined, 0), (prefix) => prefix)
  tenant.replay(entries)
  return tenant
}

describe('of what the state has forgotten', () => {
  it('the journal keeps only the newest entries, however long it was', () => {
    const short = compactEntries(worked(10).tenant.journal.after(0), 20)
    const long = compactEntries(worked(200).tenant.journal.after(0), 20)

    expect(long.length).toBe(short.length)
    expect(long.length).toBeLessThan(45)
  })

  it('nothing is missed: tasks, tokens, requests and the clock are as before', () => {
    const { tenant } = worked(50)
    const entries = tenant.journal.after(0)

    const again = replayed(compactEntries(entries, 5))

    const before = replayed(entries)
    for (const part of ['tasks', 'requests', 'tokens', 'agents', 'users', 'undecided'] as const) {
      expect(again.state[part]).toEqual(before.state[part])
    }
    expect(again.clock.now()).toBe(before.clock.now())
    expect(again.journal.last).toBe(before.journal.last)
    expect(again.journal.after(0).slice(-5)).toEqual(entries.slice(-5))
  })

  it('what waits for a receiver still waits, and what it was told it is not told again', () => {
    const { tenant } = worked(30, ({ tenant }) => {
      const [record] = tenant.state.streams.values()
      if (record === undefined) tenant.run(createStream, stream)
      else if (record.waiting.length > 3) {
        const jtis = record.waiting.slice(0, 2).map(({ jti }) => jti)
        tenant.run(acknowledge, { clientId: 'receiver', streamId: record.stream.id, jtis })
      }
    })
    const entries = tenant.journal.after(0)

    const kept = compactEntries(entries, 0)

    expect(kept.length).toBeLessThan(entries.length / 2)
    expect(replayed(kept).state.streams).toEqual(tenant.state.streams)
  })

  it('what counts against a budget of today counts on', () => {
    const budget = { tokensPerDay: 100, callsPerHour: 100 }
    const { tenant } = worked(30, ({ tenant }) => {
      if (tenant.state.agents.get(bot.id)?.budget) return
      tenant.happen([{ type: 'agent.registered', agent: { ...bot, budget }, by: 'ada' }])
    })
    const entries = tenant.journal.after(0)

    const kept = compactEntries(entries, 0)

    expect(kept.length).toBeLessThan(entries.length)
    expect(replayed(kept).state.usage).toEqual(tenant.state.usage)
  })
})
