/**
 * A process that sends whole sequences of requests to a server, many at once: JIT flows of agents,
 * or the part of the floor that a flow is compared with. The job comes on standard input;
 * `measuring`, `measured` and the outcome go to standard output, a line each.
 */
import { text } from 'node:stream/consumers'
import { percentile } from '../figures.ts'
import { Connection } from './connection.ts'

export type AgentAt = Readonly<{
  issuer: string
  api: string
  tenant: string
  clientId: string
  clientSecret: string
}>

export type Job = Readonly<{ warmUp: number; seconds: number }> &
  (Readonly<{ floor: string; atOnce: number }> | Readonly<{ agents: readonly AgentAt[] }>)

export type Times = Readonly<{ p50: number; p99: number }>

export type Outcome = Readonly<{
  done: number
  perSecond: number
  sequence: Times
  steps: Readonly<Record<string, Times>>
  failed: number
  failure?: string
  /** The share of one processor this client took; near 1, the client was the limit. */
  clientBusy: number
}>

type Sequence = () => Promise<void>
type Step = <T>(name: string, act: () => Promise<T>) => Promise<T>

const job = JSON.parse(await text(process.stdin)) as Job
const sequences: number[] = []
const steps = new Map<string, number[]>()
let failed = 0
let failure: string | undefined
let isMeasuring = false
let isOver = false

const step: Step = async (name, act) => {
  const begun = performance.now()
  const result = await act()
  if (isMeasuring) {
    const times = steps.get(name)
    if (times) times.push(performance.now() - begun)
    else steps.set(name, [performance.now() - begun])
  }
  return result
}

const expected = (answer: { status: number; body: string }, status: number) => {
  if (answer.status !== status) throw new Error(`${answer.status} ${answer.body.slice(0, 300)}`)
  return answer.body === '' ? {} : JSON.parse(answer.body)
}

const json = 'content-type: application/json\r\n'
const form = 'content-type: application/x-www-form-urlencoded\r\n'

/** Four requests in sequence; two of them sign. */
const floorSequence = (url: string): Sequence => {
  const connection = new Connection(url)
  const post = (path: string) => connection.ask('POST', path, form, 'grant_type=client_credentials')
  return async () => {
    for (const path of ['/plain', '/token', '/plain', '/token']) {
      expected(await step(path, () => post(path)), 200)
    }
  }
}

/** Open a task, get a 403, request, get the token, read, complete; authenticated before. */
const jitFlow = async (agent: AgentAt): Promise<Sequence> => {
  const issuer = new Connection(agent.issuer)
  const api = new Connection(agent.api)
  const base = `/t/${agent.tenant}/api/v1`
  const document = `/t/${agent.tenant}/v1/documents/doc_9982`
  const login = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: agent.clientId,
    client_secret: agent.clientSecret,
  })
  const { access_token: wide } = expected(
    await issuer.ask('POST', `${base}/oauth/token`, form, login.toString()),
    200,
  )
  const as = (token: string) => `authorization: Bearer ${token}\r\n`
  const post = (path: string, body = {}) =>
    issuer.ask('POST', path, as(wide) + json, JSON.stringify(body))
  const read = (token: string) => api.ask('GET', document, as(token))
  // Both connections are open before all begin at once.
  expected(await read(wide), 403)
  return async () => {
    const task = expected(await step('task', () => post(`${base}/jit/task`)), 201)
    expected(await step('refused read', () => read(wide)), 403)
    const request = expected(
      await step('request', () =>
        post(`${base}/jit/request`, {
          task_id: task.task_id,
          authorization_details: {
            type: 'file_access',
            actions: ['read'],
            identifier: 'doc_9982',
          },
        }),
      ),
      201,
    )
    const token = expected(await step('token', () => post(request.token_url)), 200)
    expected(await step('read', () => read(token.access_token)), 200)
    expected(await step('complete', () => post(`${base}/jit/task/${task.task_id}/complete`)), 200)
  }
}

const again = async (sequence: Sequence) => {
  while (!isOver) {
    const begun = performance.now()
    try {
      await sequence()
      if (isMeasuring) sequences.push(performance.now() - begun)
    } catch (wrong) {
      failed += 1
      failure ??= String(wrong)
      if (failed > 1000) isOver = true
    }
  }
}

const times = (all: readonly number[]): Times => ({
  p50: percentile(all, 0.5),
  p99: percentile(all, 0.99),
})

const pause = (seconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, seconds * 1000))

const workers: Sequence[] = []
if ('floor' in job) {
  for (let n = 0; n < job.atOnce; n += 1) workers.push(floorSequence(job.floor))
} else {
  for (const agent of job.agents) workers.push(await jitFlow(agent))
}
const working = workers.map(again)
await pause(job.warmUp)
isMeasuring = true
process.stdout.write('measuring\n')
const begun = performance.now()
const cpu = process.cpuUsage()
await pause(job.seconds)
isMeasuring = false
isOver = true
const seconds = (performance.now() - begun) / 1000
const { user, system } = process.cpuUsage(cpu)
process.stdout.write('measured\n')
await Promise.all(working)
const outcome: Outcome = {
  done: sequences.length,
  perSecond: sequences.length / seconds,
  sequence: times(sequences),
  steps: Object.fromEntries([...steps].map(([name, all]) => [name, times(all)])),
  failed,
  ...(failure === undefined ? {} : { failure }),
  clientBusy: (user + system) / 1e6 / seconds,
}
process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit())
