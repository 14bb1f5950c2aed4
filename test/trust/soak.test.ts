import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { LumoAuthAgent, LumoAuthError } from '../../client/index.ts'
import type { TenantContext } from '../../server/http/tenant/tenant-context.ts'
import { createHarness } from '../../server/index.ts'
import { figure } from '../support/figure.ts'
import { onlooker } from '../support/onlooker.ts'
import { randomFrom, size } from './sizes.ts'
import { mebibytes, memory } from './steady.ts'

const seconds = size('SOAK_SECONDS', 60, 1800)

/** Virtual seconds per real second: a task lives for six real seconds. */
const speed = 600

it('a long run is as fast and as small at its end as at its beginning', async () => {
  const random = randomFrom(seconds)
  let context: TenantContext | undefined
  await using harness = await createHarness({
    algorithm: 'ES256',
    misbehaviours: [
      onlooker((it) => {
        context = it
      }),
    ],
  })
  const tenant = harness.createTenant({ clock: '2026-01-01T00:00:00Z' })
  await tenant.misbehave('onlooker')
  const agent = new LumoAuthAgent({
    env: tenant.environment,
    origins: [harness.api],
    now: tenant.clock.now,
    sleep: async () => pause(20),
  })
  await agent.token()
  tenant.behave()
  if (context === undefined) throw new Error('no request was observed')
  const { state, journal } = context.tenant

  const latencies: number[][] = []
  const memories: number[] = []
  const refusals: Record<string, number> = {}
  let rounds = 0
  const begun = performance.now()
  const elapsed = () => (performance.now() - begun) / 1000
  const isOver = () => elapsed() >= seconds
  const periods = 6
  const period = () => Math.min(periods - 1, Math.floor((elapsed() / seconds) * periods))
  // Thread time of a round, by period, whatever else runs on the processor.
  const costs = Array.from({ length: periods }, () => ({ rounds: 0, cpu: 0 }))

  const working = async () => {
    while (!isOver()) {
      try {
        await work(agent, harness.api, random, (milliseconds) => {
          latencies[period()] ??= []
          latencies[period()]?.push(milliseconds)
        })
        rounds += 1
        const cost = costs[period()]
        if (cost) cost.rounds += 1
      } catch (error) {
        if (!(error instanceof LumoAuthError)) throw error
        refusals[error.code] = (refusals[error.code] ?? 0) + 1
      }
    }
  }
  const deciding = async () => {
    while (!isOver()) {
      for (const { request_id } of await tenant.approver.pending()) {
        const decide = random() < 0.7 ? tenant.approver.approve : tenant.approver.deny
        if (random() < 0.8) await decide(request_id).catch(() => undefined)
      }
      await pause(50)
    }
  }
  const passing = async () => {
    for (let second = 1; !isOver(); second += 1) {
      const before = process.threadCpuUsage()
      const cost = costs[period()]
      await pause(1000)
      const { user, system } = process.threadCpuUsage(before)
      if (cost) cost.cpu += (user + system) / 1000
      tenant.clock.advance(speed)
      if (second % Math.ceil(seconds / periods) === 0) memories.push(memory())
    }
  }
  await Promise.all([working(), working(), working(), deciding(), passing()])
  memories.push(memory())

  tenant.clock.advance('PT3H')
  tenant.clock.advance('PT1M')
  const remembered =
    state.tasks.size + state.requests.size + state.tokens.size + state.undecided.size
  const [first = [], last = []] = [latencies[0], latencies.at(-1)]
  const perRound = costs.map(({ rounds, cpu }) => cpu / rounds)
  figure('soak', {
    seconds,
    'virtual hours': Math.round((seconds * speed) / 3600),
    rounds,
    'journal entries': journal.last,
    'median ms first and last': `${middle(first, 0.5)} and ${middle(last, 0.5)}`,
    'p95 ms first and last': `${middle(first, 0.95)} and ${middle(last, 0.95)}`,
    'ms of CPU a round over time': perRound.map((it) => it.toFixed(2)).join(' '),
    'MiB over time': memories.map(mebibytes).join(' '),
    'remembered of what expired': remembered,
    refusals: JSON.stringify(refusals),
  })
  expect(remembered).toBe(0)
  expect(state.forgetting.size).toBeLessThan(5)
  // The first reading is of a process that still warms up; journal and exchanges fill up to their
  // limit.
  const [, early = 0] = memories
  expect(memories.at(-1)).toBeLessThan(early * 1.25 + 16 * 2 ** 20)
  const [, earlyCost = 0] = perRound
  // In a short run there are few rounds a period, and they differ.
  expect(perRound.at(-1)).toBeLessThan(earlyCost * (seconds < 600 ? 1.5 : 1.1) + 0.2)
  // Other processes share the processor: only unlimited growth would reach this.
  expect(Number(middle(last, 0.5))).toBeLessThan(Number(middle(first, 0.5)) * 3 + 5)
})

/**
 * What an agent does in a task: read, get a challenge, request, wait for a person, write, end it or
 * not.
 */
const work = async (
  agent: LumoAuthAgent,
  api: string,
  random: () => number,
  took: (milliseconds: number) => void,
) => {
  const timed = async <T>(act: () => Promise<T>): Promise<T> => {
    const start = performance.now()
    const result = await act()
    took(performance.now() - start)
    return result
  }
  const jit = await timed(() => agent.jit({ name: 'soak' }))
  const read = await timed(() => jit.fetch(`${api}/v1/documents/doc_9982`))
  await read.text()
  if (random() < 0.5) {
    const identifier = `user_${Math.floor(random() * 10)}`
    const asked = await timed(() =>
      jit.requestPermission({ type: 'user_data', actions: ['read'], identifier }),
    )
    const decided = await jit.waitForApproval(asked, { limit: 30, interval: 1 })
    if (decided.status === 'approved') await timed(() => jit.getToken(decided))
  }
  // Some agents crash, and leave their task to expire.
  if (random() < 0.8) await timed(() => jit.completeTask())
}

const middle = (values: readonly number[], at: number): string => {
  const sorted = values.toSorted((a, b) => a - b)
  return (sorted[Math.floor(sorted.length * at)] ?? 0).toFixed(1)
}
