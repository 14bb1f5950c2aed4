import { z } from 'zod'
import { AuthorizationDetail } from './authorization-detail.ts'
import { Exchange } from './exchange.ts'
import { JournalEntry } from './journal.ts'
import { RiskLevel } from './permission-request.ts'
import { Explanation } from './policy.ts'
import { TaskStatus } from './task.ts'

const Person = z.object({ id: z.string(), email: z.string(), name: z.string() })

/** Query of `/console`: the tenant to open when the path names none. */
export const ChooseTenant = z.object({ tenant: z.string().max(63).optional() })
export type ChooseTenant = z.infer<typeof ChooseTenant>

/**
 * Body of a sign-in: a one-time code, or the control token, with which an operator can sign in as any
 * approver. An operator who is signed in switches to another approver with `user` alone.
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

/**
 * The session of the browser. Send `csrf_token` as `X-CSRF-Token` with every request that changes
 * something.
 */
export const SignedIn = z
  .object({
    tenant: z.string(),
    user: Person.nullable(),
    /**
     * Whether the session was opened with the control token: it may move the clock, switch
     * misbehaviours and switch to any approver.
     */
    operator: z.boolean(),
    /** The approvers an operator can switch to. */
    approvers: z.array(Person),
    csrf_token: z.string(),
  })
  .meta({ id: 'SignedIn' })
export type SignedIn = z.infer<typeof SignedIn>

/** Body of a request for a sign-in link. */
export const MakeSignInLink = z
  .strictObject({
    /** E-mail address or id. Default: the first user with `jit.approve`. */
    user: z.string().max(256).optional(),
    /** Whether the link gives the rights of the control token. */
    operator: z.boolean().default(false),
  })
  .meta({ id: 'MakeSignInLink' })
export type MakeSignInLink = z.infer<typeof MakeSignInLink>

/** A link that signs one browser in. It works once; `expires_in` is in seconds. */
export const SignInLink = z
  .object({ url: z.url(), expires_in: z.int().positive() })
  .meta({ id: 'SignInLink' })
export type SignInLink = z.infer<typeof SignInLink>

/** A permission request as an approver sees it. Times are epoch seconds of the tenant's clock. */
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
    /** The only actions that can still be permitted, after an approver has narrowed the request. */
    narrowed_to: z.array(z.string()).nullable(),
    decided: z
      .object({
        as: z.enum(['approved', 'denied']),
        by: Person,
        at: z.number(),
        ttl: z.int().optional(),
        /** The granted detail, if it is narrower than requested. */
        detail: AuthorizationDetail.optional(),
        text: z.string().optional(),
      })
      .nullable(),
    /** Why the signed-in user may not decide the request; null when the user may. */
    hindrance: z.string().nullable(),
  })
  .meta({ id: 'RequestView' })
export type RequestView = z.infer<typeof RequestView>

/** The tenant's clock: its time in epoch seconds, and whether it advances by itself. */
const Clock = z.object({ now: z.number(), running: z.boolean() })

/** Query of the inbox: which page of the requests to return. */
export const InboxQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(100),
  page: z.coerce.number().int().min(1).max(1_000_000).default(1),
})
export type InboxQuery = z.infer<typeof InboxQuery>

/** One page of requests. The pending ones come first, oldest first; then the decided ones, newest first. */
export const Inbox = Clock.extend({
  requests: z.array(RequestView),
  /** Number of pending requests of the tenant, on all pages. */
  waiting: z.int(),
  pagination: z.object({ total: z.int(), page: z.int(), limit: z.int() }),
}).meta({ id: 'Inbox' })
export type Inbox = z.infer<typeof Inbox>

/** One task of a tenant, with its risk score and its numbers of denials and requests. */
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

/** All tasks of a tenant. */
export const TaskList = Clock.extend({ tasks: z.array(TaskSummary) }).meta({ id: 'TaskList' })
export type TaskList = z.infer<typeof TaskList>

/** The history of one token. Never contains the token itself. */
export const TokenView = z
  .object({
    jti: z.string(),
    kind: z.string(),
    subject: z.string(),
    scope: z.string().nullable(),
    detail: AuthorizationDetail.nullable(),
    request_id: z.string().nullable(),
    /** `jti` of the token that was exchanged for this one. */
    from: z.string().nullable(),
    issued_at: z.number(),
    expires_at: z.number(),
    revoked: z.object({ at: z.number(), reason: z.string() }).nullable(),
    /** The calls to the API that used the token, by `seq` of the exchange. */
    uses: z.array(z.int()),
  })
  .meta({ id: 'TokenView' })
export type TokenView = z.infer<typeof TokenView>

/**
 * Everything recorded for one task: exchanges, journal entries, requests, and which token was exchanged
 * for which.
 */
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

/** Query of the event stream: where to resume, for clients that cannot send `Last-Event-ID`. */
export const StreamQuery = z.object({ last_event_id: z.string().max(128).optional() })
export type StreamQuery = z.infer<typeof StreamQuery>

/** State that changes without a journal entry: the clock, recorded exchanges, misbehaviours. */
export const Pulse = Clock.extend({
  /** `seq` of the newest exchange. */
  exchanges: z.int(),
  /** Number of misbehaviours that are on. */
  misbehaviours: z.int(),
  /** Seconds by which the tenant's clock differs from that of the machine; 0 for a stopped clock. */
  shift: z.int(),
}).meta({ id: 'Pulse' })
export type Pulse = z.infer<typeof Pulse>

/** The events since a given one, for a page without an event stream. */
export const News = z
  .object({
    /** False when the events after `last_event_id` are not stored any more: then the page must reload. */
    resumed: z.boolean(),
    last_event_id: z.string(),
    entries: z.array(JournalEntry),
    pulse: Pulse,
  })
  .meta({ id: 'News' })
export type News = z.infer<typeof News>
