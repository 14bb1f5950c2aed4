import { z } from 'zod'

/** What a JWT says and where it stood: `request authorization`, `answer access_token`. */
export const DecodedToken = z
  .object({
    where: z.string(),
    header: z.record(z.string(), z.unknown()),
    claims: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'DecodedToken' })
export type DecodedToken = z.infer<typeof DecodedToken>

/** How an answer suffers between the seat and the client. Every host delivers it alike. */
export const Fault = z
  .object({
    /** Milliseconds before its first byte. */
    delay: z.number().optional(),
    /** The connection breaks: before the first byte, or in the middle of the body. */
    breaks: z.enum(['before', 'within']).optional(),
    /** The body comes in pieces, with a pause of so many milliseconds before each. */
    drip: z.object({ pieces: z.number(), pause: z.number() }).optional(),
  })
  .meta({ id: 'Fault' })
export type Fault = z.infer<typeof Fault>

/** One recorded HTTP request and its answer, secrets masked. */
export const Exchange = z
  .object({
    seq: z.int().positive(),
    at: z.number(),
    seat: z.enum(['issuer', 'api']),
    route: z.string().nullable(),
    request: z.object({
      method: z.string(),
      path: z.string(),
      headers: z.record(z.string(), z.string()),
      body: z.string(),
    }),
    answer: z.object({
      status: z.int(),
      headers: z.record(z.string(), z.string()),
      body: z.string(),
      /** What a misbehaviour of the network did to it on its way; absent: nothing. */
      fault: Fault.optional(),
    }),
    /** Where the answer breaks its own wire schema. */
    violations: z.array(z.string()),
    /** Every JWT of the request and its answer, read without its signature. */
    tokens: z.array(DecodedToken).optional(),
    /** The newest journal entry before it began, and when it was over. */
    meanwhile: z.tuple([z.int(), z.int()]).optional(),
  })
  .meta({ id: 'Exchange' })
export type Exchange = z.infer<typeof Exchange>

export const Exchanges = z
  .object({
    exchanges: z.array(Exchange),
    next: z.int().nonnegative(),
    forgotten: z.int().nonnegative(),
    /** There is more after `next`. */
    more: z.boolean().optional(),
  })
  .meta({ id: 'Exchanges' })
export type Exchanges = z.infer<typeof Exchanges>

export const AfterQuery = z.object({ after: z.coerce.number().int().nonnegative().default(0) })
export type AfterQuery = z.infer<typeof AfterQuery>
