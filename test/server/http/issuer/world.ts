import type { Timers } from '../../../../server/outbound/agenda.ts'
import type { Address, Message } from '../../../../server/outbound/outbound.ts'
import { generateSigningKey } from '../../../../server/signing/keys.ts'
import { signJwt } from '../../../../server/signing/sign.ts'
import { openTask, type Seed, type SignInOptions, signedIn } from '../../../support/signed-in.ts'

export const noon = '2026-11-24T12:00:00Z'
export const noonEpoch = Date.parse(noon) / 1000

/** The network: names and their addresses, and the receivers there. */
export const outside = () => {
  const names = new Map<string, Address[]>([['localhost', [{ address: '127.0.0.1', family: 4 }]]])
  const sent: Message[] = []
  /** The statuses of receivers; the last one repeats. */
  const answers: (number | Error)[] = [202]
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

/** Real time that passes only when a test says so; jobs due at once do not wait. */
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
  { allow = 'loopback', ...options }: SignInOptions & { allow?: 'loopback' | 'public' } = {},
) => {
  const far = outside()
  const { timers, waiting } = handTimers()
  const here = await signedIn({
    timers,
    outbound: { allow, resolve: far.resolve, send: far.send },
    seed: { clock: noon, ...seed },
    task: false,
    ...options,
  })
  const { tenant, request } = here
  return {
    ...here,
    far,
    /** Timers that wait for real time to pass. */
    waiting,
    /** The agent's own token. */
    agent: here.token,
    /** The token of the resource server. */
    apiToken: () => here.agentToken(tenant.api_client),
    openTask: (task?: object) => openTask(request, task),
    requestPermission: (task_id: string, authorization_details: object, more: object = {}) =>
      request.post('/jit/request').send({ task_id, authorization_details, ...more }),
    /** Runs everything that is due. Other threads sign, so this also yields to the event loop. */
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
