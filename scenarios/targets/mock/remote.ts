import { randomBytes } from 'node:crypto'
import type { Seat } from '../../../server/wire/index.ts'
import type { Target } from '../../language/target.ts'
import { controlPlaneTarget } from './control-plane.ts'

/** A running harness that was started elsewhere. Several runs may share it. */
export const remoteTarget = (issuer: string, controlToken: string): Target => {
  const way: typeof fetch = (input, init) => fetch(input, init)
  const target = controlPlaneTarget({
    name: new URL(issuer).host,
    issuer,
    controlToken,
    ways: { issuer: way, api: way, control: way },
  })
  const mine = randomBytes(4).toString('hex')
  return {
    ...target,
    open: async (given, how) => {
      // With a seed the transcript must be equal, so the names must be too.
      const tenant = how.seed === undefined ? `${mine}-${how.tenant.slice(-54)}` : how.tenant
      const session = await target.open(given, { ...how, tenant })
      let misdirected: string | undefined
      const heard =
        (seat: Seat): typeof fetch =>
        async (input, init) => {
          const response = await session.fetch(seat)(input, init)
          if (response.status === 421) {
            const { pathname } = new URL(response.url)
            misdirected ??= `${pathname} has no tenant, by which a proxy routes (421)`
          }
          return response
        }
      return { ...session, fetch: heard, unable: () => misdirected }
    },
  }
}
