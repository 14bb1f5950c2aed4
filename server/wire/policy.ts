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
      .optional(),
    from: TimeOfDay.optional(),
    to: TimeOfDay.optional(),
    /** Default: UTC. */
    zone: z
      .string()
      .max(64)
      .refine(isTimeZone, { error: 'expected an IANA time zone such as Europe/Berlin' })
      .optional(),
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
  type: Patterns.optional(),
  actions: Patterns.optional(),
  identifier: Patterns.optional(),
  locations: Patterns.optional(),
  datatypes: Patterns.optional(),
  privileges: Patterns.optional(),
  /** Whether the request names an action that LumoAuth's documentation does not list. */
  undocumented_actions: z.boolean().optional(),
  /** Whether the detail is one that the policy lists as sensitive. */
  sensitive: z.boolean().optional(),
  agent: Patterns.optional(),
  task_type: Patterns.optional(),
  on_behalf_of: z.union([z.boolean(), Patterns]).optional(),
  ttl_over: Duration.optional(),
  score_from: z.number().optional(),
  /** Of the task and its parent tasks. */
  denials_from: z.int().positive().optional(),
  /** Of the agent and the agents it registered, in all their tasks within 600 s. */
  agent_denials_from: z.int().positive().optional(),
  requests_last_minute_from: z.int().positive().optional(),
  /** Holds when the justification is absent, shorter than `shorter_than`, or does not match. */
  justification_lacks: z
    .strictObject({
      length: z.int().positive().optional(),
      pattern: Pattern.optional(),
    })
    .optional(),
  time: TimeWindow.optional(),
  outside: TimeWindow.optional(),
})
export type Condition = z.infer<typeof Condition>

/** A named rule. The first rule that matches decides. */
export const PolicyRule = z.strictObject({
  name: z.string().min(1).max(120),
  when: Condition.default({}),
  risk: RiskLevel,
  decision: z.enum(['approve', 'ask', 'deny']),
  reason: z.string().max(480).optional(),
  max_ttl: Lifetime.optional(),
  /** How many different people must approve. */
  approvers: z.int().min(1).max(9).default(1),
  /** How long people have to decide. */
  timeout: Lifetime.optional(),
})
export type PolicyRule = z.infer<typeof PolicyRule>

const reads = ['read', 'GET', 'HEAD', 'get', 'list', 'view', 'search', 'query', 'select']
const writes = ['write', 'insert', 'update', 'create', 'POST', 'PUT', 'PATCH', 'export', 'initiate']
const destructive = ['delete', 'DELETE', 'admin', 'execute', 'approve']

/** The actions of LumoAuth's documented types, and their usual synonyms (contract §5.1). */
export const documentedActions: ReadonlySet<string> = new Set([...reads, ...writes, ...destructive])

/** LumoAuth's documented table (contract §5.2), in the policy format. */
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
  // A run of `check issuer` causes 14 denials, and several runs can fall within 600 s.
  {
    name: 'an agent that was denied often within 600 s is watched',
    when: { agent_denials_from: 5000 },
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
    default_ttl: Lifetime.default(600),
    max_ttl: Lifetime.default(longestTtl),
    approval_timeout: Lifetime.default(300),
    task_lifetime: Lifetime.default(3600),
    /** Seconds between two polls of a pending request by its agent. */
    poll_interval: z.int().min(1).default(5),
    scoring: z
      .strictObject({
        low: z.number().nonnegative().default(1),
        medium: z.number().nonnegative().default(5),
        high: z.number().nonnegative().default(10),
        critical: z.number().nonnegative().default(15),
        denial: z.number().nonnegative().default(10),
        /** Score at which a task is suspended. */
        suspend_from: z.number().positive().default(65),
        /** Number of denials at which a task is suspended. */
        suspend_denials: z.int().positive().default(3),
        /**
         * The same limits for all tasks of an agent and of the agents it registered, within 600 s. The
         * current task is suspended.
         */
        agent_from: z.number().positive().default(100_000),
        agent_denials: z.int().positive().default(5000),
      })
      .prefault({}),
    /** Types and identifiers for the condition `sensitive` (contract §7 row 11). */
    sensitive: z
      .strictObject({ types: Patterns.optional(), identifiers: Patterns.optional() })
      .prefault({}),
    /** Limits on what one caller can create, and on what a tenant stores for all callers. */
    limits: z
      .strictObject({
        tasks_per_agent: z.int().positive().default(10_000),
        task_depth: z.int().positive().default(8),
        requests_per_task: z.int().positive().default(1000),
        pending_per_task: z.int().positive().default(100),
        pending_per_agent: z.int().positive().default(300),
        /** Bytes of a caller's texts that the tenant stores: names, details, justifications. */
        bytes_per_agent: z
          .int()
          .positive()
          .default(16 * 1024 * 1024),
        bytes_per_tenant: z
          .int()
          .positive()
          .default(64 * 1024 * 1024),
        approvals_per_agent: z.int().positive().default(20),
        streams_per_client: z.int().positive().default(10),
        agents: z.int().positive().default(1000),
        tasks: z.int().positive().default(200_000),
        requests: z.int().positive().default(200_000),
        tokens: z.int().positive().default(500_000),
        grants: z.int().positive().default(10_000),
        /** A used refresh token is stored as well, so that its reuse is detected. */
        refresh_tokens: z.int().positive().default(100_000),
        pushed_requests: z.int().positive().default(1000),
        /** Device codes; they are stored for an hour beyond their end, for the answer `expired_token`. */
        devices: z.int().positive().default(10_000),
        /** Device codes of one client that wait for a person. */
        devices_per_client: z.int().positive().default(100),
        assertions: z.int().positive().default(100_000),
      })
      .prefault({}),
    /** Absent: LumoAuth's documented table. */
    rules: z
      .array(PolicyRule)
      .min(1)
      .prefault([...documentedRules]),
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
