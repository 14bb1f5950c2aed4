import { createGuard, type Guard, type GuardOptions } from '../../api/guard.ts'
import type { ResourceServer } from '../../api/resource-server.ts'
import type { ApiContext } from '../../http/api/handlers.ts'
import type { Act, Seam } from '../../http/misbehave.ts'
import { apiAudience, issuersOf } from '../../http/origin/issuer-urls.ts'
import type { TenantContext } from '../../http/tenant/tenant-context.ts'

/** Runs the handler with a changed resource server. */
export function withKnownToken(
  change: (tenant: ResourceServer, seam: Seam) => ResourceServer,
): Act {
  return (seam) =>
    seam.answer({
      context: async (honest) => {
        const context = (await honest()) as ApiContext
        return { ...context, tenant: change(context.tenant, seam) } satisfies ApiContext
      },
    })
}

/** Runs the handler with a changed guard. */
export function withGuard(change: (honest: Guard, seam: Seam) => Guard): Act {
  return withKnownToken((tenant, seam) => ({ ...tenant, guard: change(tenant.guard, seam) }))
}

/** A guard like the real one with some options changed. It learns of revocation at once. */
export const guardOf = (context: TenantContext, more: Partial<GuardOptions> = {}): Guard => {
  const { tenant, keys } = context
  return createGuard({
    issuers: issuersOf(context),
    audience: apiAudience(context),
    tenant: tenant.slug,
    types: tenant.state.dialect.token_typ === 'JWT' ? ['at+jwt', 'JWT'] : ['at+jwt'],
    keys: keys.findKeys,
    now: tenant.clock.now,
    revocation: tenant.state.dialect.revocation === 'expiry' ? 'expiry' : 'signals',
    isRevoked: ({ jti }) => tenant.state.tokens.get(jti)?.revokedAt !== undefined,
    ...more,
  })
}
