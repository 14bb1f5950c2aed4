import { z } from 'zod'
import { Dialect } from './dialect.ts'
import { DocumentSeed } from './document.ts'
import { Duration } from './duration.ts'
import { BeginningMisbehaviour } from './misbehaviour.ts'
import { ModelScript } from './model.ts'
import { Policy } from './policy.ts'
import { RateLimits } from './rate-limits.ts'
import { ReportSeed } from './report.ts'
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
    .array(z.looseObject({ kty: z.string().describe('The type of the key, such as EC.') }))
    .min(1)
    .max(8)
    .describe('The keys (RFC 7517).'),
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
 * Limits of an agent (CONTRACT.md#budgets). The issuer enforces those on tokens and calls; it only
 * displays the others.
 */
export const BudgetSeed = z.strictObject({
  max_tokens_per_day: z
    .int()
    .nonnegative()
    .optional()
    .describe('How many tokens the agent gets a day; more get 429 `budget_exceeded`.'),
  max_api_calls_per_hour: z
    .int()
    .nonnegative()
    .optional()
    .describe(
      'How many calls of the issuer the agent makes an hour; more get 429 `budget_exceeded`.',
    ),
  max_cost_per_month_usd: z
    .number()
    .nonnegative()
    .optional()
    .describe('Shown to the agent; the issuer does not count it.'),
  allowed_models: z
    .array(z.string())
    .optional()
    .describe('Shown to the agent; the issuer does not check it.'),
  require_approval_above_usd: z
    .number()
    .nonnegative()
    .optional()
    .describe('Shown to the agent; the issuer does not check it.'),
})
export type BudgetSeed = z.infer<typeof BudgetSeed>

/** An agent of a tenant. */
export const AgentSeed = z.strictObject({
  name: Name.describe('The name of the agent in policies, tokens and on pages.'),
  client_id: ClientId.optional().describe('The OAuth client id. Default: the name.'),
  client_secret: ClientSecret.optional().describe(
    'The client secret, at least 4 characters. Default: generated.',
  ),
  capabilities: z
    .array(Scope)
    .default(['read:documents', 'write:reports'])
    .describe('The scopes the agent may request.'),
  may_delegate: z
    .boolean()
    .default(true)
    .describe('Whether the agent may act for users: it gets `delegate:on_behalf`.'),
  budget: BudgetSeed.optional().describe('Limits of the agent.'),
  jwks: Jwks.optional().describe('Public keys for `private_key_jwt`.'),
  jwks_uri: JwksUri.optional().describe(
    'Where the client publishes its keys for `private_key_jwt`, instead of `jwks`.',
  ),
  post_logout_redirect_uris: RedirectUris.optional().describe(
    'Where a logout may redirect to. Default: the redirect URIs.',
  ),
  redirect_uris: RedirectUris.default([
    'http://127.0.0.1/callback',
    'http://localhost/callback',
  ]).describe('Redirect URIs of sign-in. A loopback address matches any port (RFC 8252 §7.3).'),
})
export type AgentSeed = z.infer<typeof AgentSeed>

/** A user of a tenant, with permissions such as `jit.approve`. */
export const UserSeed = z.strictObject({
  email: Email.describe(
    'The e-mail address, by which the user signs in; the part before @ is the id.',
  ),
  name: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe('The name on pages. Default: made of the e-mail address.'),
  permissions: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Permissions such as `jit.approve` (decides requests), `agents.manage`, `settings.manage`.',
    ),
  roles: z
    .array(z.string().min(1))
    .default([])
    .describe('Roles in userinfo and permission checks.'),
  picture: z.url().optional().describe('The URL of a picture in userinfo.'),
})
export type UserSeed = z.infer<typeof UserSeed>

/** A client that users sign in to, and that is not an agent. */
export const ApplicationSeed = z.strictObject({
  name: Name.describe('The name of the application on the consent page.'),
  client_id: ClientId.optional().describe('The OAuth client id. Default: the name.'),
  client_secret: ClientSecret.optional().describe(
    'The client secret. Default: generated, unless the application is public.',
  ),
  public: z
    .boolean()
    .default(false)
    .describe(
      'Whether it is a public client, which cannot keep a secret: a browser or native application.',
    ),
  redirect_uris: RedirectUris.min(1).describe(
    'Where users may be redirected; a loopback address matches any port.',
  ),
  scopes: z
    .array(Scope)
    .default(['read:documents', 'write:reports'])
    .describe('The scopes it may request.'),
  jwks: Jwks.optional().describe('Public keys for `private_key_jwt`.'),
  jwks_uri: JwksUri.optional().describe(
    'Where the client publishes its keys for `private_key_jwt`, instead of `jwks`.',
  ),
  post_logout_redirect_uris: RedirectUris.optional().describe(
    'Where a logout may redirect to. Default: the redirect URIs.',
  ),
})
export type ApplicationSeed = z.infer<typeof ApplicationSeed>

/** An API key of a tenant, sent as `X-API-Key`. */
export const ApiKeySeed = z.strictObject({
  name: Name.describe('The name of the key.'),
  key: z
    .string()
    .min(8)
    .max(256)
    .optional()
    .describe('The key itself, which starts with `lmk_`. Default: generated.'),
  agent: Name.nullable()
    .optional()
    .describe('The agent the key represents. Default: the first agent; null: none.'),
  user: Email.optional().describe(
    'E-mail address of the user who created the key. Default: the first user.',
  ),
  permissions: z
    .array(z.string().min(1))
    .default([])
    .describe('Permissions of the key in permission checks.'),
})
export type ApiKeySeed = z.infer<typeof ApiKeySeed>

/** An MCP server of a tenant: an audience for which agents get tokens. */
export const McpServerSeed = z.strictObject({
  server_id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/)
    .optional()
    .describe('The id of the server. Default: `mcp_` and 24 hexadecimal digits.'),
  resource_uri: z
    .url({ protocol: /^https?$/ })
    .describe('The URL of the server, the `aud` of its tokens.'),
  name: z.string().min(1).max(128).describe('The name in the list of servers.'),
  description: z.string().max(1024).default('').describe('A text in the list of servers.'),
  scopes: z
    .array(Scope)
    .default(['mcp:read', 'mcp:write'])
    .describe('The scopes the server supports.'),
  token_lifetime: z
    .int()
    .min(60)
    .max(86_400)
    .default(3600)
    .describe('Lifetime of its tokens, in seconds.'),
  agents: z
    .array(Name)
    .optional()
    .describe('Names of the agents that may get its tokens. Absent: all.'),
})
export type McpServerSeed = z.infer<typeof McpServerSeed>

/** A workload that authenticates with a token of its platform. */
export const WorkloadSeed = z.strictObject({
  provider: z
    .enum(['kubernetes', 'aws', 'gcp', 'azure', 'oidc'])
    .default('kubernetes')
    .describe('The platform, as `subject_issuer` names it.'),
  issuer: z.url().describe('The `iss` of the platform’s tokens.'),
  subject: z.string().min(1).max(512).describe('The `sub` of the workload’s tokens.'),
  agent: Name.describe('The name of the workload’s agent.'),
  jwks: z
    .union([Jwks, z.literal('generate')])
    .default('generate')
    .describe('The keys of the platform. `generate`: the harness plays the platform.'),
})
export type WorkloadSeed = z.infer<typeof WorkloadSeed>

/** An account at another provider, whose tokens agents get from the token vault. */
export const ConnectionSeed = z.strictObject({
  connection_id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
    .describe('The id of the connection in paths.'),
  name: z.string().min(1).max(128).describe('The name of the account.'),
  provider: z.string().min(1).max(64).describe('The id of the provider, such as `github`.'),
  provider_label: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe('The name of the provider for people.'),
  scopes: z.array(Scope).default([]).describe('The scopes of its tokens.'),
  users: z
    .array(Email)
    .optional()
    .describe(
      'E-mail addresses of the users who have linked their account. Absent: the account is the tenant’s own.',
    ),
  agents: z
    .array(Name)
    .optional()
    .describe('Names of the agents that may have its tokens. Absent: all.'),
  access_token: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .describe('The token of the provider. Absent: generated.'),
  token_lifetime: z
    .int()
    .min(60)
    .max(86_400)
    .nullable()
    .default(3600)
    .describe('Lifetime of its tokens, in seconds; null: they do not expire.'),
})
export type ConnectionSeed = z.infer<typeof ConnectionSeed>

/**
 * When a scripted approver answers: immediately, after N status polls, or after a duration. With
 * `ignore` the approver never answers.
 */
export const ApproverScript = z
  .strictObject({
    decision: z
      .enum(['approve', 'deny', 'ignore'])
      .describe('What the approver does: approve, deny, or ignore the request.'),
    after_polls: z
      .int()
      .nonnegative()
      .default(0)
      .describe('Decides once the agent has polled the status this many times.'),
    after: Duration.default(0).describe(
      'Decides once this much time of the tenant’s clock has passed since the request.',
    ),
    reason: z.string().max(4096).optional().describe('The text of a denial.'),
    ttl: z
      .int()
      .min(1)
      .max(900)
      .optional()
      .describe('Shortens the lifetime of what is approved, in seconds.'),
    by: Email.optional().describe(
      'E-mail address of the approver. Default: the first user with `jit.approve`.',
    ),
  })
  .meta({ id: 'ApproverScript' })
export type ApproverScript = z.infer<typeof ApproverScript>

const Fields = z.strictObject({
  tenant: Slug.optional().describe('The slug of the tenant in paths. Default: generated.'),
  name: z.string().min(1).max(128).optional().describe('A name for people.'),
  clock: z
    .union([z.literal('system'), z.iso.datetime()])
    .default('system')
    .describe('`system`, or the time at which the tenant’s own clock stands until it is advanced.'),
  seed: z.int().optional().describe('Tenants with the same seed get the same ids and secrets.'),
  agents: z
    .array(AgentSeed)
    .min(1)
    .max(1000)
    .prefault([{ name: 'report-bot' }])
    .describe('The agents: OAuth clients that act alone or for a user.'),
  users: z
    .array(UserSeed)
    .max(1000)
    .prefault([
      { email: 'approver@example.com', name: 'Ada Approver', permissions: ['jit.approve'] },
      { email: 'alice@example.com', name: 'Alice Analyst' },
    ])
    .describe('The users. One with `jit.approve` decides requests.'),
  applications: z
    .array(ApplicationSeed)
    .max(1000)
    .default([])
    .describe('Clients that users sign in to and that are no agents.'),
  api_keys: z
    .array(ApiKeySeed)
    .max(1000)
    .prefault([{ name: 'backend' }])
    .describe('API keys, sent as `X-API-Key`.'),
  mcp_servers: z
    .array(McpServerSeed)
    .max(1000)
    .default([])
    .describe('MCP servers for which agents get tokens.'),
  workload: z
    .array(WorkloadSeed)
    .max(100)
    .default([])
    .describe('Workloads that authenticate with a token of their platform.'),
  connections: z
    .array(ConnectionSeed)
    .max(100)
    .default([])
    .describe('Accounts at other providers, whose tokens agents get from the token vault.'),
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
    ])
    .describe('The documents of the API.'),
  reports: z
    .array(ReportSeed)
    .max(1000)
    .prefault([
      {
        id: 'FY2024-Q4',
        title: 'Financial report FY2024 Q4',
        content: 'Revenue 48.1 million, costs 31.2 million, profit 16.9 million.',
      },
    ])
    .describe('The reports of the API.'),
  policy: Policy.optional().describe(
    'The policy that decides requests. Absent: the table of LumoAuth’s documentation.',
  ),
  dialect: Dialect.prefault({}).describe('Which of LumoAuth’s documented forms the tenant uses.'),
  rate_limits: RateLimits.prefault({}).describe(
    'Calls per window, by group of routes. Absent groups have no limit.',
  ),
  approver: ApproverScript.optional().describe(
    'How a scripted approver answers. Absent: a person decides, on the approvals page or through the API.',
  ),
  model: ModelScript.optional().describe(
    'What the scripted model says. Absent: it reads doc_9982, writes a report about it, and summarises it.',
  ),
  misbehave: z
    .array(BeginningMisbehaviour)
    .max(100)
    .default([])
    .describe('Misbehaviours that are on from the first exchange.'),
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
  | 'agents'
  | 'users'
  | 'applications'
  | 'api_keys'
  | 'mcp_servers'
  | 'documents'
  | 'reports'
  | 'workload'
>

const contradictionsIn = (seed: Named): Contradiction[] => {
  const { agents, users, applications, api_keys, mcp_servers, documents, reports, workload } = seed
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
    ...repeated('a report', reports, ({ id }, at) => [['reports', at, 'id'], id]),
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
