import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

export type Contender = Readonly<{ name: string; script: string }>

/** Where a started server gives tokens, and what to post. */
export type Ready = Readonly<{ token: string; form: string; base?: string; api?: string }>

/** A server in a fresh process, up from the moment it prints where it is. */
export const spawned = async (
  { script }: Contender,
  alg: string,
  peers: string,
): Promise<{ ready: Ready; child: ChildProcess; startedAt: number }> => {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [new URL(script, import.meta.url).pathname, alg], {
    env: { ...process.env, BENCH_PEERS: peers, NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    if (line.startsWith('{')) return { ready: JSON.parse(line) as Ready, child, startedAt }
  }
  throw new Error(`${script} ended before it was ready`)
}

export const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill('SIGKILL')
  })

export const postForm = (ready: Ready) => ({
  url: ready.token,
  method: 'POST' as const,
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: ready.form,
})

export type Load = Readonly<{ perSecond: number; p50: number; p99: number; failed: number }>

type Autocannon = (options: object) => Promise<{
  requests: { average: number; total: number }
  latency: { p50: number; p99: number }
  non2xx: number
  errors: number
}>

/** Ten connections, for some seconds or some number of requests; loopback only. */
export const loaded = async (
  ready: Ready,
  peers: string,
  limit: { duration: number } | { amount: number },
): Promise<Load> => {
  const autocannon = createRequire(`${peers}/package.json`)('autocannon') as Autocannon
  const result = await autocannon({ ...postForm(ready), connections: 10, ...limit })
  return {
    perSecond: result.requests.average,
    p50: result.latency.p50,
    p99: result.latency.p99,
    failed: result.non2xx + result.errors,
  }
}

/** Resident memory of a process, in MiB. */
export const residentMiB = (child: ChildProcess): number => {
  const [, kib = '0'] =
    /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
  return Number(kib) / 1024
}

export const median = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}

/** How far the rounds lie apart, as a share of their median. */
export const spread = (numbers: readonly number[]): number =>
  (Math.max(...numbers) - Math.min(...numbers)) / median(numbers)
