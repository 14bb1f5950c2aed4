import type { Misbehaviours } from '../../server/wire/index.ts'
import { type Controlled, controlled } from './controlled.ts'
import type { Target } from './target.ts'

/** How the mock is reached: real HTTP, MSW’s interception, or a function call. */
export const hosts = ['express', 'msw', 'fetch'] as const
export type Host = (typeof hosts)[number]

/** All seats ours, under one of the hosts. */
export const mock = async (host: Host): Promise<Target> => {
  const { createHarness } = await import('../../server/index.ts')
  const harness = await createHarness({ listen: host === 'express' })
  const { ways, stop } = await waysOf(host, harness)
  const { issuer, controlToken } = harness
  const close = async () => {
    stop()
    await harness.close()
  }
  return controlled({ name: host, issuer, controlToken, ways, close })
}

/** The defects that the mock can be told to have. */
export const knownMisbehaviours = async (): Promise<Misbehaviours['known']> => {
  const { misbehaviours } = await import('../../server/http/misbehaviours.ts')
  return misbehaviours.map(({ name, seat, says, breaks, routes }) => ({
    name,
    seat,
    says,
    breaks,
    ...(routes === undefined ? {} : { routes: [...routes] }),
  }))
}

type Harness = Awaited<ReturnType<typeof import('../../server/index.ts').createHarness>>
type Ways = Controlled['ways']

/** MSW serves issuer and API only; the control plane is then reached by a function call. */
const waysOf = async (host: Host, harness: Harness): Promise<{ ways: Ways; stop: () => void }> => {
  const global: typeof fetch = (input, init) => fetch(input, init)
  if (host !== 'msw') {
    const way = host === 'express' ? global : harness.fetch
    return { ways: { issuer: way, api: way, control: way }, stop: () => {} }
  }
  const { setupServer } = await import('msw/node')
  const { createHandlers } = await import('../../server/http/msw.ts')
  const server = setupServer(...createHandlers(harness))
  server.listen({ onUnhandledFrame: 'error' })
  return {
    ways: { issuer: global, api: global, control: harness.fetch },
    stop: () => server.close(),
  }
}
