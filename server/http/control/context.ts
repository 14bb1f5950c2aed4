import { same } from '../../signing/secrets.ts'
import type { ControlRoute, TenantCreated, TenantSeed } from '../../wire/index.ts'
import { bearerToken } from '../authorization-field.ts'
import type { Routed } from '../core.ts'
import { refuseForeignHost, refuseForeignOrigin } from '../origin/same-origin.ts'
import { answerWith, refuseUnknownTenant } from '../refusals.ts'
import type { Switchable } from '../tenant/active-misbehaviours.ts'
import type { TenantContext } from '../tenant/tenant-context.ts'

/** What the control plane can do with the whole harness. */
export type TenantRegistry = Readonly<{
  find: (slug: string) => TenantContext | undefined
  /** The tenants that are open in this process. */
  slugs: () => string[]
  /** All tenants, including those of other processes that share the store. */
  list: () => string[] | Promise<string[]>
  /**
   * Reserves the name of a new tenant for this process.
   * @returns the seed, with a generated name when a store is shared; undefined when the name is taken
   */
  claim: (seed: TenantSeed) => TenantSeed | undefined | Promise<TenantSeed | undefined>
  create: (seed: TenantSeed) => TenantCreated
  /** Resets a tenant to its seed. */
  reset: (slug: string) => void
  delete: (slug: string) => void
  /** The misbehaviours that can be switched on. */
  misbehaviours: () => Promise<readonly Switchable[]>
  version: string
}>

export type ControlContext = Readonly<{ registry: TenantRegistry; context: () => TenantContext }>

const area = 'the control plane'

/**
 * Requires the control token. Rejects browsers of other sites: a foreign `Origin`, and a foreign `Host`
 * that resolves to the harness (DNS rebinding).
 */
export const controlContext =
  (registry: TenantRegistry, controlToken: string, origin: () => string) =>
  ({ route, request, params, context: found }: Routed<ControlRoute>): ControlContext => {
    if (route.auth === 'control') {
      const own = request.base ?? origin()
      refuseForeignOrigin(
        request,
        (from) => from === undefined || from === new URL(own).origin,
        area,
      )
      refuseForeignHost(request, own, area)
      if (!same(bearerToken(request) ?? '', controlToken)) {
        answerWith(
          401,
          'invalid_token',
          'expected Authorization: Bearer with the control token',
          {},
          {
            'www-authenticate': 'Bearer realm="control"',
          },
        )
      }
    }
    const context = () => {
      const { tenant: slug = '' } = params
      return found ?? refuseUnknownTenant(slug)
    }
    return { registry, context }
  }

/** @throws {HttpError} 429 */
export const tooMany = (limit: number, what: string): never =>
  answerWith(429, 'limit_reached', `limit reached: at most ${limit} ${what} at a time`, { limit })
