import { z } from 'zod'
import { AuthorizationDetail } from '../server/wire/authorization-detail.ts'

/* The members of the issuer's answers that the client uses. These schemas are looser than `server/wire`, which describes what an issuer must send: the client does not reject members it does not read. All other members are passed on unchanged. */

const optional = <S extends z.ZodType>(schema: S) => schema.optional().catch(undefined)

export const TokenGrant = z.looseObject({
  access_token: z.string().min(1),
  expires_in: z.number().positive().catch(3600),
})
export type TokenGrant = z.infer<typeof TokenGrant>

/** Answer of `createTask`. */
export const Task = z.looseObject({
  task_id: z.string().min(1),
  caep_session_id: optional(z.string()),
  expires_at: optional(z.string()),
})
export type Task = z.infer<typeof Task>

/** A permission request as its agent sees it. Every status except `pending` is final. */
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

/** A JIT token. Without `expires_in` it is not cached. */
export const JitToken = z.looseObject({
  access_token: z.string().min(1),
  expires_in: z.number().nonnegative().catch(0),
  authorization_details: optional(z.array(AuthorizationDetail)),
})
export type JitToken = z.infer<typeof JitToken>

/** Answer of `evaluateTask`. */
export const Evaluation = z.looseObject({
  active: optional(z.boolean()),
  action: optional(z.string()),
  events: optional(z.array(z.looseObject({ type: z.string() }))),
})
export type Evaluation = z.infer<typeof Evaluation>

/** Answer of `completeTask`. */
export const Completion = z
  .looseObject({ task_id: optional(z.string()), status: optional(z.string()) })
  .nullish()
export type Completion = z.infer<typeof Completion>

const Items = z.array(z.looseObject({ request_id: z.string() }))

/** The pending list under any of its names, or as an array (CONTRACT.md#pending-requests). */
export const Pending = z.union([
  Items,
  z.looseObject({ requests: Items }).transform((it) => it.requests),
  z.looseObject({ pending_requests: Items }).transform((it) => it.pending_requests),
  z.looseObject({ data: Items }).transform((it) => it.data),
])
export type Pending = z.infer<typeof Pending>

export const UserInfo = z.looseObject({ sub: z.string(), name: optional(z.string()) })
export type UserInfo = z.infer<typeof UserInfo>

/** The text members of an error body (CONTRACT.md#error-bodies). `error: true` is ignored. */
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
