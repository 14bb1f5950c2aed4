import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type JitContext, LumoAuthAgent, LumoAuthError, OpeningError } from '../../client/index.ts'
import type { TestTenant } from '../../server/harness/test-tenant.ts'
import { createHarness, type Harness } from '../../server/index.ts'
import { networkMisbehaviours } from '../../server/misbehaviours/network.ts'
import { figure } from '../support/figure.ts'

/** The deadline of one exchange, in seconds; a late response is later than that. */
const deadline = 0.3

const reading = { type: 'file_access', actions: ['read'], identifier: 'doc_9982' }

let harness: Harness
let tenant: TestTenant
const unhandled: unknown[] = []
const note = (reason: unknown) => unhandled.push(reason)
let combinations = 0
let leftOver = 0
let reported = 0
const outcomes: Record<string, number> = {}
let longest = 0

beforeAll(async () => {
  process.on('unhandledRejection', note)
  harness = await createHarness({ algorithm: 'ES256' })
  tenant = harness.createTenant()
})

afterEach(() => tenant.behave())

type World = Readonly<{ agent: LumoAuthAgent; jit: JitContext; request: string }>

/** The number of open tasks; ended ones do not count. */
const openTasks = () =>
  tenant.journal().filter(({ type }) => type === 'task.opened').length -
  tenant.journal().filter(({ type }) => type === 'task.completed').length

/** An agent with a task, before any fault. */
const atWork = async (): Promise<World> => {
  const agent = new LumoAuthAgent({
    env: tenant.environment,
    origins: [harness.api],
    deadline,
    sleep: async () => {},
  })
  const jit = await agent.jit({ name: 'under fault' })
  const { request_id } = await jit.requestPermission(reading)
  return { agent, jit, request: request_id }
}

/** Every call of the client, and how many exchanges, each with a deadline, it may need. */
const calls: Readonly<Record<string, { run: (world: World) => Promise<unknown>; most: number }>> = {
  authenticate: { run: ({ agent }) => agent.authenticate(), most: 1 },
  userinfo: { run: ({ agent }) => agent.userinfo(), most: 3 },
  createTask: {
    run: async ({ agent }) => {
      await using _ = await agent.jit()
    },
    most: 9,
  },
  requestPermission: { run: ({ jit }) => jit.requestPermission(reading), most: 3 },
  waitForApproval: {
    run: ({ jit, request }) => jit.waitForApproval(request, { limit: 30 }),
    most: 30,
  },
  getToken: { run: ({ jit, request }) => jit.getToken(request), most: 30 },
  evaluate: { run: ({ jit }) => jit.evaluate(), most: 3 },
  fetch: {
    run: async ({ jit }) => {
      const response = await jit.fetch(`${harness.api}/v1/documents/doc_9982`, {
        signal: AbortSignal.timeout(deadline * 10_000),
      })
      return response.text()
    },
    most: 12,
  },
  completeTask: { run: ({ jit }) => jit.completeTask(), most: 9 },
}

const faults = networkMisbehaviours.map(({ name }) => name)

describe.each(Object.keys(calls))('%s', (call) => {
  it.each(faults)(
    'ends under %s in a result or a typed error before its deadline',
    async (fault) => {
      const { run, most } = calls[call] as (typeof calls)[string]
      const before = openTasks()
      const world = await atWork()
      await tenant.misbehave({ name: fault, ...(/slow/.test(fault) ? { ms: 5_000 } : {}) })
      const start = performance.now()

      const outcome = await run(world).then(
        () => 'a result',
        (error: unknown) => error,
      )

      const seconds = (performance.now() - start) / 1000
      longest = Math.max(longest, seconds)
      expect(seconds).toBeLessThan(most * deadline + 2)
      const isTyped = outcome instanceof LumoAuthError || isOfCaller(call, outcome)
      expect(outcome === 'a result' || isTyped, String(outcome)).toBe(true)
      combinations += 1
      const kind = outcome instanceof LumoAuthError ? outcome.code : String(outcome)
      outcomes[kind] = (outcomes[kind] ?? 0) + 1

      // Once the issuer is back, the task can be completed; a task that cannot be is reported.
      tenant.behave()
      await world.jit.completeTask()
      expect(world.jit.task).toBeUndefined()
      // The client cannot find a task whose id it never received; it reports that there may be one.
      const left = openTasks() - before
      leftOver += left
      if (outcome instanceof OpeningError) reported += left
      expect(left).toBeLessThanOrEqual(mayBeLeft(fault, outcome))
    },
  )
})

/** A response may belong to another request, or another request may have been sent. */
const lies = ['network-duplicated', 'network-replayed']

const mayBeLeft = (fault: string, outcome: unknown): number =>
  outcome instanceof OpeningError || lies.includes(fault) ? 1 : 0

/**
 * The body of a response belongs to its reader: a fault while it is read is an error of `fetch`.
 */
const isOfCaller = (call: string, error: unknown) =>
  call === 'fetch' && error instanceof Error && /TypeError|TimeoutError|AbortError/.test(error.name)

afterAll(async () => {
  const opened = tenant.journal().filter(({ type }) => type === 'task.opened').length
  await harness.close()
  await new Promise((resolve) => setTimeout(resolve, 200))
  const left = process.getActiveResourcesInfo().filter((it) => /TCPSocket|Timeout/.test(it))
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
  figure('faults of the network against calls of the client', {
    combinations,
    'unhandled rejections': unhandled.length,
    'tasks opened': opened,
    'left over': leftOver,
    'of these reported': reported,
    'sockets and timers left': left.filter((it) => it.startsWith('TCP')).length,
    'longest in s': longest.toFixed(1),
    outcomes: Object.entries(outcomes)
      .map(([kind, count]) => `${count} ${kind}`)
      .join('; '),
  })
})
