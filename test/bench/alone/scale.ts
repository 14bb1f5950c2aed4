/** Many tenants, tasks and tokens in one process: their memory, and the duration of a call. */
import type { TenantContext } from '../../../server/http/tenant/tenant-context.ts'
import { createHarness, type TestTenant } from '../../../server/index.ts'
import { onlooker } from '../../support/onlooker.ts'
import { mebibytes, memory } from '../../trust/steady.ts'
import { percentile } from '../figures.ts'
import { caller } from './caller.ts'

export type Order = Readonly<{ tenants: number; tasks: number; tokens: number }>
export type Stage = Readonly<{
  what: string
  heapMiB: number
  residentMiB: number
  /** Tokens and tasks in the state of the rules. */
  tokens: number
  tasks: number
  tokenMs: Readonly<{ p50: number; p99: number }>
  flowMs: Readonly<{ p50: number; p99: number }>
  seconds: number
}>

const order = JSON.parse(process.argv[2] ?? '') as Order

/** Tenants that issue the tokens, in this many waves, an hour apart, while the tasks stay open. */
const busy = Math.min(100, order.tenants)
const waves = 10

const registry = new Set<TenantContext>()
await using harness = await createHarness({
  listen: false,
  algorithm: 'ES256',
  misbehaviours: [onlooker((context) => registry.add(context))],
})
const tenants: TestTenant[] = []
const stages: Stage[] = []
let begun = performance.now()

const timesOf = async (act: () => Promise<unknown>) => {
  const times: number[] = []
  for (let n = 0; n < 500; n += 1) {
    const start = performance.now()
    await act()
    times.push(performance.now() - start)
  }
  const measured = times.slice(100)
  return { p50: percentile(measured, 0.5), p99: percentile(measured, 0.99) }
}

const sum = (size: (context: TenantContext) => number): number =>
  [...registry].reduce((all, context) => all + size(context), 0)

/** Reads the memory, then measures calls of one more tenant, which is deleted afterwards. */
const look = async (what: string) => {
  const seconds = (performance.now() - begun) / 1000
  const heapMiB = mebibytes(memory())
  const residentMiB = mebibytes(process.memoryUsage().rss)
  const guest = harness.createTenant()
  const { token, post } = await caller(harness, guest)
  const detail = { type: 'file_access', actions: ['read'], identifier: 'doc_9982' }
  const flow = async () => {
    const { task_id } = await post<{ task_id: string }>('/jit/task')
    const { request_id } = await post<{ request_id: string }>('/jit/request', {
      task_id,
      authorization_details: detail,
    })
    await post(`/jit/request/${request_id}/token`)
    await post(`/jit/task/${task_id}/complete`)
  }
  stages.push({
    what,
    heapMiB,
    residentMiB,
    tokens: sum(({ tenant }) => tenant.state.tokens.size),
    tasks: sum(({ tenant }) => tenant.state.tasks.size),
    tokenMs: await timesOf(token),
    flowMs: await timesOf(flow),
    seconds,
  })
  guest.delete()
  begun = performance.now()
}

await look('nothing yet')
for (let n = 0; n < order.tenants; n += 1) {
  tenants.push(
    harness.createTenant({ clock: '2026-01-01T00:00:00Z', policy: { task_lifetime: 86_400 } }),
  )
}
await look(`${order.tenants} tenants`)

const each = Math.ceil(order.tasks / order.tenants)
for (const tenant of tenants) {
  await tenant.misbehave('onlooker')
  const { post } = await caller(harness, tenant)
  tenant.behave()
  for (let n = 0; n < each; n += 1) await post('/jit/task')
}
await look(`and ${each * order.tenants} tasks`)

const givers = await Promise.all(tenants.slice(0, busy).map((it) => caller(harness, it)))
const perWave = Math.ceil(order.tokens / waves / busy)
for (let wave = 0; wave < waves; wave += 1) {
  for (let n = 0; n < perWave; n += 1) await Promise.all(givers.map(({ token }) => token()))
  if (wave === 0) await look(`and ${perWave * busy} tokens`)
  if (wave < waves - 1) for (const tenant of tenants) tenant.clock.advance('PT61M')
}
await look(`and ${perWave * busy * waves} tokens, all but ${perWave * busy} of them expired`)

// The next request deletes what has expired.
for (const tenant of tenants) {
  tenant.clock.advance('P2D')
  await caller(harness, tenant)
}
await look('two days later')
process.stdout.write(`${JSON.stringify(stages)}\n`)
