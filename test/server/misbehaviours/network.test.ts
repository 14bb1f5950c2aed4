import { setupServer } from 'msw/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Harness } from '../../../server/harness/harness.ts'
import { createHandlers } from '../../../server/http/hosts/msw.ts'
import { networkMisbehaviours } from '../../../server/misbehaviours/network.ts'
import { bearer } from '../../support/signed-in.ts'
import {
  jsonOf,
  misbehavingHarness,
  openWorld,
  type Probe,
  prove,
  type Server,
  type World,
} from './world.ts'

const { harness: listening, server: behindSockets } = await misbehavingHarness({ listen: true })
const { harness: inProcess, server: behindFetch } = await misbehavingHarness()
const { harness: mocked, server: behindMsw } = await misbehavingHarness({
  origins: { issuer: 'https://issuer.mocked.test', api: 'https://api.mocked.test' },
})
const msw = setupServer(...createHandlers(mocked))

afterAll(() => Promise.all([listening, inProcess, mocked].map((harness) => harness.close())))

/** Requests go through one of the hosts by `fetch`; the control plane is called by supertest. */
const hosts: [name: string, server: Server, fetch: Harness['fetch']][] = [
  ['Express', behindSockets, listening.fetch],
  ['a fetch function', behindFetch, inProcess.fetch],
  ['MSW', behindMsw, (url, init) => globalThis.fetch(url, init)],
]

describe.each(hosts)('a misbehaving network before %s', (name, server, fetch) => {
  const tenant = () => openWorld(server, fetch)
  if (name === 'MSW') {
    beforeAll(() => msw.listen())
    afterAll(() => msw.close())
  }

  const probes: Readonly<Record<string, Probe>> = {
    'network-slow': [
      async (world) => {
        const began = performance.now()
        await userinfo(world)
        return performance.now() - began >= 295
      },
      false,
      true,
    ],
    'network-very-slow': [(world) => infoWithin(world, 200), '401', 'TimeoutError'],
    'network-drip': [async (world) => (await piecesOf(world)) > 4, false, true],
    'network-reset': [opening, ['201', 1], ['TypeError', 0]],
    'network-answer-lost': [opening, ['201', 1], ['TypeError', 1]],
    'network-truncated': [
      async (world) => [...(await opening(world)), await statusOf(world)],
      ['201', 1, 401],
      // The head of a response arrives before its body breaks off.
      ['TypeError', 1, 401],
    ],
    'network-short-length': [opening, ['201', 1], ['201 not JSON', 1]],
    'network-allows-one-origin': [
      async (world) => (await userinfo(world)).headers.get('access-control-allow-origin'),
      '*',
      'https://app.example',
    ],
    'network-exposes-no-fields': [
      async (world) => (await userinfo(world)).headers.get('access-control-expose-headers') === '',
      false,
      true,
    ],
    'network-empty': [opening, ['201', 1], ['201 empty', 1]],
    'network-duplicated': [
      async (world) => [...(await opening(world)), await whichTask(world)],
      ['201', 1, 'the last'],
      ['201', 2, 'the last'],
    ],
    'network-replayed': [
      async (world) => [...(await opening(world)), await whichTask(world)],
      ['201', 1, 'the last'],
      ['201', 2, 'an earlier one'],
    ],
    'network-unavailable': [info, [401, null], [503, '1']],
    'network-unavailable-until': [
      async (world) => {
        const [status, after] = await info(world)
        return [status, Number.isNaN(Date.parse(String(after)))]
      },
      [401, true],
      [503, false],
    ],
    'network-recovers': [
      async (world) => {
        const statuses = []
        for (let times = 0; times < 4; times++) statuses.push(await statusOf(world))
        return statuses
      },
      [401, 401, 401, 401],
      [503, 503, 503, 401],
    ],
    'network-rate-limited': [info, [401, null], [429, '2']],
    'network-bad-gateway': [
      kind,
      [401, 'application/json; charset=utf-8'],
      [502, 'text/html; charset=utf-8'],
    ],
    'network-captive-portal': [
      kind,
      [401, 'application/json; charset=utf-8'],
      [200, 'text/html; charset=utf-8'],
    ],
    'network-redirected': [
      async (world) => {
        const { status, headers } = await userinfo(world)
        const location = headers.get('location')
        return [status, location && new URL(location).origin]
      },
      [401, null],
      [307, 'https://elsewhere.invalid'],
    ],
    'network-cached': [
      async (world) => {
        const first = await document(world, 'doc_open', await world.forge({}))
        return [first.status, (await document(world, 'doc_open')).status]
      },
      [200, 401],
      [200, 200],
    ],
    'network-fields-lost': [
      async (world) => (await userinfo(world)).headers.has('www-authenticate'),
      true,
      false,
    ],
  }

  prove(networkMisbehaviours, probes, tenant)

  it('delays as long as configured', async () => {
    const world = tenant()
    await world.on({ name: 'network-slow', ms: 5000 })

    expect(await infoWithin(world, 100)).toBe('TimeoutError')
  })

  it('also affects introspection by the API', async () => {
    const world = tenant()
    const token = await world.forge({})
    await world.on({ name: 'network-reset', route: 'oauth.introspect', times: 1 })

    expect((await document(world, 'doc_open', token)).status).toBe(503)
    expect((await document(world, 'doc_open', token)).status).toBe(200)
  })

  it('records the response of the seat and the fault', async () => {
    const world = tenant()
    await world.on('network-answer-lost')
    await opening(world)

    const { body } = await world.control.get('/exchanges')

    expect(body.exchanges).toHaveLength(1)
    expect(body.exchanges[0].answer).toMatchObject({ status: 201, fault: { breaks: 'before' } })
  })
})

/** Opens a task: what its client receives, and how many tasks were opened. */
async function opening(world: World): Promise<[seen: string, opened: number]> {
  const token = await world.forge({})
  const before = (await tasks(world)).length
  const seen = await failureOr(async () => {
    const response = await world.fetch(`${world.issuer}/jit/task`, {
      method: 'POST',
      headers: { ...bearer(token), 'content-type': 'application/json' },
      body: '{}',
    })
    const { status } = response
    const text = await response.text()
    const body = jsonOf(text)
    last.set(world, body?.task_id)
    return body === undefined ? `${status} ${text === '' ? 'empty' : 'not JSON'}` : `${status}`
  })
  return [seen, (await tasks(world)).length - before]
}

/** The id that the last client received. */
const last = new WeakMap<World, unknown>()

const tasks = async (world: World): Promise<{ task: { id: string } }[]> =>
  (await world.control.get('/journal?type=task.opened')).body.entries

const whichTask = async (world: World) => {
  const ids = (await tasks(world)).map(({ task }) => task.id)
  return ids.at(-1) === last.get(world) ? 'the last' : 'an earlier one'
}

const failureOr = async (attempt: () => Promise<string>) => {
  try {
    return await attempt()
  } catch (failed) {
    return (failed as Error).name
  }
}

const infoWithin = (world: World, milliseconds: number) =>
  failureOr(async () => {
    const response = await userinfo(world, { signal: AbortSignal.timeout(milliseconds) })
    await response.text()
    return String(response.status)
  })

async function info(world: World) {
  const { status, headers } = await userinfo(world)
  return [status, headers.get('retry-after')]
}

async function kind(world: World) {
  const { status, headers } = await userinfo(world)
  return [status, headers.get('content-type')]
}

const statusOf = async (world: World) => (await userinfo(world)).status

const piecesOf = async (world: World) => {
  const { body } = await userinfo(world)
  let pieces = 0
  for await (const _ of body ?? []) pieces += 1
  return pieces
}

const userinfo = (world: World, init: RequestInit = {}) =>
  world.fetch(`${world.issuer}/oauth/userinfo`, { redirect: 'manual', ...init })

const document = (world: World, id: string, token?: string) =>
  world.fetch(`${world.documents}/${id}`, token === undefined ? {} : { headers: bearer(token) })
