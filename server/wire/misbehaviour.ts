import { z } from 'zod'

/**
 * Body that switches one misbehaviour on: permanently, for the next `times` exchanges it applies to,
 * only for the `nth` from now, or for `times` exchanges from the `nth` on.
 */
export const SwitchMisbehaviour = z
  .strictObject({
    name: z.string().min(1).describe('The name of the misbehaviour.'),
    times: z
      .int()
      .positive()
      .optional()
      .describe('Only the next so many exchanges that it concerns. Absent: all.'),
    nth: z
      .int()
      .positive()
      .optional()
      .describe(
        'Only the exchange with this number from now; with `times`, so many from there on.',
      ),
    route: z.string().optional().describe('Only exchanges of this route.'),
    seat: z.enum(['issuer', 'api']).optional().describe('Only exchanges of this seat.'),
    ms: z
      .int()
      .nonnegative()
      .max(600_000)
      .optional()
      .describe('For a misbehaviour that delays: how long, in milliseconds.'),
  })
  .meta({ id: 'SwitchMisbehaviour' })
export type SwitchMisbehaviour = z.infer<typeof SwitchMisbehaviour>

/** A misbehaviour that is on when the tenant is created. A name alone means all exchanges. */
export const BeginningMisbehaviour = z.union([
  z
    .string()
    .min(1)
    .transform((name): SwitchMisbehaviour => ({ name })),
  SwitchMisbehaviour,
])

/** All misbehaviours, and which are switched on. */
export const Misbehaviours = z
  .object({
    active: z.array(SwitchMisbehaviour),
    known: z.array(
      z.object({
        name: z.string(),
        seat: z.enum(['network', 'issuer', 'api']),
        says: z.string(),
        /** The id of the rule it violates. */
        breaks: z.string(),
        /** The routes it applies to. Absent: all routes of its seat. */
        routes: z.array(z.string()).optional(),
      }),
    ),
  })
  .meta({ id: 'Misbehaviours' })
export type Misbehaviours = z.infer<typeof Misbehaviours>

/** Body that switches one misbehaviour off. Absent name: all. */
export const MisbehaviourQuery = z.object({ name: z.string().optional() })
export type MisbehaviourQuery = z.infer<typeof MisbehaviourQuery>
