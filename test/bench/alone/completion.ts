/**
 * Completing tasks with few and with many tokens, among a given number of tokens of other tasks.
 */
import { createHarness } from '../../../server/index.ts'
import { median } from '../figures.ts'
import { caller } from './caller.ts'

export type Order = Readonly<{ others: number }>
export type Completion = Readonly<{ others: number; tenMs: number; hundredMs: number }>

const { others } = JSON.parse(process.argv[2] ?? '') as Order

await using harness = await createHarness({ listen: false, algorithm: 'ES256' })
const tenant = harness.createTenant({
  policy: {
    scoring: { low: 0, medium: 0, high: 0, critical: 0, denial: 0 },
    limits: { tasks_per_agent: 1_000_000 },
    rules: [{ name: 'all', risk: 'low', decision: 'approve' }],
  },
})
const { post } = await caller(harness, tenant)

const opened = async (tokens: number): Promise<string> => {
  const { task_id } = await post<{ task_id: string }>('/jit/task')
  for (let n = 0; n < tokens; n += 1) {
    const { request_id } = await post<{ request_id: string }>('/jit/request', {
      task_id,
      authorization_details: { type: 'file_access', actions: ['read'], identifier: `d${n}` },
    })
    await post(`/jit/request/${request_id}/token`)
  }
  return task_id
}

const completing = async (tokens: number): Promise<number> => {
  const times: number[] = []
  for (let n = 0; n < 25; n += 1) {
    const task = await opened(tokens)
    const begun = performance.now()
    await post(`/jit/task/${task}/complete`)
    times.push(performance.now() - begun)
  }
  return median(times.slice(5))
}

for (let n = 0; n < others / 10; n += 1) await opened(10)
const found: Completion = {
  others,
  tenMs: await completing(10),
  hundredMs: await completing(100),
}
process.stdout.write(`${JSON.stringify(found)}\n`)
