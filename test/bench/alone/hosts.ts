/**
 * Tenants, and the cost of a call through each host; in one process, without a socket except for
 * HTTP.
 */
import { HttpResponse, http } from 'msw'
import { setupServer } from 'msw/node'
import { createHandlers } from '../../../server/http/hosts/msw.ts'
import { createHarness, type Harness } from '../../../server/index.ts'
import { median } from '../figures.ts'

export type Hosts = Readonly<{
  tenantMs: number
  /** One GET of the key set, in milliseconds. */
  direct: number
  msw: number
  mswTrivial: number
  http: number
  /** One token (ES256), in milliseconds. */
  directToken: number
  mswToken: number
  httpToken: number
}>

type Ask = (url: string, init?: RequestInit) => Promise<Response>

/**
 * Hosts take turns, so that none gets a quiet machine or a freshly started MSW alone; the first
 * calls do not count.
 */
const inTurn = async <K extends string>(
  calls: Readonly<Record<K, () => Promise<Response>>>,
): Promise<Record<K, number>> => {
  const names = Object.keys(calls) as K[]
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<
    K,
    number[]
  >
  for (let n = 0; n < 400; n += 1) {
    for (const name of names) {
      const begun = performance.now()
      const answer = await calls[name]()
      if (!answer.ok) throw new Error(`${name}: ${answer.status}`)
      await answer.arrayBuffer()
      if (n >= 100) times[name].push(performance.now() - begun)
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times[name])])) as Record<K, number>
}

await using harness = await createHarness({ listen: false, algorithm: 'ES256' })
await using listening = await createHarness({ algorithm: 'ES256' })

/** Requests for the keys and a token of one tenant. */
const placeIn = (it: Harness) => {
  const { urls, agents } = it.createTenant()
  const [agent] = agents
  const login = {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: agent?.client_id ?? '',
      client_secret: agent?.client_secret ?? '',
    }).toString(),
  }
  return {
    keys: (ask: Ask) => () => ask(`${urls.tenant}/.well-known/jwks.json`),
    token: (ask: Ask) => () => ask(`${urls.tenant}/oauth/token`, login),
  }
}
const inside = placeIn(harness)
const outside = placeIn(listening)

const tenantTimes = Array.from({ length: 1000 }, () => {
  const begun = performance.now()
  harness.createTenant()
  return performance.now() - begun
})
const overHttp = await inTurn({ http: outside.keys(fetch), httpToken: outside.token(fetch) })
const server = setupServer(
  http.get('https://trivial.test/', () => HttpResponse.json({})),
  ...createHandlers(harness),
)
server.listen({ onUnhandledFrame: 'error' })
const inHand = await inTurn({
  direct: inside.keys(harness.fetch),
  msw: inside.keys(fetch),
  mswTrivial: () => fetch('https://trivial.test/'),
  directToken: inside.token(harness.fetch),
  mswToken: inside.token(fetch),
})
server.close()
const found: Hosts = { tenantMs: median(tenantTimes), ...overHttp, ...inHand }
process.stdout.write(`${JSON.stringify(found)}\n`)
