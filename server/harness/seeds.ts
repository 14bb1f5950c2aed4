import type {
  Agent,
  ApiKey,
  Budget,
  Client,
  EventOf,
  McpServer,
  User,
  WorkloadTrust,
} from '../issuer/event.ts'
import type { Clock, Ids } from '../issuer/tenant.ts'
import type { SigningKey } from '../signing/keys.ts'
import { hashSecret } from '../signing/secrets.ts'
import type { BudgetSeed, TenantSeed } from '../wire/index.ts'

/** The client with which the API introspects tokens. */
export const apiClientId = 'documents-api'

/**
 * A tenant's seed as an event, and the generated secrets, which only the creator of the tenant
 * receives.
 */
export type Seeded = Readonly<{
  event: EventOf<'tenant.seeded'>
  /** By client id; of API keys by `api key NAME`; the one for callbacks by `webhook secret`. */
  secrets: ReadonlyMap<string, string>
  /** The keys of the simulated platforms, by issuer. */
  platforms: ReadonlyMap<string, SigningKey>
}>

/** The key of the callback secret in the map of secrets. */
export const webhookSecret = 'webhook secret'

/** The key of the model's secret in the map of secrets. */
export const modelSecret = 'model secret'

/**
 * How secrets of clients and API keys are generated: at random, or the same at every start (and then
 * they are not secret).
 */
export type ClientSecrets = 'fresh' | 'fixed'

export const keySecret = (name: string): string => `api key ${name}`

/**
 * @param known secrets that a reset keeps
 * @param platformKey signs for every simulated platform: a platform has the same key for all customers,
 * and generating a key takes longer than creating a tenant may
 * @param clientSecrets how to generate secrets that the seed does not contain; a tenant with a `seed`
 * derives its own
 */
export const seedTenant = (
  seed: TenantSeed,
  slug: string,
  clock: Clock,
  id: Ids,
  {
    known,
    platformKey,
    clientSecrets = 'fresh',
  }: Readonly<{
    known: ReadonlyMap<string, string>
    platformKey: SigningKey
    clientSecrets?: ClientSecrets | undefined
  }>,
): Seeded => {
  const secrets = new Map<string, string>()
  const platforms = new Map<string, SigningKey>()
  const secretOf = (name: string, given: string | undefined, make: () => string) => {
    const secret = given ?? known.get(name) ?? make()
    secrets.set(name, secret)
    return hashSecret(secret)
  }
  const fresh = (prefix: string) => () => id(prefix) + id('')
  const isFixed = clientSecrets === 'fixed' && seed.seed === undefined
  const notSecret = (name: string) => `not-secret-${slug}-${name}`
  const client = (clientId: string, given?: string) => ({
    clientId,
    secretHash: secretOf(clientId, given, isFixed ? () => notSecret(clientId) : fresh('secret')),
  })
  const platform = (issuer: string) => {
    platforms.set(issuer, platformKey)
    return [platformKey.publicJwk]
  }

  const agents = [
    ...seed.agents.map(
      (it): Agent => ({
        id: `agt_${it.name}`,
        name: it.name,
        capabilities: it.capabilities,
        mayDelegate: it.may_delegate,
        ...(it.budget === undefined ? {} : { budget: budgetOf(it.budget) }),
        redirectUris: it.redirect_uris,
        ...logoutUrisOf(it),
        ...keysOf(it),
        ...client(it.client_id ?? it.name, it.client_secret),
      }),
    ),
    {
      id: `rs_${slug}`,
      name: apiClientId,
      capabilities: [],
      mayDelegate: false,
      resourceServer: true,
      ...client(apiClientId),
    } satisfies Agent,
  ]
  const userIdOf = (email: string) =>
    `user:${(email.split('@', 1)[0] ?? '').replace(/[^!-~]+/g, encodeURIComponent)}`
  const agentId = (name: string | undefined) => `agt_${name ?? seed.agents[0]?.name}`
  const ownerOf = (email: string | undefined) =>
    email === undefined ? {} : { userId: userIdOf(email) }
  const event: EventOf<'tenant.seeded'> = {
    type: 'tenant.seeded',
    agents,
    users: seed.users.map(
      (it): User => ({
        id: userIdOf(it.email),
        email: it.email,
        name: it.name ?? it.email,
        permissions: it.permissions,
        roles: it.roles,
        updatedAt: clock.now(),
        ...(it.picture === undefined ? {} : { picture: it.picture }),
      }),
    ),
    applications: seed.applications.map((it): Client => {
      const clientId = it.client_id ?? it.name
      const keys = keysOf(it)
      const onlyKeys = Object.keys(keys).length > 0 && it.client_secret === undefined
      return {
        name: it.name,
        capabilities: it.scopes,
        redirectUris: it.redirect_uris,
        ...logoutUrisOf(it),
        ...keys,
        ...(it.public || onlyKeys ? { clientId } : client(clientId, it.client_secret)),
      }
    }),
    apiKeys: seed.api_keys.map(
      (it): ApiKey => ({
        name: it.name,
        hash: secretOf(
          keySecret(it.name),
          it.key,
          isFixed ? () => `lmk_${notSecret(it.name)}` : fresh('lmk'),
        ),
        permissions: it.permissions,
        ...(it.agent === null ? {} : { agentId: agentId(it.agent) }),
        ...ownerOf(it.user ?? seed.users[0]?.email),
      }),
    ),
    mcpServers: seed.mcp_servers.map(
      (it): McpServer => ({
        id: it.server_id ?? `mcp_${(id('') + id('')).replaceAll('_', '').slice(0, 24)}`,
        name: it.name,
        description: it.description,
        resourceUri: it.resource_uri,
        scopes: it.scopes,
        tokenLifetime: it.token_lifetime,
        createdAt: clock.now(),
        ...(it.agents === undefined ? {} : { agents: it.agents.map(agentId) }),
      }),
    ),
    workloads: seed.workload.map(
      (it): WorkloadTrust => ({
        provider: it.provider,
        issuer: it.issuer,
        subject: it.subject,
        agentId: agentId(it.agent),
        keys: it.jwks === 'generate' ? platform(it.issuer) : it.jwks.keys,
      }),
    ),
  }
  secretOf(webhookSecret, undefined, fresh('whsec'))
  secretOf(modelSecret, undefined, fresh('model'))
  return { event, secrets, platforms }
}

const logoutUrisOf = ({
  post_logout_redirect_uris: uris,
}: Readonly<{ post_logout_redirect_uris?: readonly string[] | undefined }>) =>
  uris === undefined ? {} : { logoutUris: uris }

const keysOf = ({
  jwks,
  jwks_uri: jwksUri,
}: Pick<TenantSeed['applications'][number], 'jwks' | 'jwks_uri'>): Pick<
  Client,
  'keys' | 'jwksUri'
> => ({
  ...(jwks === undefined ? {} : { keys: jwks.keys }),
  ...(jwksUri === undefined ? {} : { jwksUri }),
})

const budgetOf = (seed: BudgetSeed): Budget => ({
  ...(seed.max_tokens_per_day === undefined ? {} : { tokensPerDay: seed.max_tokens_per_day }),
  ...(seed.max_api_calls_per_hour === undefined
    ? {}
    : { callsPerHour: seed.max_api_calls_per_hour }),
  ...(seed.max_cost_per_month_usd === undefined
    ? {}
    : { costPerMonth: seed.max_cost_per_month_usd }),
  ...(seed.allowed_models === undefined ? {} : { models: seed.allowed_models }),
  ...(seed.require_approval_above_usd === undefined
    ? {}
    : { approvalAbove: seed.require_approval_above_usd }),
})
