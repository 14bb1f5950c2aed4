import { z } from 'zod'

/**
 * Switches one misbehaviour on: for good, for the next `times` exchanges it concerns, only for the
 * `nth` from now, or for `times` from the `nth` on.
 */
export const SwitchMisbehaviour = z
  .strictObject({
    name: z.string().min(1),
    times: z.int().positive().optional(),
    nth: z.int().positive().optional(),
    /** Only exchanges of this route. */
    route: z.string().optional(),
    /** Only exchanges of this seat. */
    seat: z.enum(['issuer', 'api']).optional(),
    /** For one that takes its time: how long, in milliseconds. */
    ms: z.int().nonnegative().max(600_000).optional(),
  })
  .meta({ id: 'SwitchMisbehaviour' })
export type SwitchMisbehaviour = z.infer<typeof SwitchMisbehaviour>

/** A misbehaviour that is on from the beginning: its name alone stands for all exchanges. */
export const BeginningMisbehaviour = z.union([
  z
    .string()
    .min(1)
    .transform((name): SwitchMisbehaviour => ({ name })),
  SwitchMisbehaviour,
])

export const Misbehaviours = z
  .object({
    active: z.array(SwitchMisbehaviour),
    known: z.array(
      z.object({
        name: z.string(),
        seat: z.enum(['network', 'issuer', 'api']),
        says: z.string(),
        /** The id of the rule it breaks. */
        breaks: z.string(),
        /** The routes it acts on; absent: all of its seat. */
        routes: z.array(z.string()).optional(),
      }),
    ),
  })
  .meta({ id: 'Misbehaviours' })
export type Misbehaviours = z.infer<typeof Misbehaviours>

/** Which misbehaviour to switch off; absent: all. */
export const MisbehaviourQuery = z.object({ name: z.string().optional() })
export type MisbehaviourQuery = z.infer<typeof MisbehaviourQuery>
