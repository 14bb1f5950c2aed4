import { z } from 'zod'
import { RiskLevel } from './permission-request.ts'

/**
 * Body of `POST B/agents/me/approvals`: a push approval. It expires after 120 s
 * (CONTRACT.md#push-approvals).
 */
export const CreateApproval = z
  .object({
    task_id: z.string().min(1).max(128),
    reason: z.string().min(1).max(480),
    impact: RiskLevel.default('medium'),
    on_behalf_of: z.string().min(1).max(256),
    meta: z.record(z.string(), z.unknown()).nullish(),
  })
  .meta({ id: 'CreateApproval' })
export type CreateApproval = z.infer<typeof CreateApproval>

/** Answer of `POST B/agents/me/approvals` for a user with a push device. */
export const ApprovalCreated = z
  .looseObject({
    approval_token: z.string().min(1),
    status: z.literal('pending'),
    expires_at: z.iso.datetime(),
    task_id: z.string(),
    impact: RiskLevel,
    /** Seconds between two polls. SDKs poll every 1.5 s. */
    interval: z.number().positive(),
  })
  .meta({ id: 'ApprovalCreated' })
export type ApprovalCreated = z.infer<typeof ApprovalCreated>

/**
 * Answer of `POST B/agents/me/approvals` for a user without a push device. It has no token, so no
 * SDK can continue (CONTRACT.md#push-approvals-without-a-device).
 */
export const ApprovalByEmail = z
  .looseObject({
    status: z.literal('email_fallback_sent'),
    message: z.string(),
    task_id: z.string(),
    impact: RiskLevel,
  })
  .meta({ id: 'ApprovalByEmail' })
export type ApprovalByEmail = z.infer<typeof ApprovalByEmail>

/** Answer of `GET B/agents/me/approvals/{token}`: the state of one push approval. */
export const ApprovalStatus = z
  .looseObject({
    approval_token: z.string(),
    status: z.enum(['pending', 'approved', 'denied', 'expired']),
    task_id: z.string(),
    impact: RiskLevel,
    reason: z.string(),
    responded_at: z.iso.datetime().nullable(),
    approved_by: z
      .looseObject({ user_id: z.union([z.int(), z.string()]), email: z.string().optional() })
      .nullable(),
  })
  .meta({ id: 'ApprovalStatus' })
export type ApprovalStatus = z.infer<typeof ApprovalStatus>
