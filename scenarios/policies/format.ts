import { z } from 'zod'
import { Policy, RequestFacts } from '../../server/wire/index.ts'
import { Expected } from '../language/match.ts'

/** The expected decision of a case. Takes the matchers of scenarios. */
export const Expectation = z
  .strictObject({
    decision: Expected.optional().describe('approve, ask or deny.'),
    risk: Expected.optional().describe('low, medium, high or critical.'),
    rule: Expected.optional().describe('The name of the rule that decides.'),
    ttl: Expected.optional().describe('Seconds the token gets, of what is not denied.'),
    max_ttl: Expected.optional().describe('The most an approver may give, in seconds.'),
    approvers: Expected.optional().describe('How many people must approve what is asked.'),
    timeout: Expected.optional().describe('Seconds they have.'),
    reason: Expected.optional().describe('The reason that the rule gives.'),
    would_pass: Expected.optional().describe('A smaller request that would be approved.'),
  })
  .refine((it) => Object.keys(it).length > 0, {
    error: 'expected something that the policy should say, such as decision: approve',
  })

/** Facts of a case as written. Each may be a variable of `each`. */
export const Written = z.strictObject(
  Object.fromEntries(
    Object.entries(RequestFacts.shape).map(([name, schema]) => [
      name,
      z
        .unknown()
        .optional()
        .describe(schema.description ?? ''),
    ]),
  ),
)

const { sensitive, default_ttl, max_ttl, approval_timeout } = Policy.shape

/** Settings of the policy that a case changes. Never its rules. */
const Settings = z
  .strictObject({ sensitive, default_ttl, max_ttl, approval_timeout })
  .partial()
  .describe('What the case changes in the policy beside its rules.')

const Case = z.strictObject({
  case: z.string().min(1).max(200).describe('The title: what the policy does, in one sentence.'),
  each: z
    .array(z.record(z.string().regex(/^[A-Za-z_]\w*$/), z.unknown()))
    .min(1)
    .optional()
    .describe('A table: the case is run once a row, with `$name` for the value of the row.'),
  settings: Settings.optional(),
  request: Written.optional().describe('What the agent asks, and what is known of it.'),
  expect: Expectation,
})

/** A file of tests of one policy. */
export const PolicyTest = z
  .strictObject({
    policy: z
      .union([z.string().min(1), z.record(z.string(), z.unknown())], {
        error: 'expected the path of a policy file, or a policy',
      })
      .optional()
      .describe('A policy file, relative to this one, or a policy. Absent: the default policy.'),
    request: Written.optional().describe('What every case has that says nothing else.'),
    cases: z.array(Case).min(1),
  })
  .meta({ id: 'PolicyTest' })
export type PolicyTest = z.infer<typeof PolicyTest>
