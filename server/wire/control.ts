import { z } from 'zod'
import { AuthorizationDetail } from './authorization-detail.ts'
import { Dialect } from './dialect.ts'
import { DocumentSeed } from './document.ts'
import { Duration } from './duration.ts'
import { ModelAccess, ModelScript } from './model.ts'
import { Explanation, Policy } from './policy.ts'

const Slug = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, {
  error: 'expected a slug: lower-case letters, digits and hyphens, at most 63',
})
const Name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
  error: 'expected a name: letters, digits, dot, underscore or hyphen, at most 64',
})

export const AgentSeed = z.strictObject({
  name: Name,
  client_id: Name.optional(),
  /** Absent: one is made. */
  client_secret: z.string().min(8).max(256).optional(),
  capabilities: z.array(z.string().min(1)).default(['read:documents', 'write:reports']),
  /** May act for users: holds `delegate:on_behalf`. */
  may_delegate: z.boolean().default(true),
})
export type AgentSeed = z.infer<typeof AgentSeed>

export const UserSeed = z.strictObject({
  email: z.email(),
  name: z.string().min(1).max(128).optional(),
  permissions: z.array(z.string().min(1)).default([]),
})
export type UserSeed = z.infer<typeof UserSeed>

/** How a scripted person answers: at once, after N status polls, or after a while; `ignore` never does. */
export const ApproverScript = z
  .strictObject({
    decision: z.enum(['approve', 'deny', 'ignore']),
    after_polls: z.int().nonnegative().default(0),
    after: Duration.default(0),
    reason: z.string().max(4096).optional(),
    ttl: z.int().min(1).max(900).optional(),
    /** The e-mail of the user who answers; default the first who holds `jit.approve`. */
    by: z.email().optional(),
  })
  .meta({ id: 'ApproverScript' })
export type ApproverScript = z.infer<typeof ApproverScript>

/** A tenant with everything in it; also the shape of `start --config`. */
export const TenantSeed = z
  .strictObject({
    tenant: Slug.optional(),
    name: z.string().min(1).max(128).optional(),
    /** `system`, or the moment at which the tenant's own clock stands still. */
    clock: z.union([z.literal('system'), z.iso.datetime()]).default('system'),
    /** The same seed gives the same ids and secrets. */
    seed: z.int().optional(),
    agents: z
      .array(AgentSeed)
      .min(1)
      .max(1000)
      .prefault([{ name: 'report-bot' }]),
    users: z
      .array(UserSeed)
      .max(1000)
      .prefault([
        { email: 'approver@example.com', name: 'Ada Approver', permissions: ['jit.approve'] },
        { email: 'alice@example.com', name: 'Alice Analyst' },
      ]),
    documents: z
      .array(DocumentSeed)
      .max(1000)
      .prefault([
        {
          id: 'doc_9982',
          title: 'Q4 revenue',
          classification: 'confidential',
          body: 'Revenue rose 12 % to 48.1 million in the fourth quarter. Costs fell 3 %.',
        },
      ]),
    policy: Policy.optional(),
    dialect: Dialect.prefault({}),
    approver: ApproverScript.optional(),
    /** What the scripted model says; absent: it reads doc_9982, reports on it, and says so. */
    model: ModelScript.optional(),
  })
  .meta({ id: 'TenantSeed' })
export type TenantSeed = z.infer<typeof TenantSeed>

/** What is needed to work in a new tenant. The only answer that ever shows a client secret. */
export const TenantCreated = z
  .object({
    tenant: z.string(),
    /** Base paths of both dialects, and of the API pinned to this tenant. */
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
    /** The client the API introspects with. */
    api_client: z.object({ client_id: z.string(), client_secret: z.string() }),
    environment: z.record(z.string(), z.string()),
    /** The scripted model, which speaks OpenAI's API. */
    model: ModelAccess,
    now: z.iso.datetime(),
  })
  .meta({ id: 'TenantCreated' })
export type TenantCreated = z.infer<typeof TenantCreated>

export const TenantList = z.object({ tenants: z.array(z.string()) }).meta({ id: 'TenantList' })
export type TenantList = z.infer<typeof TenantList>

export const MoveClock = z
  .union([z.strictObject({ advance: Duration }), z.strictObject({ set: z.iso.datetime() })], {
    error: 'expected {"advance": duration} or {"set": date-time}',
  })
  .meta({ id: 'MoveClock' })
export type MoveClock = z.infer<typeof MoveClock>

export const ClockReading = z
  .object({ now: z.iso.datetime(), epoch: z.number() })
  .meta({ id: 'ClockReading' })
export type ClockReading = z.infer<typeof ClockReading>

/** One line of the journal. `at` is in epoch seconds of the tenant's clock. */
export const JournalEntry = z
  .looseObject({ seq: z.int().positive(), at: z.number(), type: z.string() })
  .meta({ id: 'JournalEntry' })
export type JournalEntry = z.infer<typeof JournalEntry>

export const JournalQuery = z.object({
  /** Only entries after this `seq`. */
  after: z.coerce.number().int().nonnegative().default(0),
  type: z.string().optional(),
  /** Real seconds to wait for the first matching entry. */
  wait: z.coerce.number().min(0).max(30).default(0),
})
export type JournalQuery = z.infer<typeof JournalQuery>

export const Journal = z
  .object({
    entries: z.array(JournalEntry),
    next: z.int().nonnegative(),
    forgotten: z.int().nonnegative(),
  })
  .meta({ id: 'Journal' })
export type Journal = z.infer<typeof Journal>

/** What a JWT says and where it stood: `request authorization`, `answer access_token`. */
export const DecodedToken = z
  .object({
    where: z.string(),
    header: z.record(z.string(), z.unknown()),
    claims: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'DecodedToken' })
export type DecodedToken = z.infer<typeof DecodedToken>

/** One recorded HTTP request and its answer, secrets masked. */
export const Exchange = z
  .object({
    seq: z.int().positive(),
    at: z.number(),
    seat: z.enum(['issuer', 'api']),
    route: z.string().nullable(),
    request: z.object({
      method: z.string(),
      path: z.string(),
      headers: z.record(z.string(), z.string()),
      body: z.string(),
    }),
    answer: z.object({
      status: z.int(),
      headers: z.record(z.string(), z.string()),
      body: z.string(),
    }),
    /** Where the answer breaks its own wire schema. */
    violations: z.array(z.string()),
    /** Every JWT of the request and its answer, read without its signature. */
    tokens: z.array(DecodedToken).optional(),
    /** The newest journal entry before it began, and when it was over. */
    meanwhile: z.tuple([z.int(), z.int()]).optional(),
  })
  .meta({ id: 'Exchange' })
export type Exchange = z.infer<typeof Exchange>

export const Exchanges = z
  .object({
    exchanges: z.array(Exchange),
    next: z.int().nonnegative(),
    forgotten: z.int().nonnegative(),
  })
  .meta({ id: 'Exchanges' })
export type Exchanges = z.infer<typeof Exchanges>

export const AfterQuery = z.object({ after: z.coerce.number().int().nonnegative().default(0) })
export type AfterQuery = z.infer<typeof AfterQuery>

export const MintUserToken = z
  .strictObject({
    /** E-mail or id. Default: the first who holds `jit.approve`. */
    user: z.string().optional(),
    scope: z.string().optional(),
    expires_in: z.int().min(1).max(86_400).default(3600),
  })
  .meta({ id: 'MintUserToken' })
export type MintUserToken = z.infer<typeof MintUserToken>

/**
 * A token made to order, for testing whoever verifies it. Claims and header members given here
 * replace those of a real token; null removes one.
 */
export const ForgeToken = z
  .strictObject({
    agent: z.string().optional(),
    claims: z.record(z.string(), z.unknown()).default({}),
    header: z.record(z.string(), z.unknown()).default({}),
    /** `own`: signed as it should be; `foreign`: by a key nobody publishes; `none`: not at all; `hmac`: with the public key as secret. */
    key: z.enum(['own', 'foreign', 'none', 'hmac']).default('own'),
  })
  .meta({ id: 'ForgeToken' })
export type ForgeToken = z.infer<typeof ForgeToken>

export const MintedToken = z
  .object({ access_token: z.string(), token_type: z.literal('Bearer'), expires_in: z.number() })
  .meta({ id: 'MintedToken' })
export type MintedToken = z.infer<typeof MintedToken>

/** A request that is decided without being made. */
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

export const Decided = z
  .object({ status: z.string(), granted_ttl: z.int().optional(), explanation: Explanation })
  .meta({ id: 'Decided' })
export type Decided = z.infer<typeof Decided>

/**
 * Switches one misbehaviour on: for good, for the next `times` exchanges it concerns, only for the
 * `nth` from now, or for `times` from the `nth` on.
 */
export const SwitchMisbehaviour = z
  .strictObject({
    name: z.string().min(1),
    times: z.int().positive().optional(),
    nth: z.int().positive().optional(),
    /** Only exchanges of this route. */
    route: z.string().optional(),
    /** Only exchanges of this seat. */
    seat: z.enum(['issuer', 'api']).optional(),
    /** For one that takes its time: how long, in milliseconds. */
    ms: z.int().nonnegative().max(600_000).optional(),
  })
  .meta({ id: 'SwitchMisbehaviour' })
export type SwitchMisbehaviour = z.infer<typeof SwitchMisbehaviour>

export const Misbehaviours = z
  .object({
    active: z.array(SwitchMisbehaviour),
    known: z.array(
      z.object({
        name: z.string(),
        seat: z.enum(['network', 'issuer', 'api']),
        says: z.string(),
        /** The id of the rule it breaks. */
        breaks: z.string(),
        /** The routes it acts on; absent: all of its seat. */
        routes: z.array(z.string()).optional(),
      }),
    ),
  })
  .meta({ id: 'Misbehaviours' })
export type Misbehaviours = z.infer<typeof Misbehaviours>

/** Which misbehaviour to switch off; absent: all. */
export const MisbehaviourQuery = z.object({ name: z.string().optional() })
export type MisbehaviourQuery = z.infer<typeof MisbehaviourQuery>

export const Health = z
  .object({ status: z.literal('ok'), tenants: z.int(), version: z.string() })
  .meta({ id: 'Health' })
export type Health = z.infer<typeof Health>

export const Done = z.object({ ok: z.literal(true) }).meta({ id: 'Done' })
export type Done = z.infer<typeof Done>
