import { z } from 'zod'

/**
 * Header and claims of a JWT, and where the message contains it: `request authorization`, `answer
 * access_token`.
 */
export const DecodedToken = z
  .object({
    where: z.string(),
    header: z.record(z.string(), z.unknown()),
    claims: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'DecodedToken' })
export type DecodedToken = z.infer<typeof DecodedToken>

/** How the network misbehaves between the seat and the client. Every host implements it. */
export const Fault = z
  .object({
    /** Milliseconds before the first byte. */
    delay: z.number().optional(),
    /** Closes the connection before the first byte, or in the middle of the body. */
    breaks: z.enum(['before', 'within']).optional(),
    /** Sends the body in pieces, with a pause of this many milliseconds before each. */
    drip: z.object({ pieces: z.number(), pause: z.number() }).optional(),
  })
  .meta({ id: 'Fault' })
export type Fault = z.infer<typeof Fault>

/** One recorded HTTP request and its answer, with secrets masked. */
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
      /** How a network misbehaviour changed the delivery. Absent: not at all. */
      fault: Fault.optional(),
    }),
    /** Where the answer violates its wire schema. */
    violations: z.array(z.string()),
    /** Every JWT in the request and its answer, decoded without verification. */
    tokens: z.array(DecodedToken).optional(),
    /** `seq` of the newest journal entry before the exchange began, and after it ended. */
    meanwhile: z.tuple([z.int(), z.int()]).optional(),
  })
  .meta({ id: 'Exchange' })
export type Exchange = z.infer<typeof Exchange>

/** One page of recorded exchanges. */
export const Exchanges = z
  .object({
    exchanges: z.array(Exchange),
    next: z.int().nonnegative(),
    forgotten: z.int().nonnegative(),
    /** Whether there are exchanges after `next`. */
    more: z.boolean().optional(),
  })
  .meta({ id: 'Exchanges' })
export type Exchanges = z.infer<typeof Exchanges>

/** Query of a page: only entries after this `seq`. */
export const AfterQuery = z.object({ after: z.coerce.number().int().nonnegative().default(0) })
export type AfterQuery = z.infer<typeof AfterQuery>
