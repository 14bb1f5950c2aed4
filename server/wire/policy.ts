import { z } from 'zod'
import { AuthorizationDetail } from './authorization-detail.ts'
import { Duration } from './duration.ts'
import { longestTtl, RiskLevel } from './permission-request.ts'

/** One or several patterns; `*` stands for any run of characters. Matched without regard to case only where said. */
const Patterns = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
  .transform((it) => (Array.isArray(it) ? it : [it]))

const TimeWindow = z.strictObject({
  days: z
    .array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']))
    .min(1)
    .optional(),
  from: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/)
    .optional(),
  to: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/)
    .optional(),
})

/**
 * When a rule applies: every member given must hold; within a list, any. An absent member always
 * holds. Times are UTC by the tenant's clock.
 */
export const Condition = z.strictObject({
  type: Patterns.optional(),
  actions: Patterns.optional(),
  identifier: Patterns.optional(),
  locations: Patterns.optional(),
  agent: Patterns.optional(),
  task_type: Patterns.optional(),
  on_behalf_of: z.union([z.boolean(), Patterns]).optional(),
  ttl_over: Duration.optional(),
  score_from: z.number().optional(),
  denials_from: z.int().positive().optional(),
  requests_last_minute_from: z.int().positive().optional(),
  /** Holds when the justification is absent, too short, or does not match. */
  justification_lacks: z
    .strictObject({
      length: z.int().positive().optional(),
      pattern: z.string().max(200).optional(),
    })
    .optional(),
  time: TimeWindow.optional(),
  outside: TimeWindow.optional(),
})
export type Condition = z.infer<typeof Condition>

/** A named rule; the first that applies decides. */
export const PolicyRule = z.strictObject({
  name: z.string().min(1).max(120),
  when: Condition.default({}),
  risk: RiskLevel,
  decision: z.enum(['approve', 'ask', 'deny']),
  reason: z.string().max(480).optional(),
  max_ttl: Duration.optional(),
  /** How many distinct people must approve. */
  approvers: z.int().min(1).max(9).default(1),
  /** How long a person has to decide. */
  timeout: Duration.optional(),
})
export type PolicyRule = z.infer<typeof PolicyRule>

/** How a tenant decides: ordered rules, caps, and the running risk of a task. */
export const Policy = z
  .strictObject({
    default_ttl: Duration.default(600),
    max_ttl: Duration.default(longestTtl),
    approval_timeout: Duration.default(300),
    task_lifetime: Duration.default(3600),
    /** How often, in seconds, an agent may ask for the status of a pending request. */
    poll_interval: z.int().min(1).default(5),
    scoring: z
      .strictObject({
        low: z.number().nonnegative().default(1),
        medium: z.number().nonnegative().default(5),
        high: z.number().nonnegative().default(10),
        critical: z.number().nonnegative().default(15),
        denial: z.number().nonnegative().default(10),
        /** A task is suspended from this score on. */
        suspend_from: z.number().positive().default(65),
        /** A task is suspended from this number of denials on. */
        suspend_denials: z.int().positive().default(3),
      })
      .prefault({}),
    rules: z.array(PolicyRule).min(1),
  })
  .meta({ id: 'Policy' })
export type Policy = z.infer<typeof Policy>

/** Why a request was decided as it was. */
export const Explanation = z.looseObject({
  rule: z.string(),
  decision: z.enum(['approve', 'ask', 'deny']),
  risk_level: RiskLevel,
  inputs: z.looseObject({}),
  reason: z.string().optional(),
  would_pass: AuthorizationDetail.optional(),
})
export type Explanation = z.infer<typeof Explanation>

/** The documented table (contract §5.2), in the format users write. */
export const defaultPolicy: z.input<typeof Policy> = {
  rules: [
    {
      name: 'personal data, payments and credentials wait for a human',
      when: { type: ['payment', 'user_data', '*credential*'] },
      risk: 'critical',
      decision: 'ask',
    },
    {
      name: 'a task that was denied twice is watched',
      when: { denials_from: 2 },
      risk: 'critical',
      decision: 'ask',
    },
    {
      name: 'destructive, administrative and executing actions wait for a human',
      when: { actions: ['delete', 'DELETE', 'admin', 'execute', 'approve'] },
      risk: 'high',
      decision: 'ask',
    },
    {
      name: 'writes are approved and noted',
      when: {
        actions: [
          'write',
          'insert',
          'update',
          'create',
          'POST',
          'PUT',
          'PATCH',
          'export',
          'initiate',
        ],
      },
      risk: 'medium',
      decision: 'approve',
    },
    {
      name: 'a task with a raised score is noted',
      when: { score_from: 40 },
      risk: 'medium',
      decision: 'approve',
    },
    { name: 'reads are approved', risk: 'low', decision: 'approve' },
  ],
}
