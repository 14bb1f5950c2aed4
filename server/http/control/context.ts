import { same } from '../../signing/secrets.ts'
import type { ControlRoute, TenantCreated, TenantSeed } from '../../wire/index.ts'
import { bearerToken } from '../authorization-field.ts'
import type { Routed } from '../core.ts'
import { answerWith, refuseUnknownTenant } from '../refusals.ts'
import { refuseForeignHost, refuseForeignOrigin } from '../same-origin.ts'
import type { Switchable } from '../tenant/active-misbehaviours.ts'
import type { TenantContext } from '../tenant-context.ts'

/** What the control plane may do with the harness as a whole. */
export type TenantRegistry = Readonly<{
  find: (slug: string) => TenantContext | undefined
  /** The tenants that are open in this process. */
  slugs: () => string[]
  /** All tenants, those of other processes that share the store among them. */
  list: () => string[] | Promise<string[]>
  /**
   * Makes the name of a new tenant this process's own.
   * @returns the seed, with a name where processes share a store; undefined where the name is taken
   */
  claim: (seed: TenantSeed) => TenantSeed | undefined | Promise<TenantSeed | undefined>
  create: (seed: TenantSeed) => TenantCreated
  /** Puts a tenant back to its seeds. */
  reset: (slug: string) => void
  delete: (slug: string) => void
  /** The defects that can be switched on. */
  misbehaviours: () => Promise<readonly Switchable[]>
  version: string
}>

export type ControlContext = Readonly<{ registry: TenantRegistry; context: () => TenantContext }>

const area = 'the control plane'

/**
 * Requires the control token, and refuses browsers that come from elsewhere: neither a foreign
 * `Origin` nor a `Host` that only resolves here (DNS rebinding) gets in.
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
  answerWith(429, 'limit_reached', `no more than ${limit} ${what} at a time`, { limit })
