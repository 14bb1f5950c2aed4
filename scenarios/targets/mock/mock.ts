import type { Harness } from '../../../server/index.ts'
import type { Misbehaviours } from '../../../server/wire/index.ts'
import type { Target } from '../../language/target.ts'
import { type ControlPlaneOptions, controlPlaneTarget } from './control-plane.ts'
import type { Host } from './hosts.ts'

/** The mock: all seats are ours, under one of the hosts. */
export const mock = async (host: Host): Promise<Target> => {
  const { harness, ways, stop } = await openHost(host)
  const { issuer, controlToken } = harness
  const close = async () => {
    stop()
    await harness.close()
  }
  return controlPlaneTarget({ name: host, issuer, controlToken, ways, close })
}

/** The misbehaviours of the mock. */
export const listMisbehaviours = async (): Promise<Misbehaviours['known']> => {
  const { describedMisbehaviours } = await import('../../../server/misbehaviours/catalogue.ts')
  return describedMisbehaviours
}

type OpenedHost = Readonly<{
  harness: Harness
  ways: ControlPlaneOptions['ways']
  stop: () => void
}>

/** MSW serves issuer and API only; the control plane is then reached by a function call. */
const openHost = async (host: Host): Promise<OpenedHost> => {
  const global: typeof fetch = (input, init) => fetch(input, init)
  const everywhere = (way: typeof fetch) => ({ issuer: way, api: way, control: way })
  const { createHarness } = await import('../../../server/index.ts')
  const harness = await createHarness({ listen: host === 'express' })
  if (host !== 'msw') return { harness, ways: everywhere(harness.fetch), stop: () => {} }
  const { setupServer } = await import('msw/node')
  const { createHandlers } = await import('../../../server/http/hosts/msw.ts')
  const server = setupServer(...createHandlers(harness))
  server.listen({ onUnhandledFrame: 'error' })
  return {
    harness,
    ways: { issuer: global, api: global, control: harness.fetch },
    stop: () => server.close(),
  }
}
