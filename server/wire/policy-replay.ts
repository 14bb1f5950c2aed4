import { z } from 'zod'
import { AuthorizationDetail } from './authorization-detail.ts'
import type { RequestFacts } from './request-facts.ts'

/** Body of a replay: the new policy as it is written in a file, in YAML or JSON. */
export const ReplayPolicy = z.strictObject({ policy: z.string() }).meta({ id: 'ReplayPolicy' })

/** Number of requests per decision. */
export const Decisions = z.object({ approve: z.int(), ask: z.int(), deny: z.int() })
export type Decisions = Readonly<z.infer<typeof Decisions>>

/** The decisions of one day (UTC), and those of the new policy. */
export const ReplayedDay = z.object({
  day: z.string(),
  before: Decisions,
  after: Decisions,
  /** Requests about which the new policy no longer asks a person. */
  spared: z.int(),
  /** Requests about which only the new policy asks a person. */
  given: z.int(),
})
export type ReplayedDay = Readonly<z.infer<typeof ReplayedDay>>

const Decided = z.object({ rule: z.string(), decision: z.enum(['approve', 'ask', 'deny']) })

/** Requests of one rule that a rule of the new policy decides differently. */
export const ReplayedChange = z.object({
  before: Decided,
  after: Decided,
  count: z.int(),
  /** The facts of the first of them, in the form of policy tests. */
  example: z.looseObject({ authorization_details: AuthorizationDetail, agent: z.string() }),
})
export type ReplayedChange = Readonly<
  Omit<z.infer<typeof ReplayedChange>, 'example'> & { example: z.input<typeof RequestFacts> }
>

/** What another policy would have decided of the decided requests of a tenant. */
export const PolicyReplay = z
  .object({
    requests: z.int(),
    /** From this time on, no decided request is missing. Null without requests. */
    complete_from: z.number().nullable(),
    days: z.array(ReplayedDay),
    changes: z.array(ReplayedChange),
  })
  .meta({ id: 'PolicyReplay' })
export type PolicyReplay = z.infer<typeof PolicyReplay>
