import { z } from 'zod'

/**
 * The error body of every seat. Each published SDK finds the field it reads
 * (CONTRACT.md#error-bodies): `message` equals `error_description`, `code` equals `error`.
 */
export const ErrorBody = z
  .looseObject({
    error: z.string().min(1),
    error_description: z.string(),
    message: z.string(),
    code: z.string().min(1),
    status: z.int().min(400).max(599),
  })
  .meta({ id: 'Error', description: 'The error body of every seat.' })
export type ErrorBody = z.infer<typeof ErrorBody>

/** The body of a 429: the union of the three in the docs (CONTRACT.md#rate-limits). */
export const RateLimited = ErrorBody.extend({ retry_after: z.int().positive() }).meta({
  id: 'RateLimited',
})
export type RateLimited = z.infer<typeof RateLimited>
