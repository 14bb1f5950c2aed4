import { z } from 'zod'
import { Dialect } from './dialect.ts'
import { DocumentSeed } from './document.ts'
import { Duration } from './duration.ts'
import { BeginningMisbehaviour } from './misbehaviour.ts'
import { ModelScript } from './model.ts'
import { Policy } from './policy.ts'
import { RateLimits } from './rate-limits.ts'
import { Scope } from './task.ts'

/** The slug of a tenant, as in paths. */
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
const RedirectUris = z
  .array(
    z
      .string()
      .min(1)
      .max(2048)
      .refine((uri) => !uri.includes('*'), {
        error: 'expected the whole URI: wildcards are not supported (RFC 6749 §3.1.2.3)',
      }),
  )
  .max(16)

/** RFC 6749 Appendix A.1, without spaces. */
const ClientId = z.string().regex(/^[\x21-\x7e]{1,256}$/, {
  error: 'expected a client_id: printable ASCII without spaces, at most 256 characters',
})
const ClientSecret = z.string().min(4).max(256)

/** Also of a host without a dot, and with characters beyond ASCII: accounts of a test world. */
const Email = z.string().regex(/^[^\s@]{1,64}@[^\s@]{1,189}$/, {
  error: 'expected an e-mail address, such as admin@localhost',
})

/** Where the client publishes its keys for `private_key_jwt`, instead of `jwks`. */
const JwksUri = z.url({ protocol: /^https?$/ }).max(2048)

/**
 * Limits of an agent (contract §2.1). The issuer enforces those on tokens and calls; it only displays
 * the others.
 */
export const BudgetSeed = z.strictObject({
  max_tokens_per_day: z.int().nonnegative().optional(),
  max_api_calls_per_hour: z.int().nonnegative().optional(),
  max_cost_per_month_usd: z.number().nonnegative().optional(),
  allowed_models: z.array(z.string()).optional(),
  require_approval_above_usd: z.number().nonnegative().optional(),
})
export type BudgetSeed = z.infer<typeof BudgetSeed>

/** An agent of a tenant. */
export const AgentSeed = z.strictObject({
  name: Name,
  client_id: ClientId.optional(),
  /** Default: generated. */
  client_secret: ClientSecret.optional(),
  capabilities: z.array(Scope).default(['read:documents', 'write:reports']),
  /** Whether the agent may act for users: it gets `delegate:on_behalf`. */
  may_delegate: z.boolean().default(true),
  budget: BudgetSeed.optional(),
  /** Public keys for `private_key_jwt`. */
  jwks: Jwks.optional(),
  jwks_uri: JwksUri.optional(),
  /** Redirect URIs of sign-in. A loopback address matches any port (RFC 8252 §7.3). */
  redirect_uris: RedirectUris.default(['http://127.0.0.1/callback', 'http://localhost/callback']),
  /** Where a logout may redirect to. Default: the redirect URIs. */
  post_logout_redirect_uris: RedirectUris.optional(),
})
export type AgentSeed = z.infer<typeof AgentSeed>

/** A user of a tenant, with permissions such as `jit.approve`. */
export const UserSeed = z.strictObject({
  email: Email,
  name: z.string().min(1).max(128).optional(),
  permissions: z.array(z.string().min(1)).default([]),
  roles: z.array(z.string().min(1)).default([]),
  picture: z.url().optional(),
})
export type UserSeed = z.infer<typeof UserSeed>

/** A client that users sign in to, and that is not an agent. */
export const ApplicationSeed = z.strictObject({
  name: Name,
  client_id: ClientId.optional(),
  /** Default: generated, unless the application is public. */
  client_secret: ClientSecret.optional(),
  /** A public client, which cannot keep a secret: a browser or native application. */
  public: z.boolean().default(false),
  redirect_uris: RedirectUris.min(1),
  /** Where a logout may redirect to. Default: the redirect URIs. */
  post_logout_redirect_uris: RedirectUris.optional(),
  scopes: z.array(Scope).default(['read:documents', 'write:reports']),
  jwks: Jwks.optional(),
  jwks_uri: JwksUri.optional(),
})
export type ApplicationSeed = z.infer<typeof ApplicationSeed>

/** An API key of a tenant, sent as `X-API-Key`. */
export const ApiKeySeed = z.strictObject({
  name: Name,
  /** Starts with `lmk_`. Default: generated. */
  key: z.string().min(8).max(256).optional(),
  /** The agent the key represents. Default: the first agent; null: none. */
  agent: Name.nullable().optional(),
  /** E-mail address of the user who created the key. Default: the first user. */
  user: Email.optional(),
  permissions: z.array(z.string().min(1)).default([]),
})
export type ApiKeySeed = z.infer<typeof ApiKeySeed>

/** An MCP server of a tenant: an audience for which agents get tokens. */
export const McpServerSeed = z.strictObject({
  server_id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/)
    .optional(),
  resource_uri: z.url({ protocol: /^https?$/ }),
  name: z.string().min(1).max(128),
  description: z.string().max(1024).default(''),
  scopes: z.array(Scope).default(['mcp:read', 'mcp:write']),
  token_lifetime: z.int().min(60).max(86_400).default(3600),
  /** Names of the agents that may get its tokens. Absent: all. */
  agents: z.array(Name).optional(),
})
export type McpServerSeed = z.infer<typeof McpServerSeed>

/** A workload that authenticates with a token of its platform. */
export const WorkloadSeed = z.strictObject({
  provider: z.enum(['kubernetes', 'aws', 'gcp', 'azure', 'oidc']).default('kubernetes'),
  issuer: z.url(),
  subject: z.string().min(1).max(512),
  /** The name of the workload's agent. */
  agent: Name,
  /** The keys of the platform. `generate`: the harness simulates the platform. */
  jwks: z.union([Jwks, z.literal('generate')]).default('generate'),
})
export type WorkloadSeed = z.infer<typeof WorkloadSeed>

/** An account at another provider, whose tokens agents get from the token vault. */
export const ConnectionSeed = z.strictObject({
  connection_id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
  name: z.string().min(1).max(128),
  provider: z.string().min(1).max(64),
  provider_label: z.string().min(1).max(128).optional(),
  scopes: z.array(Scope).default([]),
  /** E-mails of the users who have linked their account; absent: the account is the tenant's own. */
  users: z.array(Email).optional(),
  /** Names of the agents that may have its tokens; absent: all. */
  agents: z.array(Name).optional(),
  /** Absent: one is made. */
  access_token: z.string().min(1).max(4096).optional(),
  /** Seconds; null: its tokens do not expire. */
  token_lifetime: z.int().min(60).max(86_400).nullable().default(3600),
})
export type ConnectionSeed = z.infer<typeof ConnectionSeed>

/**
 * When a scripted approver answers: immediately, after N status polls, or after a duration. With
 * `ignore` the approver never answers.
 */
export const ApproverScript = z
  .strictObject({
    decision: z.enum(['approve', 'deny', 'ignore']),
    after_polls: z.int().nonnegative().default(0),
    after: Duration.default(0),
    reason: z.string().max(4096).optional(),
    ttl: z.int().min(1).max(900).optional(),
    /** E-mail address of the approver. Default: the first user with `jit.approve`. */
    by: Email.optional(),
  })
  .meta({ id: 'ApproverScript' })
export type ApproverScript = z.infer<typeof ApproverScript>

const Fields = z.strictObject({
  tenant: Slug.optional(),
  name: z.string().min(1).max(128).optional(),
  /** `system`, or the time at which the tenant's own clock stops. */
  clock: z.union([z.literal('system'), z.iso.datetime()]).default('system'),
  /** Tenants with the same seed get the same ids and secrets. */
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
  connections: z.array(ConnectionSeed).max(100).default([]),
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
  /**
   * The script of the model. Absent: the model reads doc_9982, writes a report about it, and summarises
   * it.
   */
  model: ModelScript.optional(),
  /** Misbehaviours that are on from the start. */
  misbehave: z.array(BeginningMisbehaviour).max(100).default([]),
})

/** Rejects duplicate names, and references to unknown names. */
const refuseContradictions = (seed: Named, { addIssue }: z.RefinementCtx): void => {
  for (const [path, message] of contradictionsIn(seed)) {
    addIssue({ code: 'custom', path: [...path], message })
  }
}

/** A whole tenant; also the format of `start --config`. */
export const TenantSeed = Fields.superRefine(refuseContradictions).meta({ id: 'TenantSeed' })
export type TenantSeed = z.infer<typeof TenantSeed>

/** The tenant of a scenario: everything except its name and the seed of its ids. */
export const ScenarioSeed = Fields.omit({ tenant: true, seed: true }).superRefine(
  refuseContradictions,
)

type Place = readonly (string | number)[]
type Contradiction = readonly [path: Place, message: string]

type Named = Pick<
  z.infer<typeof Fields>,
  'agents' | 'users' | 'applications' | 'api_keys' | 'mcp_servers' | 'documents' | 'workload'
>

const contradictionsIn = (seed: Named): Contradiction[] => {
  const { agents, users, applications, api_keys, mcp_servers, documents, workload } = seed
  const agentNames = new Set(agents.map(({ name }) => name))
  const clientOf = (it: Readonly<{ name: string; client_id?: string | undefined }>) =>
    it.client_id ?? it.name
  const named = (path: Place, name: string | null | undefined): Contradiction[] =>
    typeof name !== 'string' || agentNames.has(name)
      ? []
      : [[path, `expected the name of an agent of this tenant, received "${name}"`]]
  return [
    ...repeated('an agent', agents, ({ name }, at) => [['agents', at, 'name'], name]),
    ...repeated(
      'a client_id',
      [
        ...agents.map((it, at) => [['agents', at], clientOf(it)] as const),
        ...applications.map((it, at) => [['applications', at], clientOf(it)] as const),
      ],
      ([path, id]) => [path, id],
      reservedClients,
    ),
    ...repeated('a user', users, ({ email }, at) => [
      ['users', at, 'email'],
      email.split('@', 1)[0] ?? '',
    ]),
    ...repeated('an API key', api_keys, ({ name }, at) => [['api_keys', at, 'name'], name]),
    ...repeated('an MCP server', mcp_servers, ({ server_id }, at) => [
      ['mcp_servers', at, 'server_id'],
      server_id,
    ]),
    ...repeated('a document', documents, ({ id }, at) => [['documents', at, 'id'], id]),
    ...api_keys.flatMap(({ agent }, at) => named(['api_keys', at, 'agent'], agent)),
    ...api_keys.flatMap(({ user }, at): Contradiction[] =>
      user === undefined || users.some(({ email }) => email === user)
        ? []
        : [
            [
              ['api_keys', at, 'user'],
              `expected the e-mail address of a user of this tenant, received "${user}"`,
            ],
          ],
    ),
    ...workload.flatMap(({ agent }, at) => named(['workload', at, 'agent'], agent)),
    ...mcp_servers.flatMap((it, at) =>
      (it.agents ?? []).flatMap((name, of) => named(['mcp_servers', at, 'agents', of], name)),
    ),
  ]
}

/** Clients of the harness itself: the documents API, and the control plane where it mints tokens. */
const reservedClients = ['documents-api', 'control-plane']

const repeated = <T>(
  what: string,
  items: readonly T[],
  nameOf: (item: T, at: number) => readonly [path: Place, name: string | undefined],
  reserved: readonly string[] = [],
): Contradiction[] => {
  const seen = new Set<string>()
  return items.flatMap((item, at): Contradiction[] => {
    const [path, name] = nameOf(item, at)
    if (name === undefined) return []
    if (reserved.includes(name)) return [[path, `"${name}" is reserved: choose another client_id`]]
    if (seen.has(name)) return [[path, `expected each name once: "${name}" is ${what} already`]]
    seen.add(name)
    return []
  })
}
