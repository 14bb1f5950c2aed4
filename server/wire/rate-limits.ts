import { z } from 'zod'
import { Duration } from './duration.ts'

const RateLimit = z.strictObject({
  /** Calls of one caller. */
  limit: z.int().positive(),
  /** How long a window is, by the tenant's clock. */
  window: Duration.pipe(z.int().min(1)).default(60),
})

/**
 * How often one caller may come, by group of routes; what is absent has no limit (contract §5.6).
 * `token`, `introspect` and `authorize` are those routes, `jit` all below `/jit`, `api` the rest of
 * what an issuer answers.
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
