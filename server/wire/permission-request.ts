import { z } from 'zod'
import { AuthorizationDetail } from './authorization-detail.ts'

/** Maximum lifetime of a JIT token, in seconds (CONTRACT.md#lifetime-of-a-jit-token). */
export const longestTtl = 900

/** Lifetime in seconds of a request that names none (CONTRACT.md#lifetime-of-a-jit-token). */
export const defaultTtl = 600

/** The risk level of a permission request (CONTRACT.md#risk-levels). */
export const RiskLevel = z.enum(['low', 'medium', 'high', 'critical'])
export type RiskLevel = z.infer<typeof RiskLevel>

/** Status values on the wire. `exchanged` is sent as `approved`, because SDKs do not know it. */
export const RequestStatus = z.enum(['pending', 'approved', 'denied', 'expired', 'revoked'])
export type RequestStatus = z.infer<typeof RequestStatus>

/**
 * Body of `POST B/jit/request`: one detail, or an array of exactly one
 * (CONTRACT.md#permission-requests). The older form on the same path has `scope` instead
 * (CONTRACT.md#older-jit-form).
 */
export const RequestPermission = z
  .object({
    task_id: z.string().min(1).max(128),
    authorization_details: z
      .union([AuthorizationDetail, z.tuple([AuthorizationDetail]).transform(([only]) => only)], {
        error:
          'expected one authorization detail (an object with a type), or an array of exactly one',
      })
      .optional(),
    scope: z.string().min(1).max(1024).optional(),
    justification: z.string().max(4096).optional(),
    requested_ttl: z.int().min(1, { error: 'expected at least 1 second' }).optional(),
    callback_url: z
      .url({ protocol: /^https?$/ })
      .max(2048)
      .optional(),
  })
  .superRefine(({ authorization_details, scope, justification }, { addIssue }) => {
    if (authorization_details === undefined && scope === undefined) {
      addIssue({
        code: 'custom',
        path: ['authorization_details'],
        message: 'expected one authorization detail (an object with a type)',
      })
    }
    if (authorization_details !== undefined && scope !== undefined) {
      addIssue({
        code: 'custom',
        path: ['scope'],
        message: 'expected a detail or a scope, not both',
      })
    }
    if (scope !== undefined && !justification?.trim()) {
      addIssue({ code: 'custom', path: ['justification'], message: 'expected a justification' })
    }
  })
  .meta({
    id: 'RequestPermission',
    oneOf: [{ required: ['authorization_details'] }, { required: ['scope', 'justification'] }],
  })
export type RequestPermission = z.infer<typeof RequestPermission>

/**
 * One permission request as its agent sees it (CONTRACT.md#status-of-a-request).
 * `authorization_details` is an object here, because Go's SDK decodes it into a map.
 */
export const PermissionRequest = z
  .looseObject({
    request_id: z.string().min(1),
    status: RequestStatus,
    risk_level: RiskLevel,
    task_id: z.string().min(1),
    authorization_details: AuthorizationDetail,
    token_url: z.string().startsWith('/').optional(),
    granted_ttl: z.int().min(1).max(longestTtl).optional(),
    status_url: z.string().startsWith('/').optional(),
    expires_at: z.iso.datetime().optional(),
    interval: z.int().positive().optional(),
    message: z.string().optional(),
    /** Whether the approver left notes that the agent does not receive. */
    has_notes: z.boolean().optional(),
    /** The approver's message for the agent. */
    agent_message: z.string().optional(),
    review_notes: z.string().optional(),
    deny_reason: z.string().optional(),
  })
  .refine((it) => it.status !== 'pending' || it.status_url !== undefined, {
    path: ['status_url'],
    error: 'a pending request carries status_url',
  })
  .refine((it) => it.status !== 'approved' || it.token_url !== undefined, {
    path: ['token_url'],
    error: 'an approved request carries token_url',
  })
  .meta({ id: 'PermissionRequest' })
export type PermissionRequest = z.infer<typeof PermissionRequest>

/** Requests on one page, unless the query gives `limit`. */
const usualPage = 50

/** Query of one page of a list. `page` counts from 1. */
export const PageQuery = z
  .object({
    limit: z.coerce.number().int().min(1).max(100).default(usualPage),
    page: z.coerce.number().int().min(1).max(1_000_000).default(1),
  })
  .meta({ id: 'PageQuery' })
export type PageQuery = z.infer<typeof PageQuery>

const PendingList = z.array(z.looseObject({ request_id: z.string() }))
const Counted = {
  pending_requests: PendingList,
  data: PendingList,
  count: z.int().nonnegative(),
  pagination: z.looseObject({ total: z.int(), page: z.int(), limit: z.int() }),
}

/**
 * Answer of `GET B/jit/pending`: one list under three names, because the SDKs differ
 * (CONTRACT.md#pending-requests). With the switch `pending_list`, only the spec's names, only the
 * SDKs' names, or a bare array.
 */
export const PendingRequests = z
  .union([
    z.looseObject({ requests: PendingList, ...Counted }),
    z.looseObject({ requests: z.never().optional(), ...Counted }),
    z.strictObject({ requests: PendingList }),
    PendingList,
  ])
  .meta({ id: 'PendingRequests' })
export type PendingRequests = z.infer<typeof PendingRequests>

/** The requests of a pending list, under any of its names. */
export const pendingIn = (list: PendingRequests): z.infer<typeof PendingList> => {
  if (Array.isArray(list)) return list
  return list.requests ?? ('pending_requests' in list ? (list.pending_requests ?? []) : [])
}

/** Body of `POST B/jit/request/{id}/approve`. */
export const ApproveRequest = z
  .object({
    ttl: z.int().min(1).optional(),
    /** For approvers. The agent learns only that notes exist. */
    notes: z.string().max(4096).optional(),
    agent_message: z.string().max(4096).optional(),
  })
  .meta({ id: 'ApproveRequest' })
export type ApproveRequest = z.infer<typeof ApproveRequest>

/** Body of an approval on the approvals page, where an approver may narrow the request. */
export const ApproveOnPage = ApproveRequest.extend({
  /** The only requested actions to permit. Default: all of them. */
  actions: z.array(z.string()).min(1).max(64).optional(),
}).meta({ id: 'ApproveOnPage' })
export type ApproveOnPage = z.infer<typeof ApproveOnPage>

/** Answer of an approval. `pending`: more approvers must approve. */
export const RequestApproved = z
  .looseObject({
    request_id: z.string(),
    status: z.enum(['approved', 'pending']),
    granted_ttl: z.int().min(1).max(longestTtl).optional(),
    approvals: z.int().nonnegative().optional(),
    approvals_required: z.int().positive().optional(),
  })
  .meta({ id: 'RequestApproved' })
export type RequestApproved = z.infer<typeof RequestApproved>

/** Body of `POST B/jit/request/{id}/deny`. */
export const DenyRequest = z
  .object({
    /** For approvers. The agent learns only that a reason exists. */
    reason: z.string().max(4096).optional(),
    agent_message: z.string().max(4096).optional(),
  })
  .meta({ id: 'DenyRequest' })
export type DenyRequest = z.infer<typeof DenyRequest>

/** Answer of a denial. */
export const RequestDenied = z
  .looseObject({ request_id: z.string(), status: z.literal('denied') })
  .meta({ id: 'RequestDenied' })
export type RequestDenied = z.infer<typeof RequestDenied>
