import { createRequire } from 'node:module'
import type { Job, Outcome } from './clients/sequences.ts'
import { peers, type Ready } from './contenders.ts'
import { percentile } from './figures.ts'
import { Process, script } from './process.ts'

export type Load = Readonly<{
  perSecond: number
  p50: number
  p99: number
  /** Milliseconds of the server's processor time for 1000 responses. */
  cpuMs: number
}>

type Autocannon = (options: object) => Promise<{
  requests: { total: number }
  duration: number
  non2xx: number
  errors: number
}>

type Limit = { duration: number } | { amount: number }

/**
 * Requests tokens by autocannon, for some seconds or some number of them; loopback only.
 * @throws when a single request fails
 */
export const loaded = async (
  server: Process,
  { token, form }: Ready,
  limit: Limit,
  connections = 10,
): Promise<Load> => {
  const autocannon = createRequire(`${peers}/package.json`)('autocannon') as Autocannon
  const times: number[] = []
  const begun = performance.now()
  const cpu = server.cpu()
  let [last, cpuAtLast] = [begun, cpu]
  const result = await autocannon({
    url: token,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form,
    connections,
    ...limit,
    setupClient: (client: NodeJS.EventEmitter) => {
      client.on('response', (_status: number, _bytes: number, milliseconds: number) => {
        times.push(milliseconds)
        last = performance.now()
      })
    },
  })
  cpuAtLast = server.cpu()
  const failed = result.non2xx + result.errors
  if (failed > 0) throw new Error(`${token}: ${failed} requests failed`)
  return {
    // Autocannon ends on a whole second; the server finished with the last response.
    perSecond: times.length / ((last - begun) / 1000),
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    cpuMs: ((cpuAtLast - cpu) * 1e6) / times.length,
  }
}

export type Driven = Outcome & Readonly<{ cpuMs: number }>

/** Sequences of requests by a client in a process of its own. @throws when a single one fails */
export const driven = async (server: Process, job: Job): Promise<Driven> => {
  let [begun, ended] = [Number.NaN, Number.NaN]
  await using client = new Process([script('clients/sequences.ts')], {
    input: JSON.stringify(job),
    onLine: (line) => {
      if (line === 'measuring') begun = server.cpu()
      if (line === 'measured') ended = server.cpu()
    },
  })
  const outcome = JSON.parse(await client.result()) as Outcome
  return { ...outcome, cpuMs: ((ended - begun) * 1e6) / outcome.done }
}

/** Warms up, then measures. */
export const steadyLoad = async (
  server: Process,
  ready: Ready,
  seconds: number,
  connections?: number,
): Promise<Load> => {
  await loaded(server, ready, { duration: 1 }, connections)
  const load = await loaded(server, ready, { duration: seconds }, connections)
  if (!Number.isFinite(load.p50)) throw new Error(`${ready.token}: no answer in ${seconds} s`)
  return load
}
