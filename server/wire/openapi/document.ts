import type { z } from 'zod'
import { linksOf } from '../contract.ts'
import { type Auth, pathsOf, type Route } from '../routes/route.ts'
import { type RouteName, routes } from '../routes/routes.ts'
import { header, json, refusalBodies, refusals, refusalsOf } from './refusals.ts'
import { type Direction, defs, jsonSchema, type Refer, type Schema, vocabulary } from './schemas.ts'

/** The facts of the document that the routes do not contain. */
export type Surroundings = Readonly<{
  /** Origins of the seats. */
  issuer: string
  api: string
  version: string
  /** Name of the cookie of the approvals page. */
  sessionCookie: string
}>

export type Parameter = Readonly<{
  name: string
  in: 'path' | 'query'
  required: boolean
  description?: string
  schema: Schema
}>

type Content = Readonly<Record<string, Readonly<{ schema?: Schema }>>>

export type Answered = Readonly<{ description: string; headers?: object; content?: Content }>
export type Response = Answered | Readonly<{ $ref: string }>

export type Operation = Readonly<{
  operationId: string
  tags: readonly string[]
  summary: string
  description?: string
  parameters?: readonly Parameter[]
  requestBody?: Readonly<{ required: boolean; content: Content }>
  responses: Readonly<Record<string, Response>>
  security: readonly Readonly<Record<string, readonly string[]>>[]
  /** The source of the route, as in its declaration. */
  'x-source': string
  /** The paragraph of the contract, on the page of this document. */
  externalDocs?: Readonly<{ description: string; url: string }>
}>

type Method = Lowercase<Route['method']>

export type PathItem = Readonly<Partial<Record<Method, Operation>>> &
  Readonly<{ servers?: readonly Server[] }>

type Server = Readonly<{ url: string; description: string }>

export type OpenApi = Readonly<{
  openapi: string
  jsonSchemaDialect: string
  info: Readonly<{
    title: string
    version: string
    summary: string
    description: string
    license: object
  }>
  servers: readonly Server[]
  tags: readonly Readonly<{ name: string; description: string }>[]
  paths: Readonly<Record<string, PathItem>>
  components: Readonly<{
    securitySchemes: Readonly<Record<string, Readonly<{ description: string }>>>
    responses: Readonly<Record<string, Answered>>
    schemas: Readonly<Record<string, Schema>>
  }>
}>

/**
 * The OpenAPI 3.1 document of every implemented route, generated at each call.
 *
 * Each alias is listed in full, because a reader searches for the path that their client calls. The
 * `operationId` of a route's first path is the route's name; the other paths add a number to it.
 */
export const openApiDocument = (here: Surroundings): OpenApi => {
  const { refer, schemas } = vocabulary(used())
  const api: Server = { url: here.api, description: 'The protected documents and reports' }
  const issuer: Server = {
    url: here.issuer,
    description: 'The issuer, its approvals page and the control plane',
  }
  const paths: Record<string, PathItem> = {}
  for (const [name, route] of all) {
    for (const [at, path] of pathsOf(route).entries()) {
      const template = path.replace(/\/:(\w+)/g, '/{$1}')
      const before = paths[template]
      if (before !== undefined && route.method.toLowerCase() in before) {
        // Issuer and API have some paths in common; the document lists each path once.
        paths[template] = { ...before, servers: [issuer, api] }
        continue
      }
      paths[template] = {
        ...(route.seat === 'api' ? { servers: [api] } : {}),
        ...paths[template],
        [route.method.toLowerCase()]: operation(name, route, at, refer, here.issuer),
      }
    }
  }
  return {
    openapi: '3.1.1',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: 'lumoauth-harness',
      version: here.version,
      summary: 'A mock LumoAuth issuer, a protected API, and a control plane for both',
      description: introduction,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [issuer],
    tags: tags.map(({ name, description }) => ({ name, description })),
    paths,
    components: {
      securitySchemes: securitySchemes(here.sessionCookie),
      responses: refusals(refer),
      schemas,
    },
  }
}

/** Without AAuth, which answers 501 (CONTRACT.md#aauth). */
const all = (Object.entries(routes) as [RouteName, Route][]).filter(
  ([name]) => !/^(?:aauth|admin)\./.test(name),
)

const introduction = `The issuer answers under two prefixes, \`/t/{tenant}/api/v1\` and \`/orgs/{tenant}/api/v1\`, and the URLs in its answers have the prefix of the request. Some routes have further paths that other clients use; these are listed as well.

Every error has the same body: \`error\` and \`code\` are equal, \`error_description\` and \`message\` are equal, \`status\` is the HTTP status. A known path with a wrong method gets 405 with \`Allow\`; a body over 64 KiB gets 413.`

const tags: readonly { name: string; routes: readonly string[]; description: string }[] = [
  {
    name: 'OAuth',
    routes: ['oauth'],
    description:
      'Tokens, introspection, revocation, sign-in of users, and registration of clients.',
  },
  {
    name: 'Discovery',
    routes: ['discovery'],
    description: 'Metadata and keys, at the paths of each standard and each SDK.',
  },
  {
    name: 'Just-in-time permissions',
    routes: ['jit'],
    description: 'Tasks, permission requests, JIT tokens, and approvers.',
  },
  {
    name: 'Agents',
    routes: ['agents', 'approvals', 'connections', 'me'],
    description: 'Identity and capabilities of agents, and push approvals.',
  },
  {
    name: 'Permissions',
    routes: ['authz'],
    description: 'Permission checks for users and agents.',
  },
  {
    name: 'Signals',
    routes: ['ssf'],
    description: 'Shared signals: security events of tasks and tokens, by push or by poll.',
  },
  { name: 'MCP', routes: ['mcp'], description: 'MCP servers that accept tokens of the issuer.' },
  {
    name: 'Documents and reports',
    routes: ['documents', 'reports', 'resource'],
    description:
      'The protected API, on its own origin. Its challenges name the missing permission.',
  },
  {
    name: 'Control plane',
    routes: ['control'],
    description:
      'For tests and operators: tenants, clocks, policies, misbehaviours, journal and exchanges.',
  },
  {
    name: 'Approvals page',
    routes: ['console'],
    description: 'The page for approvers, and the routes its modules call.',
  },
  {
    name: 'Scripted model',
    routes: ['model'],
    description: 'A scripted model that implements OpenAI’s API and Gemini’s.',
  },
  { name: 'About', routes: ['openapi'], description: 'This document.' },
]

const tagOf = (name: RouteName) => {
  const [first = ''] = name.split('.')
  const tag = tags.find((it) => it.routes.includes(first))
  if (tag === undefined) throw new Error(`no tag for ${name}`)
  return tag.name
}

const operation = (
  name: RouteName,
  route: Route,
  at: number,
  refer: Refer,
  issuer: string,
): Operation => {
  const [path = '', ...others] = pathsOf(route)
  const description = [
    route.note,
    ...(at === 0 ? [] : [`Same as \`${route.method} ${path.replace(/\/:(\w+)/g, '/{$1}')}\`.`]),
  ].filter((it) => it !== undefined)
  const parameters = [...pathParameters([path, ...others][at] ?? ''), ...queryParameters(route)]
  return {
    operationId: at === 0 ? name : `${name}.${at + 1}`,
    tags: [tagOf(name)],
    summary: route.summary,
    ...(description.length > 0 ? { description: description.join(' ') } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...requestBody(route, refer),
    responses: { ...answers(route, refer), ...refusalsOf(name, route) },
    security: security(route),
    'x-source': route.source,
    ...documented(route.source, issuer),
  }
}

const documented = (source: string, issuer: string): Pick<Operation, 'externalDocs'> => {
  const { text, anchor, url } = linksOf(source)[0] ?? { text: source }
  const place = anchor === undefined ? url : `${issuer}/docs#contract-${anchor}`
  return place === undefined ? {} : { externalDocs: { description: text, url: place } }
}

const pathParameters = (path: string): Parameter[] =>
  [...path.matchAll(/\/:(\w+)/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    ...(parameterWords[name] === undefined ? {} : { description: parameterWords[name] }),
    schema: { type: 'string', minLength: 1 },
  }))

const parameterWords: Readonly<Record<string, string>> = {
  tenant: 'The slug of the tenant.',
  taskId: 'As `task_id` names it.',
  requestId: 'As `request_id` names it.',
  approvalToken: 'As `approval_token` names it.',
  serverId: 'As `server_id` names it.',
  streamId: 'As `stream_id` names it.',
  kid: 'The id of a published key.',
  name: 'The name of the misbehaviour.',
  model: 'A name the scripted model answers to.',
  version: 'The digest of the files, as written in the page.',
  file: 'The name of a file of the page.',
}

const queryParameters = ({ query }: Route): Parameter[] => {
  if (query === undefined) return []
  const { $defs = {}, $ref, ...inline } = jsonSchema(query, 'input')
  const named = $ref === undefined ? inline : ($defs[$ref.slice(defs.length)] ?? {})
  const { properties = {}, required = [] } = named as z.core.JSONSchema.ObjectSchema
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema: schema as Schema,
  }))
}

const requestBody = (
  { body, form, formOrJson }: Route,
  refer: Refer,
): Pick<Operation, 'requestBody'> => {
  if (form) {
    const schema = refer(form, 'input')
    const content = {
      'application/x-www-form-urlencoded': { schema },
      ...(formOrJson ? { 'application/json': { schema } } : {}),
    }
    return { requestBody: { required: true, content } }
  }
  if (body === undefined) return {}
  const required = !body.safeParse({}).success
  return { requestBody: { required, content: json(refer(body, 'input')) } }
}

const answers = ({ answers, media }: Route, refer: Refer): Record<string, Response> =>
  Object.fromEntries(
    Object.entries(answers).map(([status, schema]) => {
      const content = {
        ...(schema ? json(refer(schema, 'output')) : {}),
        ...(media && status === '200' ? { [media]: {} } : {}),
      }
      return [
        status,
        {
          description: answerWords[status] ?? 'An answer',
          ...(status.startsWith('3') ? { headers: header('Location', 'The URL to go to.') } : {}),
          ...(Object.keys(content).length > 0 ? { content } : {}),
        },
      ]
    }),
  )

const answerWords: Readonly<Record<string, string>> = {
  200: 'Done',
  201: 'Made',
  202: 'Accepted: waiting for a decision',
  204: 'Done, without a body',
  302: 'Redirect',
  303: 'Redirect',
}

/** Each set of credentials is sufficient; those named together are all required. */
const security = ({ auth, method }: Route): Operation['security'] => {
  const ways: Record<Auth, Operation['security']> = {
    none: [],
    client: [{ client: [] }, {}],
    caller: [{ client: [] }, { bearer: [] }, {}],
    agent: [{ bearer: [] }, { apiKey: [] }],
    bearer: [{ bearer: [] }, { apiKey: [] }],
    guard: [{ bearer: [] }],
    control: [{ control: [] }],
    session: [method === 'GET' ? { session: [] } : { session: [], csrf: [] }],
    operator: [method === 'GET' ? { session: [] } : { session: [], csrf: [] }],
    model: [{ model: [] }, { modelHeader: [] }, { modelQuery: [] }],
  }
  return ways[auth]
}

const securitySchemes = (cookie: string) => ({
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'An access token of an agent, of a user, or of an agent acting for a user.',
  },
  apiKey: {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
    description: 'An API key of a tenant, `lmk_…`. Do not send it together with a bearer token.',
  },
  client: {
    type: 'http',
    scheme: 'basic',
    description:
      'Client id and secret. A client may also send them as `client_id` and `client_secret` in the form, or send a signed `client_assertion`.',
  },
  control: {
    type: 'http',
    scheme: 'bearer',
    description: 'The control token, which `start` prints.',
  },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: cookie,
    description: 'A browser that is signed in to the approvals page.',
  },
  csrf: {
    type: 'apiKey',
    in: 'header',
    name: 'X-CSRF-Token',
    description: 'The `csrf_token` of the session; `Origin` must be the page’s own.',
  },
  model: {
    type: 'http',
    scheme: 'bearer',
    description: 'The API key of a tenant’s scripted model, which `start` prints.',
  },
  modelHeader: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Goog-Api-Key',
    description: 'The same key, as Google’s clients send it.',
  },
  modelQuery: {
    type: 'apiKey',
    in: 'query',
    name: 'key',
    description: 'The same key, as Google’s clients may send it.',
  },
})

/** Every schema that is referred to. Queries are written in place, parameter by parameter. */
const used = (): [z.ZodType, Direction][] => [
  ...all.flatMap(([, { body, form, answers }]): [z.ZodType, Direction][] => [
    ...[body, form].flatMap((it): [z.ZodType, Direction][] => (it ? [[it, 'input']] : [])),
    ...Object.values(answers).flatMap((it): [z.ZodType, Direction][] =>
      it ? [[it, 'output']] : [],
    ),
  ]),
  ...refusalBodies.map((it): [z.ZodType, Direction] => [it, 'output']),
]
