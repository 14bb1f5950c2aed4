import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { askApproval } from '../../../server/issuer/approvals.ts'
import { ask } from '../../../server/issuer/capability-check.ts'
import { evaluateTask } from '../../../server/issuer/evaluation.ts'
import { Refused } from '../../../server/issuer/refusal.ts'
import { createStream, knownEvents } from '../../../server/issuer/signals.ts'
import { fromSnapshot, toSnapshot } from '../../../server/issuer/snapshot.ts'
import { forgetExpired } from '../../../server/issuer/state.ts'
import { Clock, Tenant } from '../../../server/issuer/tenant.ts'
import { covers, longestTtl } from '../../../server/wire/index.ts'
import { ada, alice, bob, bot, deleting, exporting, reading, stranger, world } from './world.ts'

/** Commands in any order; a number picks among the existing ids. */
const step = fc.oneof(
  fc.record({ do: fc.constant('open' as const), below: fc.option(fc.nat(9), { nil: undefined }) }),
  fc.record({
    do: fc.constant('request' as const),
    task: fc.nat(9),
    by: fc.constantFrom(bot, bot, bot, stranger),
    detail: fc.constantFrom(reading('a'), reading('b'), exporting('c'), deleting('d')),
    ttl: fc.option(fc.integer({ min: 1, max: 5000 }), { nil: undefined }),
  }),
  fc.record({
    do: fc.constantFrom('approve' as const, 'deny' as const),
    request: fc.nat(19),
    by: fc.constantFrom(ada, bob, alice),
    ttl: fc.option(fc.integer({ min: 1, max: 5000 }), { nil: undefined }),
  }),
  fc.record({
    do: fc.constant('exchange' as const),
    request: fc.nat(19),
    by: fc.constantFrom(bot, bot, bot, stranger),
  }),
  fc.record({ do: fc.constant('complete' as const), task: fc.nat(9) }),
  fc.record({
    do: fc.constant('evaluate' as const),
    task: fc.nat(9),
    result: fc.option(fc.constant('completed'), { nil: undefined }),
  }),
  fc.record({ do: fc.constantFrom('ask' as const, 'push' as const, 'listen' as const) }),
  fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 900 }) }),
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

const push = {
  agentId: bot.id,
  task: 'deploy',
  reason: 'because',
  impact: 'low',
  onBehalfOf: alice.email,
} as const

const stream = {
  clientId: 'receiver',
  issuer: 'https://lumo.test',
  audience: ['https://receiver.test'],
  requested: knownEvents,
}

type World = ReturnType<typeof world> & Readonly<{ tasks: string[]; requests: string[] }>

/** A tenant after all of these. Refusals are ignored; any other error is a bug. */
const play = (
  steps: readonly Step[],
  here: World = { ...world(), tasks: [], requests: [] },
): World => {
  const { tasks, requests } = here
  const pick = (ids: string[], at: number) => ids[at % Math.max(ids.length, 1)] ?? 'none'
  for (const it of steps) {
    try {
      switch (it.do) {
        case 'open':
          tasks.push(
            here.open(it.below === undefined ? {} : { parentTaskId: pick(tasks, it.below) }).id,
          )
          break
        case 'request':
          requests.push(
            here.request(pick(tasks, it.task), it.detail, {
              agentId: it.by.id,
              requestedTtl: it.ttl,
            }).id,
          )
          break
        case 'approve':
          here.approve(pick(requests, it.request), it.by, it.ttl)
          break
        case 'deny':
          here.deny(pick(requests, it.request), it.by)
          break
        case 'exchange':
          here.exchange(pick(requests, it.request), it.by)
          break
        case 'complete':
          here.complete(pick(tasks, it.task))
          break
        case 'evaluate':
          here.tenant.run(evaluateTask, {
            taskId: pick(tasks, it.task),
            agentId: bot.id,
            result: it.result,
          })
          break
        case 'ask':
          here.tenant.run(ask, { agent: bot, action: 'read:documents' })
          break
        case 'push':
          here.tenant.run(askApproval, push)
          break
        case 'listen':
          here.tenant.run(createStream, stream)
          break
        case 'wait':
          here.clock.advance(it.seconds)
          break
      }
    } catch (thrown) {
      if (!(thrown instanceof Refused)) throw thrown
    }
  }
  return here
}

/** Random steps alone seldom lead to a token, and would then show nothing about tokens. */
const firstToken: readonly Step[] = [
  { do: 'open', below: undefined },
  { do: 'request', task: 0, by: bot, detail: reading('a'), ttl: undefined },
  { do: 'exchange', request: 0, by: bot },
]

const always = (holds: (here: ReturnType<typeof world>) => void) =>
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) =>
      holds(play([...firstToken, ...steps])),
    ),
    { numRuns: 200 },
  )

describe('for any sequence of commands', () => {
  it('a request is decided at most once, and exchanged at most once', () => {
    always(({ tenant }) => {
      const seen = new Set<string>()
      for (const entry of tenant.journal.after(0)) {
        const key =
          entry.type === 'permission.approved' || entry.type === 'permission.denied'
            ? `decided ${entry.requestId}`
            : entry.type === 'token.issued' && `exchanged ${entry.requestId}`
        if (!key) continue
        expect(seen).not.toContain(key)
        seen.add(key)
      }
    })
  })

  it('a token is never wider than its approval, and never lives longer than 900 s or its task', () => {
    always(({ tenant }) => {
      const approved = new Map<string, number>()
      for (const entry of tenant.journal.after(0)) {
        if (entry.type === 'permission.approved') approved.set(entry.requestId, entry.ttl)
        if (entry.type !== 'token.issued') continue
        const { token } = entry
        const request = tenant.state.requests.get(token.requestId ?? '')?.request
        const task = tenant.state.tasks.get(token.taskId ?? '')?.task
        const lifetime = token.expiresAt - token.issuedAt
        if (request === undefined || task === undefined) continue
        expect(covers(request.detail, token.detail as typeof request.detail)).toBe(true)
        expect(token.agentId).toBe(request.agentId)
        expect(lifetime).toBeGreaterThan(0)
        expect(lifetime).toBeLessThanOrEqual(longestTtl)
        expect(lifetime).toBeLessThanOrEqual(approved.get(request.id) ?? 0)
        expect(token.expiresAt).toBeLessThanOrEqual(task.expiresAt)
      }
    })
  })

  it('no token is live once its task has ended', () => {
    always(({ tenant, status }) => {
      const now = tenant.clock.now()
      for (const { token, revokedAt } of tenant.state.tokens.values()) {
        if (status(token.taskId ?? '') === 'active' || token.expiresAt <= now) continue
        expect(revokedAt).toBeDefined()
      }
    })
  })

  it('an ended task stays ended, and grants nothing', () => {
    always(({ tenant }) => {
      const ended = new Set<string>()
      for (const entry of tenant.journal.after(0)) {
        if (entry.type === 'task.completed' || entry.type === 'task.suspended') {
          expect(ended).not.toContain(entry.taskId)
          ended.add(entry.taskId)
        }
        if (entry.type === 'token.issued' || entry.type === 'permission.approved') {
          expect(ended).not.toContain(entry.taskId)
        }
      }
    })
  })

  it('a state written as JSON and read back is the same and behaves the same', () => {
    const steps = fc.array(step, { maxLength: 30, size: 'max' })
    fc.assert(
      fc.property(steps, steps, (first, then) => {
        const [one, two] = [0, 1].map(() => play([...firstToken, ...first])) as [World, World]
        const { tenant } = two
        const state = fromSnapshot(JSON.parse(JSON.stringify(toSnapshot(tenant.state))))
        expect(state).toEqual(one.tenant.state)
        tenant.restore({ state, seq: 0, entries: tenant.journal.after(0).slice(), clockMoved: 0 })

        for (const here of [one, two]) play(then, here)

        expect(tenant.state).toBe(state)
        expect(tenant.state).toEqual(one.tenant.state)
        expect(tenant.journal.after(0)).toEqual(one.tenant.journal.after(0))
      }),
      { numRuns: 50 },
    )
  })

  it('a replay of the journal gives the same state at the same time', () => {
    always(({ tenant }) => {
      const again = new Tenant('acme', new Clock(undefined, tenant.clock.now()), tenant.id)
      again.replay(tenant.journal.after(0))
      for (const { state, clock } of [tenant, again]) forgetExpired(state, clock.now())

      expect(again.state).toEqual(tenant.state)
      expect(again.journal.after(0)).toEqual(tenant.journal.after(0))
    })
  })
})
