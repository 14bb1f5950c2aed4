import { z } from 'zod'
import { AuthorizationDetail } from './authorization-detail.ts'
import { Duration } from './duration.ts'
import { longestTtl, RiskLevel } from './permission-request.ts'

/** One or several patterns. `*` matches any run of characters. */
const Patterns = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
  .transform((it) => (Array.isArray(it) ? it : [it]))
  .pipe(z.array(z.string().min(1)).min(1))

/** A lifetime: whole seconds, at least one. */
const Lifetime = Duration.pipe(z.int().min(1, { error: 'expected at least 1 second' }))

const TimeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, {
  error: 'expected a time of day such as 09:30',
})

const isTimeZone = (zone: string) => {
  try {
    return /^[A-Za-z]/.test(zone) && Intl.DateTimeFormat('en', { timeZone: zone }) !== undefined
  } catch {
    return false
  }
}

/**
 * Hours of the week in the local time of a zone: `from` is inclusive, `to` is exclusive. A window
 * across midnight belongs to the day on which it begins.
 */
export const TimeWindow = z
  .strictObject({
    days: z
      .array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']))
      .min(1)
      .optional()
      .describe('Days of the week. Default: all.'),
    from: TimeOfDay.optional().describe(
      'Beginning of the window, such as 08:00, inclusive. Default: midnight.',
    ),
    to: TimeOfDay.optional().describe(
      'End of the window, exclusive. Before `from`: on the next day.',
    ),
    zone: z
      .string()
      .max(64)
      .refine(isTimeZone, { error: 'expected an IANA time zone such as Europe/Berlin' })
      .optional()
      .describe('The IANA time zone whose wall clock counts. Default: UTC.'),
  })
  .refine(({ from, to }) => from === undefined || from !== to, {
    error: 'expected from and to to differ: an empty window never matches',
    path: ['to'],
  })
export type TimeWindow = z.infer<typeof TimeWindow>

/**
 * A regular expression that matches in time linear in the text (RE2's syntax: no back-references, no
 * look-around), so that no policy can block the issuer.
 */
const Pattern = z
  .string()
  .max(200)
  .superRefine((pattern, { addIssue }) => {
    const unescaped = pattern.replace(/\\[^1-9k]/g, '')
    if (/\\[1-9k]|\(\?(?:[=!]|<[=!])/.test(unescaped)) {
      addIssue({
        code: 'custom',
        message: 'expected a pattern without back-references and look-around',
      })
    } else if (!isRegularExpression(pattern)) {
      addIssue({ code: 'custom', message: 'expected a regular expression' })
    }
  })

const isRegularExpression = (pattern: string) => {
  try {
    return new RegExp(pattern, 'u') !== undefined
  } catch {
    return false
  }
}

/**
 * The conditions of a rule: every given member must hold. Of `actions`, `locations`, `datatypes` and
 * `privileges` of the request any one must match; in a rule that approves, all of them must. An absent
 * member always holds. Times are those of the tenant's clock.
 */
export const Condition = z.strictObject({
  type: Patterns.optional().describe('Type of the requested detail.'),
  actions: Patterns.optional().describe(
    'Actions of the detail. In a rule that approves all of them must match, in any other one is enough; so for all lists of the detail.',
  ),
  identifier: Patterns.optional().describe('Identifier of the detail.'),
  locations: Patterns.optional().describe('Locations of the detail.'),
  datatypes: Patterns.optional().describe('Data types of the detail.'),
  privileges: Patterns.optional().describe('Privileges of the detail.'),
  undocumented_actions: z
    .boolean()
    .optional()
    .describe('Whether the detail has an action that LumoAuth’s documentation does not list.'),
  sensitive: z
    .boolean()
    .optional()
    .describe('Whether the policy’s `sensitive` names the type or the identifier.'),
  agent: Patterns.optional().describe('Name of the agent.'),
  task_type: Patterns.optional().describe('Type of the task.'),
  on_behalf_of: z
    .union([z.boolean(), Patterns])
    .optional()
    .describe('Whether the agent acts for a user, or the e-mail address of that user.'),
  ttl_over: Duration.optional().describe('Requests for longer than this.'),
  score_from: z.number().optional().describe('Tasks with at least this risk score.'),
  denials_from: z
    .int()
    .positive()
    .optional()
    .describe('Tasks in which so many requests were denied, parent tasks included.'),
  agent_denials_from: z
    .int()
    .positive()
    .optional()
    .describe(
      'Agents that were denied so often within 600 s, in all their tasks and together with the agents they registered.',
    ),
  requests_last_minute_from: z
    .int()
    .positive()
    .optional()
    .describe('Tasks with so many requests within the last minute.'),
  justification_lacks: z
    .strictObject({
      length: z
        .int()
        .positive()
        .optional()
        .describe('The justification is shorter than this, or absent.'),
      pattern: Pattern.optional().describe(
        'The justification does not match this regular expression (RE2’s syntax).',
      ),
    })
    .optional()
    .describe('Requests whose justification does not meet this.'),
  time: TimeWindow.optional().describe('Requests within this window of the week.'),
  outside: TimeWindow.optional().describe('Requests outside this window of the week.'),
})
export type Condition = z.infer<typeof Condition>

/** A named rule. The first rule that matches decides. */
export const PolicyRule = z.strictObject({
  name: z.string().min(1).max(120).describe('How explanations call the rule.'),
  when: Condition.default({}).describe(
    'When the rule applies: every given condition must hold. Empty: always.',
  ),
  risk: RiskLevel.describe('The risk level of what the rule matches.'),
  decision: z
    .enum(['approve', 'ask', 'deny'])
    .describe('`approve` at once, `ask` a person, or `deny`.'),
  reason: z.string().max(480).optional().describe('The reason that the agent receives.'),
  max_ttl: Lifetime.optional().describe(
    'Maximum lifetime of the token, also when a person approves.',
  ),
  approvers: z.int().min(1).max(9).default(1).describe('How many different people must approve.'),
  timeout: Lifetime.optional().describe(
    'How long people have to decide. Default: `approval_timeout` of the policy.',
  ),
})
export type PolicyRule = z.infer<typeof PolicyRule>

const reads = ['read', 'GET', 'HEAD', 'get', 'list', 'view', 'search', 'query', 'select']
const writes = ['write', 'insert', 'update', 'create', 'POST', 'PUT', 'PATCH', 'export', 'initiate']
const destructive = ['delete', 'DELETE', 'admin', 'execute', 'approve']

/**
 * The actions of LumoAuth's documented types, and their usual synonyms (CONTRACT.md#detail-types).
 */
export const documentedActions: ReadonlySet<string> = new Set([...reads, ...writes, ...destructive])

/** LumoAuth's documented table (CONTRACT.md#risk-levels), in the policy format. */
const documentedRules: readonly z.input<typeof PolicyRule>[] = [
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
  // A run of `check issuer` causes 14 denials: fourteen runs within 600 s stay below.
  {
    name: 'an agent that was denied often within 600 s is watched',
    when: { agent_denials_from: 200 },
    risk: 'critical',
    decision: 'ask',
  },
  {
    name: 'scopes of the older form wait for a human',
    when: { type: 'scope' },
    risk: 'high',
    decision: 'ask',
  },
  {
    name: 'what is called sensitive waits for a human',
    when: { sensitive: true },
    risk: 'high',
    decision: 'ask',
  },
  {
    name: 'destructive, administrative and executing actions wait for a human',
    when: { actions: destructive },
    risk: 'high',
    decision: 'ask',
  },
  {
    name: 'privileges wait for a human',
    when: { privileges: '*' },
    risk: 'high',
    decision: 'ask',
  },
  {
    name: 'actions that the documentation does not list wait for a human',
    when: { undocumented_actions: true },
    risk: 'high',
    decision: 'ask',
  },
  {
    name: 'a task with a raised score is noted',
    when: { score_from: 40 },
    risk: 'medium',
    decision: 'approve',
  },
  { name: 'reads are approved', when: { actions: reads }, risk: 'low', decision: 'approve' },
  {
    name: 'writes are approved and noted',
    when: { actions: [...writes, ...reads] },
    risk: 'medium',
    decision: 'approve',
  },
  { name: 'requests that name no action are approved', risk: 'low', decision: 'approve' },
]

/** The policy of a tenant: ordered rules, limits, and the risk score of tasks. */
export const Policy = z
  .strictObject({
    default_ttl: Lifetime.default(600).describe('Lifetime of a token without `requested_ttl`.'),
    max_ttl: Lifetime.default(longestTtl).describe('Maximum lifetime of every JIT token.'),
    approval_timeout: Lifetime.default(300).describe('How long people have to decide.'),
    task_lifetime: Lifetime.default(3600).describe('Lifetime of a task.'),
    poll_interval: z
      .int()
      .min(1)
      .default(5)
      .describe('Seconds between two polls of a pending request by its agent.'),
    scoring: z
      .strictObject({
        low: z.number().nonnegative().default(1).describe('Added by each request of low risk.'),
        medium: z
          .number()
          .nonnegative()
          .default(5)
          .describe('Added by each request of medium risk.'),
        high: z.number().nonnegative().default(10).describe('Added by each request of high risk.'),
        critical: z
          .number()
          .nonnegative()
          .default(15)
          .describe('Added by each request of critical risk.'),
        denial: z.number().nonnegative().default(10).describe('Added by each denial.'),
        suspend_from: z
          .number()
          .positive()
          .default(65)
          .describe('Score at which a task is suspended.'),
        suspend_denials: z
          .int()
          .positive()
          .default(3)
          .describe('Number of denials at which a task is suspended.'),
        agent_from: z
          .number()
          .positive()
          .default(100_000)
          .describe(
            'The same score for all tasks of an agent and of the agents it registered, within 600 s. The current task is suspended.',
          ),
        agent_denials: z
          .int()
          .positive()
          .default(200)
          .describe('The same number of denials for all these tasks.'),
      })
      .prefault({})
      .describe('The running risk of a task, and when it is suspended.'),
    sensitive: z
      .strictObject({
        types: Patterns.optional().describe('Types of details, with * for any text.'),
        identifiers: Patterns.optional().describe('Identifiers of details, with * for any text.'),
      })
      .prefault({})
      .describe('Types and identifiers for the condition `sensitive`.'),
    limits: z
      .strictObject({
        tasks_per_agent: z.int().positive().default(10_000).describe('Active tasks of an agent.'),
        task_depth: z.int().positive().default(8).describe('Levels of child tasks.'),
        requests_per_task: z.int().positive().default(1000).describe('Requests in a task.'),
        pending_per_task: z.int().positive().default(100).describe('Pending requests in a task.'),
        pending_per_agent: z
          .int()
          .positive()
          .default(300)
          .describe('Pending requests of an agent in all its tasks.'),
        bytes_per_agent: z
          .int()
          .positive()
          .default(16 * 1024 * 1024)
          .describe(
            'Bytes of a caller’s texts that the tenant stores: names, details, justifications.',
          ),
        bytes_per_tenant: z
          .int()
          .positive()
          .default(64 * 1024 * 1024)
          .describe('The same for all callers.'),
        approvals_per_agent: z
          .int()
          .positive()
          .default(20)
          .describe('Pending push approvals of an agent.'),
        streams_per_client: z.int().positive().default(10).describe('Signal streams of a client.'),
        agents: z.int().positive().default(1000).describe('Agents of the tenant.'),
        tasks: z.int().positive().default(200_000).describe('Stored tasks.'),
        requests: z.int().positive().default(200_000).describe('Stored requests.'),
        tokens: z.int().positive().default(500_000).describe('Stored tokens.'),
        grants: z.int().positive().default(10_000).describe('Stored consents.'),
        refresh_tokens: z
          .int()
          .positive()
          .default(100_000)
          .describe(
            'Stored refresh tokens. A used one is stored as well, so that its reuse is detected.',
          ),
        devices_per_client: z
          .int()
          .positive()
          .default(100)
          .describe('Device codes of one client that wait for a person.'),
        pushed_requests: z
          .int()
          .positive()
          .default(1000)
          .describe('Stored pushed authorization requests.'),
        assertions: z
          .int()
          .positive()
          .default(100_000)
          .describe('Stored ids of client assertions.'),
      })
      .prefault({})
      .describe(
        'Bounds on what one caller can create, and on what a tenant stores for all callers.',
      ),
    rules: z
      .array(PolicyRule)
      .min(1)
      .prefault([...documentedRules])
      .describe(
        'The rules, of which the first that matches decides. Absent: the table of LumoAuth’s documentation.',
      ),
  })
  .meta({ id: 'Policy' })
export type Policy = z.infer<typeof Policy>

/** Why a request was decided in this way. */
export const Explanation = z.looseObject({
  rule: z.string(),
  decision: z.enum(['approve', 'ask', 'deny']),
  risk_level: RiskLevel,
  inputs: z.looseObject({}),
  reason: z.string().optional(),
  would_pass: AuthorizationDetail.optional(),
})
export type Explanation = z.infer<typeof Explanation>
