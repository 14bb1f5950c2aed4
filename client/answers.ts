import { z } from 'zod'
import { AuthorizationDetail } from '../server/wire/authorization-detail.ts'

/*
 * What the client needs of the issuer's answers. Deliberately looser than server/wire, which says what
 * an issuer must send: a client that refuses a date format it never reads helps nobody. All else in an
 * answer is passed on untouched.
 */

const optional = <S extends z.ZodType>(schema: S) => schema.optional().catch(undefined)

export const TokenGrant = z.looseObject({
  access_token: z.string().min(1),
  expires_in: z.number().positive().catch(3600),
})
export type TokenGrant = z.infer<typeof TokenGrant>

/** The answer to opening a task. */
export const Task = z.looseObject({
  task_id: z.string().min(1),
  caep_session_id: optional(z.string()),
  expires_at: optional(z.string()),
})
export type Task = z.infer<typeof Task>

/** A permission request as its agent sees it. Any status but `pending` is final. */
export const PermissionAnswer = z.looseObject({
  request_id: z.string().min(1),
  status: z.string().min(1),
  risk_level: optional(z.string()),
  granted_ttl: optional(z.number()),
  interval: optional(z.number().positive()),
  message: optional(z.string()),
  agent_message: optional(z.string()),
  review_notes: optional(z.string()),
  deny_reason: optional(z.string()),
})
export type PermissionAnswer = z.infer<typeof PermissionAnswer>

/** A JIT token. Without a lifetime of its own it is not kept. */
export const JitToken = z.looseObject({
  access_token: z.string().min(1),
  expires_in: z.number().nonnegative().catch(0),
  authorization_details: optional(z.array(AuthorizationDetail)),
})
export type JitToken = z.infer<typeof JitToken>

/** The response to evaluating a task. */
export const Evaluation = z.looseObject({
  active: optional(z.boolean()),
  action: optional(z.string()),
  events: optional(z.array(z.looseObject({ type: z.string() }))),
})
export type Evaluation = z.infer<typeof Evaluation>

/** The response to completing a task. */
export const Completion = z
  .looseObject({ task_id: optional(z.string()), status: optional(z.string()) })
  .nullish()
export type Completion = z.infer<typeof Completion>

const Items = z.array(z.looseObject({ request_id: z.string() }))

/** The pending list under any of its names, or bare (contract §7 row 6). */
export const Pending = z.union([
  Items,
  z.looseObject({ requests: Items }).transform((it) => it.requests),
  z.looseObject({ pending_requests: Items }).transform((it) => it.pending_requests),
  z.looseObject({ data: Items }).transform((it) => it.data),
])
export type Pending = z.infer<typeof Pending>

export const UserInfo = z.looseObject({ sub: z.string(), name: optional(z.string()) })
export type UserInfo = z.infer<typeof UserInfo>

/** The fields in which an error body says something (contract §6.2). `error: true` says nothing. */
export const RefusalBody = z
  .looseObject({
    error: optional(z.string()),
    code: optional(z.string()),
    error_description: optional(z.string()),
    message: optional(z.string()),
    detail: optional(z.string()),
    interval: optional(z.number().positive()),
    retry_after: optional(z.number().nonnegative()),
  })
  .catch({
    error: undefined,
    code: undefined,
    error_description: undefined,
    message: undefined,
    detail: undefined,
    interval: undefined,
    retry_after: undefined,
  })
