/** Tenants, and what a call costs by each of the ways to make it; in one process, without a socket but for HTTP. */
import { HttpResponse, http } from 'msw'
import { setupServer } from 'msw/node'
import { createHandlers } from '../../../server/http/msw.ts'
import { createHarness } from '../../../server/index.ts'
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

const timed = async (times: number, act: () => unknown): Promise<number> => {
  const all: number[] = []
  for (let n = 0; n < times; n += 1) {
    const begun = performance.now()
    await act()
    all.push(performance.now() - begun)
  }
  return median(all.slice(times / 5))
}

const asked = (ask: Ask, url: string, init?: RequestInit) =>
  timed(1000, async () => {
    const answer = await ask(url, init)
    if (!answer.ok) throw new Error(`${url}: ${answer.status}`)
    await answer.arrayBuffer()
  })

await using harness = await createHarness({ listen: false, algorithm: 'ES256' })
await using listening = await createHarness({ algorithm: 'ES256' })

const places = [harness, listening].map((it) => {
  const { urls, agents } = it.createTenant()
  const [agent] = agents
  return {
    jwks: `${urls.tenant}/.well-known/jwks.json`,
    token: `${urls.tenant}/oauth/token`,
    login: {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: agent?.client_id ?? '',
        client_secret: agent?.client_secret ?? '',
      }).toString(),
    },
  }
})
const [inside, outside] = places as [(typeof places)[0], (typeof places)[0]]

const direct = await asked(harness.fetch, inside.jwks)
const directToken = await asked(harness.fetch, inside.token, inside.login)
const overHttp = await asked(fetch, outside.jwks)
const httpToken = await asked(fetch, outside.token, outside.login)
const server = setupServer(
  http.get('https://trivial.test/', () => HttpResponse.json({})),
  ...createHandlers(harness),
)
server.listen({ onUnhandledFrame: 'error' })
// A first time each, unmeasured: whoever comes first pays for both.
await asked(fetch, 'https://trivial.test/')
await asked(fetch, inside.jwks)
const mswTrivial = await asked(fetch, 'https://trivial.test/')
const msw = await asked(fetch, inside.jwks)
const mswToken = await asked(fetch, inside.token, inside.login)
server.close()
const found: Hosts = {
  tenantMs: await timed(1000, () => harness.createTenant()),
  direct,
  msw,
  mswTrivial,
  http: overHttp,
  directToken,
  mswToken,
  httpToken,
}
process.stdout.write(`${JSON.stringify(found)}\n`)
