import { z } from 'zod'
import { Duration } from './duration.ts'

const RateLimit = z.strictObject({
  /** Maximum calls of one caller per window. */
  limit: z.int().positive(),
  /** Length of a window, by the tenant's clock. */
  window: Duration.pipe(z.int().min(1)).default(60),
})

/**
 * Rate limits per caller, by group of routes; a group that is absent has no limit
 * (CONTRACT.md#rate-limits). `token`, `introspect` and `authorize` are these routes, `jit` is all
 * routes below `/jit`, `api` is all other routes of the issuer.
 */
export const RateLimits = z
  .strictObject({
    token: RateLimit.optional(),
    introspect: RateLimit.optional(),
    authorize: RateLimit.optional(),
    jit: RateLimit.optional(),
    api: RateLimit.optional(),
  })
  .meta({ id: 'RateLimits' })
export type RateLimits = z.infer<typeof RateLimits>
