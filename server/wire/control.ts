import { z } from 'zod'
import { AuthorizationDetail } from './authorization-detail.ts'
import { Dialect } from './dialect.ts'
import { DocumentSeed } from './document.ts'
import { Duration } from './duration.ts'
import { ModelAccess, ModelScript } from './model.ts'
import { Explanation, Policy } from './policy.ts'
import { RateLimits } from './rate-limits.ts'
import { signingAlgorithms } from './signing-algorithms.ts'

/** What a tenant is called in paths. */
export const Slug = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, {
  error: 'expected a slug: lower-case letters, digits and hyphens, at most 63',
})
const Name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
  error: 'expected a name: letters, digits, dot, underscore or hyphen, at most 64',
})

const Jwks = z.object({
  keys: z
    .array(z.looseObject({ kty: z.string() }))
    .min(1)
    .max(8),
})
const RedirectUris = z.array(z.string().min(1).max(2048)).max(16)

/** What an agent may use up (contract §2.1); issuing counts tokens and calls, the rest is shown. */
export const BudgetSeed = z.strictObject({
  max_tokens_per_day: z.int().nonnegative().optional(),
  max_api_calls_per_hour: z.int().nonnegative().optional(),
  max_cost_per_month_usd: z.number().nonnegative().optional(),
  allowed_models: z.array(z.string()).optional(),
  require_approval_above_usd: z.number().nonnegative().optional(),
})
export type BudgetSeed = z.infer<typeof BudgetSeed>

export const AgentSeed = z.strictObject({
  name: Name,
  client_id: Name.optional(),
  /** Absent: one is made. */
  client_secret: z.string().min(8).max(256).optional(),
  capabilities: z.array(z.string().min(1)).default(['read:documents', 'write:reports']),
  /** May act for users: holds `delegate:on_behalf`. */
  may_delegate: z.boolean().default(true),
  budget: BudgetSeed.optional(),
  /** Public keys for `private_key_jwt`. */
  jwks: Jwks.optional(),
  /** Where people may be sent back to. A loopback address is good for every port (RFC 8252 §7.3). */
  redirect_uris: RedirectUris.default(['http://127.0.0.1/callback', 'http://localhost/callback']),
})
export type AgentSeed = z.infer<typeof AgentSeed>

export const UserSeed = z.strictObject({
  email: z.email(),
  name: z.string().min(1).max(128).optional(),
  permissions: z.array(z.string().min(1)).default([]),
  roles: z.array(z.string().min(1)).default([]),
  picture: z.url().optional(),
})
export type UserSeed = z.infer<typeof UserSeed>

/** A client that people sign in to, and that is no agent. */
export const ApplicationSeed = z.strictObject({
  name: Name,
  client_id: Name.optional(),
  /** Absent: one is made, unless the application is public. */
  client_secret: z.string().min(8).max(256).optional(),
  /** Can keep no secret: a browser or native application. */
  public: z.boolean().default(false),
  redirect_uris: RedirectUris.min(1),
  scopes: z.array(z.string().min(1)).default(['read:documents', 'write:reports']),
  jwks: Jwks.optional(),
})
export type ApplicationSeed = z.infer<typeof ApplicationSeed>

export const ApiKeySeed = z.strictObject({
  name: Name,
  /** Absent: one is made, `lmk_` first. */
  key: z.string().min(8).max(256).optional(),
  /** The agent it stands for; default the first, null: none. */
  agent: Name.nullable().optional(),
  permissions: z.array(z.string().min(1)).default([]),
})
export type ApiKeySeed = z.infer<typeof ApiKeySeed>

export const McpServerSeed = z.strictObject({
  server_id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/)
    .optional(),
  resource_uri: z.url({ protocol: /^https?$/ }),
  name: z.string().min(1).max(128),
  description: z.string().max(1024).default(''),
  scopes: z.array(z.string().min(1)).default(['mcp:read', 'mcp:write']),
  token_lifetime: z.int().min(60).max(86_400).default(3600),
  /** Names of the agents that may have its tokens; absent: all. */
  agents: z.array(Name).optional(),
})
export type McpServerSeed = z.infer<typeof McpServerSeed>

/** A workload that is known by a token of its platform. */
export const WorkloadSeed = z.strictObject({
  provider: z.enum(['kubernetes', 'aws', 'gcp', 'azure', 'oidc']).default('kubernetes'),
  issuer: z.url(),
  subject: z.string().min(1).max(512),
  /** The name of the agent that it is. */
  agent: Name,
  /** The keys of the platform; `generate`: the harness plays the platform. */
  jwks: z.union([Jwks, z.literal('generate')]).default('generate'),
})
export type WorkloadSeed = z.infer<typeof WorkloadSeed>

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

/** A misbehaviour that is on from the beginning: its name alone stands for all exchanges. */
const BeginningMisbehaviour = z.union([
  z
    .string()
    .min(1)
    .transform((name): SwitchMisbehaviour => ({ name })),
  SwitchMisbehaviour,
])

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
    applications: z.array(ApplicationSeed).max(1000).default([]),
    api_keys: z
      .array(ApiKeySeed)
      .max(1000)
      .prefault([{ name: 'backend' }]),
    mcp_servers: z.array(McpServerSeed).max(1000).default([]),
    workload: z.array(WorkloadSeed).max(100).default([]),
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
    rate_limits: RateLimits.prefault({}),
    approver: ApproverScript.optional(),
    /** What the scripted model says; absent: it reads doc_9982, reports on it, and says so. */
    model: ModelScript.optional(),
    /** What goes wrong from the beginning. */
    misbehave: z.array(BeginningMisbehaviour).max(100).default([]),
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
    /** The client the API introspects with. */
    api_client: z.object({ client_id: z.string(), client_secret: z.string() }),
    /** Signs what is sent to a `callback_url` (HMAC SHA-256 of the body). */
    webhook_secret: z.string(),
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

/** How an answer suffers between the seat and the client. Every host delivers it alike. */
export const Fault = z
  .object({
    /** Milliseconds before its first byte. */
    delay: z.number().optional(),
    /** The connection breaks: before the first byte, or in the middle of the body. */
    breaks: z.enum(['before', 'within']).optional(),
    /** The body comes in pieces, with a pause of so many milliseconds before each. */
    drip: z.object({ pieces: z.number(), pause: z.number() }).optional(),
  })
  .meta({ id: 'Fault' })
export type Fault = z.infer<typeof Fault>

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
      /** What a misbehaviour of the network did to it on its way; absent: nothing. */
      fault: Fault.optional(),
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
    /** Default: all that anybody could consent to here. */
    scope: z.string().optional(),
    /** The name of the only agent that may act for the user (RFC 8693 §4.4). */
    may_act: z.string().optional(),
    authorization_details: z.array(AuthorizationDetail).optional(),
    expires_in: z.int().min(1).max(86_400).default(3600),
  })
  .meta({ id: 'MintUserToken' })
export type MintUserToken = z.infer<typeof MintUserToken>

/** A token of a platform the harness plays (`authenticateWorkload.jwks: generate`). */
export const MintWorkloadToken = z
  .strictObject({
    /** Default: the first workload of the seed. */
    subject: z.string().optional(),
    issuer: z.string().optional(),
    audience: z.string().optional(),
    expires_in: z.int().min(-86_400).max(86_400).default(3600),
  })
  .meta({ id: 'MintWorkloadToken' })
export type MintWorkloadToken = z.infer<typeof MintWorkloadToken>

/** Makes a key and publishes it; the one before stays published until it is retired. */
export const RotateKey = z
  .strictObject({
    /** Default: that of the key that signs. */
    algorithm: z.enum(signingAlgorithms).optional(),
    /** Whether it signs from now on. False: it is only published, so that verifiers fetch it first. */
    sign: z.boolean().default(true),
  })
  .meta({ id: 'RotateKey' })
export type RotateKey = z.infer<typeof RotateKey>

/** The names of the keys. `toJwks` is in the order of the JWKS: the one that signs first. */
export const Keys = z
  .object({ current: z.string(), published: z.array(z.string()).min(1) })
  .meta({ id: 'Keys' })
export type Keys = z.infer<typeof Keys>

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

/** Answers a push approval, as the person would on their device. */
export const AnswerApproval = z
  .strictObject({ decision: z.enum(['approve', 'deny']) })
  .meta({ id: 'AnswerApproval' })
export type AnswerApproval = z.infer<typeof AnswerApproval>
