import { z } from 'zod'
import { AuthorizationDetail, Dialect, Duration } from '../../../server/wire/index.ts'

/** The name of an environment variable. Secrets come from the environment only. */
const Variable = z
  .string()
  .regex(/^[A-Za-z_]\w*$/, { error: 'expected the name of an environment variable' })

const HttpUrl = z.url({ protocol: /^https?$/, error: 'expected an http(s) URL' })

const Client = {
  client_id: z.string().min(1).optional().describe('Where it is no secret.'),
  client_id_env: Variable.optional().describe('The variable that holds the client id.'),
  client_secret_env: Variable.describe('The variable that holds the client secret.'),
}

const hasId = (it: { client_id?: string | undefined; client_id_env?: string | undefined }) =>
  (it.client_id === undefined) !== (it.client_id_env === undefined)

const wantsId = { error: 'expected client_id or client_id_env' }

const AgentAccess = z
  .strictObject({
    name: z.string().min(1).describe('What the issuer calls it.'),
    ...Client,
    scope: z.string().min(1).optional().describe('Asked for at each sign-in; default none.'),
    resource: z.string().min(1).optional().describe('RFC 8707, asked for at each sign-in.'),
    capabilities: z.array(z.string().min(1)).optional().describe('What it is registered for.'),
    may_delegate: z.boolean().optional().describe('Whether it may act for users.'),
  })
  .refine(hasId, wantsId)

const PersonAccess = z.strictObject({
  email: z.email(),
  token_env: Variable.describe('The variable that holds an access token of this person.'),
  permissions: z.array(z.string().min(1)).default([]),
})

/** The dialect switches, all optional. */
const Switches = z.strictObject(
  Object.fromEntries(
    Object.entries(Dialect.shape).map(([name, choice]) => [name, choice.unwrap().optional()]),
  ),
) as unknown as z.ZodType<Partial<Dialect>, Partial<Dialect>>

/** One route of an API. */
const ApiRoute = z.strictObject({
  request: z
    .string()
    .regex(/^(GET|POST|PUT|PATCH|DELETE) \/\S*$/, {
      error: 'expected METHOD /path, such as GET /v1/documents/doc_1',
    })
    .describe('A request that succeeds with the right token.'),
  json: z.unknown().optional().describe('Its body.'),
  requires: AuthorizationDetail.describe('The authorization detail it takes.'),
  foreign: z
    .string()
    .regex(/^\/\S*$/)
    .optional()
    .describe(
      'The path of the same route for another resource, which the same token must not open.',
    ),
})
export type ApiRoute = z.infer<typeof ApiRoute>

/**
 * What may be changed at a deployment with `--allow-writes`: denied requests, registered clients
 * and agents, signal streams, data of the API, and effects of unknown calls.
 */
export const writings = ['deny', 'register', 'streams', 'api', 'other'] as const
export type Writing = (typeof writings)[number]

const Limits = z.strictObject({
  requests_per_minute: z.int().min(1).max(60_000).default(600),
  requests: z.int().min(1).default(5000).describe('In all, but for completing what was opened.'),
  wait: Duration.default(10).describe('The longest real wait, where the mock would move time.'),
  timeout: Duration.default(10).describe('How long an answer may take.'),
  person: Duration.default(300).describe('How long a person may take (approver: manual).'),
})

/** `target.yaml`: a deployment for `check`, and its limits. */
export const TargetFile = z
  .strictObject({
    name: z.string().min(1).max(64).optional().describe('What reports call it.'),
    issuer: z
      .strictObject({
        url: HttpUrl.describe('Origin of the issuer; with prefix none, its issuer identifier.'),
        tenant: z.string().min(1).optional(),
        prefix: z
          .enum(['auto', 'tenant', 'org', 'none'])
          .default('auto')
          .describe('/t/TENANT/api/v1, /orgs/TENANT/api/v1, or neither; auto tries both.'),
        profile: z
          .enum(['lumoauth', 'oauth'])
          .default('lumoauth')
          .describe('What it claims to be: LumoAuth, or any OAuth 2 server.'),
        dialect: Switches.default({}).describe(
          'Dialect switches known to differ from the default.',
        ),
      })
      .refine(({ prefix, tenant }) => prefix === 'none' || tenant !== undefined, {
        error: 'expected tenant, or prefix: none',
      })
      .optional(),
    agents: z.array(AgentAccess).min(1).optional(),
    api_client: z
      .strictObject(Client)
      .refine(hasId, wantsId)
      .optional()
      .describe('The client an API introspects with; default the first agent.'),
    users: z.array(PersonAccess).default([]),
    approver: z
      .enum(['token', 'manual', 'none'])
      .optional()
      .describe('Who decides: a person’s token, a person who is told where, or nobody.'),
    elsewhere: z
      .strictObject({
        tenant: z.string().min(1),
        agents: z.array(AgentAccess).min(1),
        api_client: z.strictObject(Client).refine(hasId, wantsId).optional(),
      })
      .optional()
      .describe('Another tenant at the same issuer, to show that nothing leaks.'),
    api: z
      .strictObject({
        url: HttpUrl.optional().describe(
          'Where the API is: the one under test, or what the issuer calls it.',
        ),
        audience: z
          .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
          .optional()
          .describe('The aud of tokens for it.'),
        routes: z.array(ApiRoute).min(1).optional().describe('What check api calls.'),
        challenge: z
          .enum(['lumo', 'rar-04', 'wg-00'])
          .default('lumo')
          .describe('How it says what is missing.'),
        revocation: z
          .enum(['introspection', 'expiry'])
          .default('introspection')
          .describe(
            'Whether it asks the issuer about each token, or believes it until it expires.',
          ),
      })
      .prefault({}),
    writes: z
      .array(z.enum(writings))
      .default([...writings])
      .describe('What --allow-writes allows.'),
    limits: Limits.prefault({}),
    hosts: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Hosts that may be talked to over https beside those of issuer and API; origins for http.',
      ),
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
