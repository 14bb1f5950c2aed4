import { z } from 'zod'
import { AuthorizationDetail } from './authorization-detail.ts'
import { Duration } from './duration.ts'
import { ModelAccess } from './model.ts'
import { Explanation } from './policy.ts'

/** Credentials and URLs of a new tenant. No other answer contains a client secret. */
export const TenantCreated = z
  .object({
    tenant: z.string(),
    /** Base URLs of both prefixes, and of the API for this tenant. */
    urls: z.object({ tenant: z.url(), org: z.url(), api: z.url() }),
    agents: z.array(
      z.object({
        name: z.string(),
        agent_id: z.string(),
        client_id: z.string(),
        client_secret: z.string(),
      }),
    ),
    users: z.array(
      z.object({ id: z.string(), email: z.string(), permissions: z.array(z.string()) }),
    ),
    applications: z.array(
      z.object({
        name: z.string(),
        client_id: z.string(),
        client_secret: z.string().optional(),
      }),
    ),
    api_keys: z.array(z.object({ name: z.string(), key: z.string() })),
    mcp_servers: z.array(
      z.object({ name: z.string(), server_id: z.string(), resource_uri: z.string() }),
    ),
    /** The client with which the API introspects tokens. */
    api_client: z.object({ client_id: z.string(), client_secret: z.string() }),
    /** The key that signs requests to a `callback_url` (HMAC SHA-256 of the body). */
    webhook_secret: z.string(),
    environment: z.record(z.string(), z.string()),
    /** The scripted model. It implements OpenAI's API and Gemini's. */
    model: ModelAccess,
    now: z.iso.datetime(),
  })
  .meta({ id: 'TenantCreated' })
export type TenantCreated = z.infer<typeof TenantCreated>

/** The slugs of all tenants. */
export const TenantList = z.object({ tenants: z.array(z.string()) }).meta({ id: 'TenantList' })
export type TenantList = z.infer<typeof TenantList>

/** Body that advances the clock of a tenant, or sets it. Moving it backwards is rejected. */
export const MoveClock = z
  .union([z.strictObject({ advance: Duration }), z.strictObject({ set: z.iso.datetime() })], {
    error: 'expected {"advance": duration} or {"set": date-time}',
  })
  .meta({ id: 'MoveClock' })
export type MoveClock = z.infer<typeof MoveClock>

/** The time of a tenant's clock, as ISO 8601 and in epoch seconds. */
export const ClockReading = z
  .object({ now: z.iso.datetime(), epoch: z.number() })
  .meta({ id: 'ClockReading' })
export type ClockReading = z.infer<typeof ClockReading>

/** Body of `…/policy/decide`: a request that the policy decides without creating it. */
export const Hypothetical = z
  .strictObject({
    authorization_details: AuthorizationDetail,
    agent: z.string().optional(),
    task_id: z.string().optional(),
    justification: z.string().optional(),
    requested_ttl: z.int().positive().optional(),
    on_behalf_of: z.string().optional(),
  })
  .meta({ id: 'Hypothetical' })
export type Hypothetical = z.infer<typeof Hypothetical>

/** The decision on a hypothetical request. */
export const Decided = z
  .object({ status: z.string(), granted_ttl: z.int().optional(), explanation: Explanation })
  .meta({ id: 'Decided' })
export type Decided = z.infer<typeof Decided>

/** Size of the journal in bytes, and its maximum, beyond which changes are rejected. */
export const JournalSize = z.object({ bytes: z.int(), max_bytes: z.int() })
export type JournalSize = z.infer<typeof JournalSize>

/** Answer of the health check. */
export const Health = z
  .object({
    status: z.literal('ok'),
    tenants: z.int(),
    version: z.string(),
    /** Absent without storage. */
    journal: JournalSize.optional(),
  })
  .meta({ id: 'Health' })
export type Health = z.infer<typeof Health>

/** Answer of a command that returns no data. */
export const Done = z.object({ ok: z.literal(true) }).meta({ id: 'Done' })
export type Done = z.infer<typeof Done>

/** The user's answer to a push approval. */
export const AnswerApproval = z
  .strictObject({ decision: z.enum(['approve', 'deny']) })
  .meta({ id: 'AnswerApproval' })
export type AnswerApproval = z.infer<typeof AnswerApproval>
