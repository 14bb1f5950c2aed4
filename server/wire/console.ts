import { z } from 'zod'
import { AuthorizationDetail } from './authorization-detail.ts'
import { Exchange } from './exchange.ts'
import { JournalEntry } from './journal.ts'
import { RiskLevel } from './permission-request.ts'
import { Explanation } from './policy.ts'
import { TaskStatus } from './task.ts'

const Person = z.object({ id: z.string(), email: z.string(), name: z.string() })

/** Which tenant's page somebody wants who has named none in the path. */
export const ChooseTenant = z.object({ tenant: z.string().max(63).optional() })
export type ChooseTenant = z.infer<typeof ChooseTenant>

/**
 * A one-time code, or the control token, which also lets its holder be any approver; who is signed
 * in by it may take another approver's seat by the name alone.
 */
export const SignIn = z
  .union(
    [
      z.strictObject({ code: z.string().min(1).max(256) }),
      z.strictObject({
        control_token: z.string().min(1).max(1024),
        user: z.string().max(256).optional(),
      }),
      z.strictObject({ user: z.string().min(1).max(256) }),
    ],
    { error: 'expected {"code"}, {"control_token", "user"?} or {"user"}' },
  )
  .meta({ id: 'SignIn' })
export type SignIn = z.infer<typeof SignIn>

/** Who is signed in. `csrf_token` goes into `X-CSRF-Token` of everything that changes something. */
export const SignedIn = z
  .object({
    tenant: z.string(),
    user: Person.nullable(),
    /** Signed in by the control token: moves the clock, switches misbehaviours, takes any seat. */
    operator: z.boolean(),
    /** Whose seat an operator may take. */
    approvers: z.array(Person),
    csrf_token: z.string(),
  })
  .meta({ id: 'SignedIn' })
export type SignedIn = z.infer<typeof SignedIn>

export const MakeSignInLink = z
  .strictObject({
    /** E-mail or id. Default: the first who holds `jit.approve`. */
    user: z.string().max(256).optional(),
    /** Whether the link gives what the control token gives. */
    operator: z.boolean().default(false),
  })
  .meta({ id: 'MakeSignInLink' })
export type MakeSignInLink = z.infer<typeof MakeSignInLink>

/** A link that signs one browser in, once. */
export const SignInLink = z
  .object({ url: z.url(), expires_in: z.int().positive() })
  .meta({ id: 'SignInLink' })
export type SignInLink = z.infer<typeof SignInLink>

/** A request as an approver sees it. Times are epoch seconds of the tenant's clock. */
export const RequestView = z
  .object({
    id: z.string(),
    status: z.enum(['pending', 'approved', 'exchanged', 'denied', 'expired', 'revoked']),
    risk: RiskLevel,
    agent: z.object({ id: z.string(), name: z.string() }),
    on_behalf_of: Person.nullable(),
    task: z.object({ id: z.string(), name: z.string().nullable() }),
    detail: AuthorizationDetail,
    justification: z.string().nullable(),
    explanation: Explanation,
    ttl: z.int(),
    max_ttl: z.int(),
    requested_at: z.number(),
    expires_at: z.number(),
    approvals: z.array(Person),
    approvals_required: z.int(),
    /** The only actions that can still be permitted, where an approver has narrowed the request. */
    narrowed_to: z.array(z.string()).nullable(),
    decided: z
      .object({
        as: z.enum(['approved', 'denied']),
        by: Person,
        at: z.number(),
        ttl: z.int().optional(),
        /** What was granted, where it is less than what was requested. */
        detail: AuthorizationDetail.optional(),
        text: z.string().optional(),
      })
      .nullable(),
    /** Why whoever looks may not decide it; null where they may. */
    hindrance: z.string().nullable(),
  })
  .meta({ id: 'RequestView' })
export type RequestView = z.infer<typeof RequestView>

/** What the clock says, and whether it runs by itself. */
const Clock = z.object({ now: z.number(), running: z.boolean() })

/** What waits for a person, and what a person was asked before; oldest first. */
export const InboxQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(100),
  page: z.coerce.number().int().min(1).max(1_000_000).default(1),
})
export type InboxQuery = z.infer<typeof InboxQuery>

/**
 * One page of requests, oldest first. What waits for a person comes on the first pages, the oldest on
 * page 1; then what was decided, the newest first.
 */
export const Inbox = Clock.extend({
  requests: z.array(RequestView),
  /** How many requests of the tenant wait for a person, on whichever page. */
  waiting: z.int(),
  pagination: z.object({ total: z.int(), page: z.int(), limit: z.int() }),
}).meta({ id: 'Inbox' })
export type Inbox = z.infer<typeof Inbox>

export const TaskSummary = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
    agent: z.object({ id: z.string(), name: z.string() }),
    on_behalf_of: Person.nullable(),
    status: TaskStatus,
    opened_at: z.number(),
    expires_at: z.number(),
    ended_at: z.number().nullable(),
    reason: z.string().nullable(),
    score: z.number(),
    denials: z.int(),
    requests: z.int(),
    waiting: z.int(),
  })
  .meta({ id: 'TaskSummary' })
export type TaskSummary = z.infer<typeof TaskSummary>

export const TaskList = Clock.extend({ tasks: z.array(TaskSummary) }).meta({ id: 'TaskList' })
export type TaskList = z.infer<typeof TaskList>

/** A token and what became of it; never the token itself. */
export const TokenView = z
  .object({
    jti: z.string(),
    kind: z.string(),
    subject: z.string(),
    scope: z.string().nullable(),
    detail: AuthorizationDetail.nullable(),
    request_id: z.string().nullable(),
    /** The token that was shown to get this one. */
    from: z.string().nullable(),
    issued_at: z.number(),
    expires_at: z.number(),
    revoked: z.object({ at: z.number(), reason: z.string() }).nullable(),
    /** The calls to the API it was shown at, by `seq` of the exchange. */
    uses: z.array(z.int()),
  })
  .meta({ id: 'TokenView' })
export type TokenView = z.infer<typeof TokenView>

/** All that belongs to one task: what was said, what happened, and which token came from which. */
export const Timeline = Clock.extend({
  task: TaskSummary,
  parent: z.string().nullable(),
  children: z.array(z.string()),
  requests: z.array(RequestView),
  entries: z.array(JournalEntry),
  exchanges: z.array(Exchange),
  tokens: z.array(TokenView),
}).meta({ id: 'Timeline' })
export type Timeline = z.infer<typeof Timeline>

/** Where a lost event stream is taken up again, for what cannot send `Last-Event-ID`. */
export const StreamQuery = z.object({ last_event_id: z.string().max(128).optional() })
export type StreamQuery = z.infer<typeof StreamQuery>

/** What changes without an entry in the journal: the clock, recorded exchanges, misbehaviours. */
export const Pulse = Clock.extend({
  /** `seq` of the newest exchange. */
  exchanges: z.int(),
  /** How many misbehaviours are on. */
  misbehaviours: z.int(),
  /** Seconds by which the tenant's clock was moved from that of the machine; 0 for one that stands. */
  shift: z.int(),
}).meta({ id: 'Pulse' })
export type Pulse = z.infer<typeof Pulse>

/** What happened since an event, for a page that holds no event stream. */
export const News = z
  .object({
    /** False where it is not known what came after `last_event_id`: the page has to load anew. */
    resumed: z.boolean(),
    last_event_id: z.string(),
    entries: z.array(JournalEntry),
    pulse: Pulse,
  })
  .meta({ id: 'News' })
export type News = z.infer<typeof News>
