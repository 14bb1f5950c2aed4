import { describe, expect, it } from 'vitest'
import type { Entry } from '../../../server/issuer/event.ts'
import { History, type OnDecided, rememberedDecisions } from '../../../server/issuer/history.ts'
import { Journal } from '../../../server/issuer/journal.ts'
import { assess } from '../../../server/issuer/policy/policy.ts'
import { denyRequest } from '../../../server/issuer/requests.ts'
import { acknowledge, createStream, knownEvents } from '../../../server/issuer/signals.ts'
import { remembered } from '../../../server/issuer/state.ts'
import { compacted } from './compacted.ts'
import { ada, bot, deleting, exporting, reading, start, world } from './world.ts'

const stream = {
  clientId: 'receiver',
  issuer: 'https://lumo.test',
  audience: ['https://receiver.test'],
  requested: knownEvents,
}

/** A tenant that worked, one task an hour; everything but the last tasks has ended. */
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

describe('a compacted journal', () => {
  it('grows with the state and not with the number of past events', () => {
    const short = compacted(worked(10).tenant.journal.after(0), 20)
    const long = compacted(worked(200).tenant.journal.after(0), 20)

    expect(long.kept).toHaveLength(20)
    expect(Math.abs(long.bytes - short.bytes)).toBeLessThan(short.bytes / 10)
  })

  it('keeps state, clock, sequence number and newest entries', () => {
    const { tenant, clock } = worked(50)
    const entries = tenant.journal.after(0)

    const again = compacted(entries, 5)

    expect(again.state).toEqual(tenant.state)
    expect(again.tenant.clock.now()).toBe(clock.now() - start)
    expect(again.tenant.journal.last).toBe(tenant.journal.last)
    expect(again.tenant.journal.after(0)).toEqual(entries.slice(-5))
    expect(again.tenant.journal.forgotten).toBe(entries.length - 5)
  })

  it('continues the sequence numbers even when no entry is kept', () => {
    const { tenant } = worked(3)

    const again = compacted(tenant.journal.after(0), 0)

    expect(again.tenant.journal.after(0)).toEqual([])
    expect(again.tenant.journal.last).toBe(tenant.journal.last)
  })

  it('keeps signals that wait for a receiver, and does not repeat acknowledged ones', () => {
    const { tenant } = worked(30, ({ tenant }) => {
      const [record] = tenant.state.streams.values()
      if (record === undefined) tenant.run(createStream, stream)
      else if (record.waiting.length > 3) {
        const jtis = record.waiting.slice(0, 2).map(({ jti }) => jti)
        tenant.run(acknowledge, { clientId: 'receiver', streamId: record.stream.id, jtis })
      }
    })

    const again = compacted(tenant.journal.after(0))

    expect(again.state.streams).toEqual(tenant.state.streams)
  })

  it('keeps what counts against a budget today', () => {
    const budget = { tokensPerDay: 100, callsPerHour: 100 }
    const { tenant } = worked(30, ({ tenant }) => {
      if (tenant.state.agents.get(bot.id)?.budget) return
      tenant.happen([{ type: 'agent.registered', agent: { ...bot, budget }, by: 'ada' }])
    })

    expect(compacted(tenant.journal.after(0)).state.usage).toEqual(tenant.state.usage)
  })
})

describe('the records of decided requests', () => {
  it('hold what the policy saw, which rule decided, and the outcome', () => {
    const here = world()
    const task = here.open({ type: 'analysis' })
    const passed = here.request(task.id, reading(), { justification: 'to read', requestedTtl: 60 })
    const denied = here.request(task.id, exporting())
    here.clock.advance(5)
    here.deny(denied.id)
    here.request(task.id, exporting('undecided'))

    const { decided } = compacted(here.tenant.journal.after(0))

    expect(decided).toMatchObject([
      {
        requestId: passed.id,
        facts: {
          detail: reading(),
          agent: 'report-bot',
          taskType: 'analysis',
          requestedTtl: 60,
          justification: 'to read',
          score: 0,
          denials: 0,
          requestsLastMinute: 0,
          now: start,
        },
        policy: { rule: passed.explanation.rule, decision: 'approve', risk: 'low', ttl: 60 },
        outcome: { as: 'approved', by: 'policy', at: start, ttl: 60 },
      },
      {
        requestId: denied.id,
        policy: { rule: denied.explanation.rule, decision: 'ask' },
        outcome: { as: 'denied', by: 'user:ada', at: start + 5, reason: 'no' },
      },
    ])
  })

  it('hold how it ended: a TTL when approved; a reason when denied, if there is one', () => {
    const here = world()
    const ask = (name: string) => here.request(here.open().id, exporting(name)).id
    const [approved, denied] = [ask('a'), ask('b')]
    here.approve(approved, ada, 60)
    here.tenant.run(denyRequest, { requestId: denied, userId: ada.id, message: 'for the agent' })

    const { decided } = compacted(here.tenant.journal.after(0))

    expect(decided.map(({ outcome }) => outcome)).toStrictEqual([
      { as: 'approved', by: ada.id, at: start, ttl: 60 },
      { as: 'denied', by: ada.id, at: start },
    ])
    expect(here.state.requests.get(approved)?.decided).toStrictEqual({
      as: 'approved',
      by: ada.id,
      at: start,
      ttl: 60,
    })
    expect(here.state.requests.get(denied)?.decided).toStrictEqual({
      as: 'denied',
      by: ada.id,
      at: start,
      message: 'for the agent',
    })
  })

  it('lead the same policy to the same rule again', () => {
    const here = world()
    for (let times = 0; times < 20; times += 1) {
      const task = here.open({ ...(times % 2 === 0 ? {} : { onBehalfOf: 'alice@example.com' }) })
      here.request(task.id, reading())
      here.deny(here.request(task.id, deleting(`doc_${times}`)).id)
      // Long enough that a denial no longer counts in the next task.
      here.clock.advance(601)
    }

    const { decided } = compacted(here.tenant.journal.after(0))

    expect(decided).toHaveLength(40)
    for (const { facts, policy } of decided) {
      const again = assess(here.state.policy, facts)
      expect(again).toMatchObject({ rule: { name: policy.rule }, ttl: policy.ttl })
    }
  })

  it('keep the denials of the agent in other tasks, and the agents that registered it', () => {
    const helper = { ...bot, id: 'agt_helper', name: 'helper', clientId: 'helper', parent: bot.id }
    const here = world({
      policy: {
        rules: [
          {
            name: 'of the bot itself',
            when: { agent: 'helper' },
            risk: 'low',
            decision: 'approve',
          },
          { name: 'watched', when: { agent_denials_from: 1 }, risk: 'high', decision: 'ask' },
          { name: 'refused', risk: 'low', decision: 'deny' },
        ],
      },
    })
    here.tenant.happen([{ type: 'agent.registered', agent: helper, by: 'ada' }])
    const asking = () =>
      here.request(here.open({ agentId: helper.id }).id, reading(), { agentId: helper.id })
    asking()
    here.approve(asking().id)

    const { decided } = compacted(here.tenant.journal.after(0))

    expect(decided.map(({ policy }) => policy.rule)).toEqual(['refused', 'watched'])
    expect(decided.map(({ facts }) => assess(here.state.policy, facts).rule.name)).toEqual([
      'refused',
      'watched',
    ])
    expect(decided[1]?.facts).toMatchObject({ ancestors: ['report-bot'], agentDenials: 1 })
  })

  it('cover only requests decided before the newest entries', () => {
    const { tenant } = worked(10)
    const entries = tenant.journal.after(0)

    const all = compacted(entries, 0).decided
    const some = compacted(entries, 40).decided

    const later = entries.slice(-40).filter(({ type }) => type === 'permission.approved')
    expect(some).toEqual(all.slice(0, all.length - later.length))
  })
})

describe('a history', () => {
  const entry = (seq: number): Entry => ({ seq, at: start, type: 'key.retired', kid: 'k' })

  it('is compacted when it has 1000 entries more than it keeps', () => {
    const history = new History(() => {}, 5)
    for (let seq = 1; seq <= 1004; seq += 1) history.add(entry(seq))
    expect([history.entries.length, history.seq, history.last]).toEqual([1004, 0, 1004])

    history.add(entry(1005))

    expect([history.entries.length, history.seq, history.last]).toEqual([5, 1000, 1005])
  })

  it('has the number of the last compacted entry when no entry is left, and 0 when there was none', () => {
    const history = new History(() => {}, 0)
    expect(history.last).toBe(0)
    history.add(entry(1))
    history.compact()

    expect([history.entries.length, history.last]).toEqual([0, 1])
  })

  it('has no decision about an unknown request', () => {
    const decided: unknown[] = []
    const history = new History((it) => decided.push(it), 0)
    const about = { requestId: 'jit_x', taskId: 'task_x', by: ada.id }
    history.add({ seq: 1, at: start, type: 'permission.approved', ...about, ttl: 60 })
    history.compact()

    expect(decided).toEqual([])
  })
})

describe('the decisions that a tenant without a store has in memory', () => {
  type Decided = Parameters<OnDecided>[0]
  const decidedIn = (tenant: ReturnType<typeof world>['tenant'], journal = tenant.journal) => {
    const decided: Decided[] = []
    const from = rememberedDecisions(tenant.state, journal, start + 10.5, (it) => decided.push(it))
    return { from, decided }
  }
  const deciding = () => {
    const { tenant, open, request } = world()
    const task = open()
    request(task.id, reading())
    request(task.id, exporting())
    return tenant
  }
  const approvedReading = {
    facts: expect.objectContaining({ detail: reading(), agent: bot.name, now: start }),
    policy: expect.objectContaining({ decision: 'approve' }),
  }

  it('are none without entries', () => {
    expect(decidedIn(deciding(), new Journal())).toEqual({ from: undefined, decided: [] })
  })

  it('are complete from the first entry on', () => {
    const { from, decided } = decidedIn(deciding())

    expect(from).toBe(start)
    expect(decided).toEqual([expect.objectContaining(approvedReading)])
  })

  it('are complete as far back as the state remembers, when older entries are dropped', () => {
    const tenant = deciding()
    const newest = new Journal()
    for (const entry of tenant.journal.after(3)) newest.append(entry)

    const { from, decided } = decidedIn(tenant, newest)

    expect(from).toBe(start + 11 - remembered)
    expect(decided).toEqual([approvedReading])
  })
})
