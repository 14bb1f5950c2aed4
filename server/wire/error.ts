import { z } from 'zod'

/**
 * Every error of every seat: one body in which each published SDK finds the field it reads
 * (contract §6.1, §6.2). `message` repeats `error_description`, `code` repeats `error`.
 */
export const ErrorBody = z
  .looseObject({
    error: z.string().min(1),
    error_description: z.string(),
    message: z.string(),
    code: z.string().min(1),
    status: z.int().min(400).max(599),
  })
  .meta({ id: 'Error', description: 'The error envelope of every seat.' })
export type ErrorBody = z.infer<typeof ErrorBody>

/** The union of the three 429 bodies of the docs (contract §7 row 31). */
export const RateLimited = ErrorBody.extend({ retry_after: z.int().positive() }).meta({
  id: 'RateLimited',
})
export type RateLimited = z.infer<typeof RateLimited>
