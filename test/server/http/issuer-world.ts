import type { Timers } from '../../../server/http/agenda.ts'
import type { Address, Message } from '../../../server/http/outbound.ts'
import { createHarness, type Harness } from '../../../server/index.ts'
import { generateSigningKey } from '../../../server/signing/keys.ts'
import { signJwt } from '../../../server/signing/sign.ts'

export type Seed = NonNullable<Parameters<Harness['createTenant']>[0]>

/** What a far side would see of an answer. */
// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
export type Answered = Readonly<{ status: number; headers: Headers; body: any }>

export const noon = '2026-11-24T12:00:00Z'
export const noonEpoch = Date.parse(noon) / 1000

/** The world outside: names and the addresses they stand for, and whoever listens there. */
export const outside = () => {
  const names = new Map<string, Address[]>([['localhost', [{ address: '127.0.0.1', family: 4 }]]])
  const sent: Message[] = []
  /** What receivers answer, the last of them for ever. */
  const answers: (number | Error)[] = [200]
  return {
    names,
    sent,
    answers,
    resolve: async (name: string) => names.get(name) ?? Promise.reject(new Error('ENOTFOUND')),
    send: async (message: Message) => {
      sent.push(message)
      const answer = answers.length > 1 ? answers.shift() : answers[0]
      if (answer instanceof Error) throw answer
      return answer ?? 200
    },
  }
}

/** Real time that passes only when a test says so; what is due at once does not wait. */
export const handTimers = () => {
  const waiting = new Map<number, { act: () => void; milliseconds: number }>()
  let ids = 0
  const timers: Timers = {
    set: (act, milliseconds) => {
      const id = ++ids
      if (milliseconds === 0) queueMicrotask(() => waiting.delete(id) && act())
      waiting.set(id, { act, milliseconds })
      return id
    },
    clear: (timer) => waiting.delete(timer as number),
  }
  return { timers, waiting }
}

export const issuerWorld = async (
  seed: Seed = {},
  { allow = 'loopback' as 'loopback' | 'public' } = {},
) => {
  const far = outside()
  const { timers, waiting } = handTimers()
  const harness = await createHarness({
    listen: false,
    algorithm: 'ES256',
    timers,
    outbound: { allow, resolve: far.resolve, send: far.send },
  })
  const tenant = harness.createTenant({ clock: noon, ...seed })
  const ask = async (
    line: string,
    { token, body, headers = {} }: { token?: string; body?: unknown; headers?: object } = {},
  ): Promise<Answered> => {
    const [method = '', path = ''] = line.split(' ')
    const response = await harness.fetch(
      path.startsWith('http') ? path : tenant.urls.tenant + path,
      {
        method,
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      },
    )
    const text = await response.text()
    const { status, headers: answered } = response
    return { status, headers: answered, body: text === '' ? undefined : JSON.parse(text) }
  }
  const login = async (client: { client_id: string; client_secret: string }) => {
    const response = await harness.fetch(`${tenant.urls.tenant}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: client.client_id,
        client_secret: client.client_secret,
      }),
    })
    return (await response.json()) as { access_token: string }
  }
  const control = (line: string, body?: unknown) => {
    const [method, path] = line.split(' ')
    return ask(`${method} ${harness.issuer}/_harness/tenants/${tenant.tenant}${path}`, {
      token: harness.controlToken,
      ...(body !== undefined && { body }),
    })
  }
  const [first] = tenant.agents
  if (first === undefined) throw new Error('a tenant without agents')
  const agent = (await login(first)).access_token
  return {
    harness,
    tenant,
    far,
    /** Timers that wait for real time to pass. */
    waiting,
    ask,
    control,
    agent,
    agentNamed: async (name: string) => {
      const found = tenant.agents.find((it) => it.name === name)
      return (await login(found ?? first)).access_token
    },
    api: async () => (await login(tenant.api_client)).access_token,
    user: async (user?: string) =>
      (await control('POST /user-token', { user })).body.access_token as string,
    openTask: async (body: object = {}) =>
      (await ask('POST /jit/task', { token: agent, body })).body.task_id as string,
    request: (task_id: string, authorization_details: object, more: object = {}) =>
      ask('POST /jit/request', {
        token: agent,
        body: { task_id, authorization_details, ...more },
      }),
    /** Lets everything that is due be done. Signatures are made on other threads: these take turns, too. */
    settle: async () => {
      for (let turns = 0; turns < 20; turns += 1) {
        await new Promise((next) => setImmediate(next))
        await signJwt(anyKey, {})
      }
    },
    happened: (type?: string) =>
      tenant.journal().filter((entry) => type === undefined || entry.type === type),
  }
}

const anyKey = await generateSigningKey('ES256')

export const exporting = { type: 'user_data', actions: ['read'], identifier: 'ada' }
export const reading = { type: 'file_access', actions: ['read'], identifier: 'q4.pdf' }
