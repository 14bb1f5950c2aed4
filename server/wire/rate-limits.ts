import { z } from 'zod'
import { Duration } from './duration.ts'

const RateLimit = z.strictObject({
  limit: z.int().positive().describe('Maximum calls of one caller per window.'),
  window: Duration.pipe(z.int().min(1))
    .default(60)
    .describe('Length of a window, by the tenant’s clock.'),
})

/**
 * Rate limits per caller, by group of routes; a group that is absent has no limit
 * (CONTRACT.md#rate-limits). `token`, `introspect` and `authorize` are these routes, `jit` is all
 * routes below `/jit`, `api` is all other routes of the issuer.
 */
export const RateLimits = z
  .strictObject({
    token: RateLimit.optional().describe('The token endpoint.'),
    introspect: RateLimit.optional().describe('The introspection endpoint.'),
    authorize: RateLimit.optional().describe('The authorization endpoint.'),
    jit: RateLimit.optional().describe('All routes below `/jit`.'),
    api: RateLimit.optional().describe('All other routes of the issuer.'),
  })
  .meta({ id: 'RateLimits' })
export type RateLimits = z.infer<typeof RateLimits>
