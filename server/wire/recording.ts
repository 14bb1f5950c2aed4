import { z } from 'zod'

/**
 * Recorded answers of a real issuer, without secrets, in the order of the requests: `check issuer
 * --record`.
 */
export const Recording = z
  .strictObject({
    recorded: z.iso.datetime(),
    target: z.string(),
    exchanges: z.array(
      z.strictObject({
        scenario: z.string(),
        method: z.string(),
        /** Path and query. */
        path: z.string().startsWith('/'),
        status: z.int().min(200).max(599),
        headers: z.record(z.string(), z.string()),
        body: z.string(),
      }),
    ),
  })
  .meta({ id: 'Recording' })
export type Recording = z.infer<typeof Recording>

/** Replaces the origin of the server in a recording. */
export const recordedOrigin = 'http://recorded.invalid'
