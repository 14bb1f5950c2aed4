import { z } from 'zod'

/** What a real issuer answered, without secrets, in the order it was asked: `check issuer --record`. */
export const Recording = z
  .strictObject({
    recorded: z.iso.datetime(),
    target: z.string(),
    exchanges: z.array(
      z.strictObject({
        scenario: z.string(),
        method: z.string(),
        /** With its query. */
        path: z.string().startsWith('/'),
        status: z.int().min(200).max(599),
        headers: z.record(z.string(), z.string()),
        body: z.string(),
      }),
    ),
  })
  .meta({ id: 'Recording' })
export type Recording = z.infer<typeof Recording>

/** Stands in a recording for the origin of whoever serves it. */
export const recordedOrigin = 'http://recorded.invalid'
