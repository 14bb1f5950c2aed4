import { z } from 'zod'
import { AuthorizationDetail, Dialect, Duration } from '../../../server/wire/index.ts'

/** The name of an environment variable. Secrets come from the environment only. */
const Variable = z
  .string()
  .regex(/^[A-Za-z_]\w*$/, { error: 'expected the name of an environment variable' })

const HttpUrl = z.url({ protocol: /^https?$/, error: 'expected an http(s) URL' })

const Client = {
  client_id: z.string().min(1).optional().describe('The client id itself, where it is not secret.'),
  client_id_env: Variable.optional().describe('The variable that holds the client id.'),
  client_secret_env: Variable.describe('The variable that holds the client secret.'),
}

const hasId = (it: { client_id?: string | undefined; client_id_env?: string | undefined }) =>
  (it.client_id === undefined) !== (it.client_id_env === undefined)

const wantsId = { error: 'expected client_id or client_id_env' }

const AgentAccess = z
  .strictObject({
    name: z.string().min(1).describe('Its name at the issuer.'),
    ...Client,
    scope: z
      .string()
      .min(1)
      .optional()
      .describe('Requested with each client_credentials; default none.'),
    resource: z
      .string()
      .min(1)
      .optional()
      .describe('RFC 8707, requested with each client_credentials.'),
    capabilities: z.array(z.string().min(1)).optional().describe('Its registered scopes.'),
    may_delegate: z.boolean().optional().describe('Whether it has the right to delegate.'),
  })
  .refine(hasId, wantsId)

const PersonAccess = z.strictObject({
  email: z.email().describe('E-mail address of the user.'),
  token_env: Variable.describe('The variable that holds an access token of this user.'),
  permissions: z
    .array(z.string().min(1))
    .default([])
    .describe('Permissions of the user, such as `jit.approve`.'),
})

/** The dialect switches, all optional. */
const Switches = z.strictObject(
  Object.fromEntries(
    Object.entries(Dialect.shape).map(([name, choice]) => [
      name,
      choice
        .unwrap()
        .optional()
        .describe(choice.description ?? ''),
    ]),
  ),
) as unknown as z.ZodType<Partial<Dialect>, Partial<Dialect>>

/** One route of an API. */
const ApiRoute = z.strictObject({
  request: z
    .string()
    .regex(/^(GET|POST|PUT|PATCH|DELETE) \/\S*$/, {
      error: 'expected METHOD /path, such as GET /v1/documents/doc_1',
    })
    .describe('A request that succeeds with a sufficient token.'),
  json: z.unknown().optional().describe('Its body.'),
  requires: AuthorizationDetail.describe('The authorization detail it requires.'),
  foreign: z
    .string()
    .regex(/^\/\S*$/)
    .optional()
    .describe('The path of another resource of the route, which the same token must not access.'),
})
export type ApiRoute = z.infer<typeof ApiRoute>

/**
 * What may be changed at a deployment with `--allow-writes`: denied requests, registered clients
 * and agents, signal streams, data of the API, and effects of unknown calls.
 */
export const writings = ['deny', 'register', 'streams', 'api', 'other'] as const
export type Writing = (typeof writings)[number]

const Limits = z.strictObject({
  requests_per_minute: z
    .int()
    .min(1)
    .max(60_000)
    .default(600)
    .describe('Maximum number of requests a minute.'),
  requests: z
    .int()
    .min(1)
    .default(5000)
    .describe('Maximum number of requests, without those for cleaning up.'),
  wait: Duration.default(10).describe('The longest real wait in place of an advance.'),
  timeout: Duration.default(10).describe('Timeout of an answer.'),
  person: Duration.default(300).describe('How long a person has to decide (approver: manual).'),
})

/** `target.yaml`: a deployment for `check`, and its limits. */
export const TargetFile = z
  .strictObject({
    name: z.string().min(1).max(64).optional().describe('Its name in reports.'),
    issuer: z
      .strictObject({
        url: HttpUrl.describe('Origin of the issuer; with prefix none, its issuer identifier.'),
        tenant: z
          .string()
          .min(1)
          .optional()
          .describe('The slug of the organisation at the issuer.'),
        prefix: z
          .enum(['auto', 'tenant', 'org', 'none'])
          .default('auto')
          .describe('/t/TENANT/api/v1, /orgs/TENANT/api/v1, or neither; auto tries both.'),
        profile: z
          .enum(['lumoauth', 'oauth'])
          .default('lumoauth')
          .describe('What it is checked as: LumoAuth, or any OAuth 2 server.'),
        dialect: Switches.default({}).describe(
          'Dialect switches known to differ from the default.',
        ),
      })
      .refine(({ prefix, tenant }) => prefix === 'none' || tenant !== undefined, {
        error: 'expected tenant, or prefix: none',
      })
      .optional()
      .describe('The issuer under test.'),
    agents: z
      .array(AgentAccess)
      .min(1)
      .optional()
      .describe(
        'Agents of the tenant. The first is the usual one; scenarios about two agents take a second.',
      ),
    api_client: z
      .strictObject(Client)
      .refine(hasId, wantsId)
      .optional()
      .describe('The client an API introspects with; default the first agent.'),
    users: z
      .array(PersonAccess)
      .default([])
      .describe('Users of the tenant, with the variables of their tokens.'),
    approver: z
      .enum(['token', 'manual', 'none'])
      .optional()
      .describe(
        'How requests are decided: with the token of an approver, by a person who is asked, or not at all.',
      ),
    elsewhere: z
      .strictObject({
        tenant: z.string().min(1).describe('The slug of the other tenant.'),
        agents: z.array(AgentAccess).min(1).describe('Agents of the other tenant.'),
        api_client: z
          .strictObject(Client)
          .refine(hasId, wantsId)
          .optional()
          .describe('The client with which an API introspects there.'),
      })
      .optional()
      .describe('Another tenant at the same issuer, to check isolation.'),
    api: z
      .strictObject({
        url: HttpUrl.optional().describe('URL of the API under test, or its URL at the issuer.'),
        audience: z
          .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
          .optional()
          .describe('The aud of tokens for it.'),
        routes: z.array(ApiRoute).min(1).optional().describe('The routes that check api calls.'),
        challenge: z
          .enum(['lumo', 'rar-04', 'wg-00'])
          .default('lumo')
          .describe('Its challenge format.'),
        revocation: z
          .enum(['introspection', 'expiry'])
          .default('introspection')
          .describe('Whether it introspects each token, or accepts it until exp.'),
      })
      .prefault({})
      .describe('The API under test, or the one whose tokens the issuer issues.'),
    writes: z
      .array(z.enum(writings))
      .default([...writings])
      .describe('The writes that --allow-writes allows.'),
    limits: Limits.prefault({}).describe('Limits of a check, so that it does no harm.'),
    hosts: z
      .array(z.string().min(1))
      .default([])
      .describe('Allowed https hosts in addition to those of issuer and API; origins for http.'),
  })
  .meta({ id: 'TargetFile' })
export type TargetFile = z.infer<typeof TargetFile>

/** The JSON Schema of `target.yaml`, for editors. */
export const targetSchema = (): object => ({
  ...z.toJSONSchema(TargetFile, { io: 'input', unrepresentable: 'any' }),
  title: 'A target of lumoauth-harness check',
})

/** Every environment variable a target needs. */
export const variablesOf = ({ agents = [], api_client, users, elsewhere }: TargetFile): string[] =>
  [
    ...[...agents, ...(elsewhere?.agents ?? []), api_client, elsewhere?.api_client]
      .filter((it) => it !== undefined)
      .flatMap(({ client_id_env, client_secret_env }) => [client_id_env, client_secret_env]),
    ...users.map(({ token_env }) => token_env),
  ].filter((name) => name !== undefined)
