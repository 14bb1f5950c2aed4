import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { afterAll } from 'vitest'
import { expressApps } from '../../server/express/index.ts'
import { createHarness, type Harness, type HarnessOptions } from '../../server/index.ts'
import type { AuthorizationDetail } from '../../server/wire/index.ts'
import { supertest } from './supertest.ts'

export type Seed = NonNullable<Parameters<Harness['createTenant']>[0]>

export type SignInOptions = HarnessOptions &
  Readonly<{
    /** The tenant; its first agent authenticates. */
    seed?: Seed
    /** The caller whose token `request` sends. Default `agent`. */
    principal?: 'agent' | 'approver' | 'none'
    /** The task that the agent opens; `false` opens none. */
    task?: object | false
  }>

/** A supertest agent on the issuer and the API of a new harness, and the tenant behind it. */
export const signedIn = async (options: SignInOptions = {}) => {
  const { seed, principal = 'agent', task: order = {}, ...others } = options
  const harness = await createHarness({ listen: false, algorithm: 'ES256', ...others })
  afterTests(() => harness.close())
  const here = (await serve(harness)).tenant(seed)
  if (principal === 'none') return { ...here, token: '', task: '', request: here.anonymous }
  const token = await (principal === 'agent' ? here.agentToken() : here.userToken())
  const request = here.as(token)
  const opens = principal === 'agent' && order !== false
  return { ...here, token, task: opens ? await openTask(request, order) : '', request }
}

/** The two seats of a harness on sockets, until the tests of this file have ended. */
export const serve = async (harness: Harness) => {
  const { issuer, api } = expressApps(harness)
  const seats = new Map([
    [harness.issuer, await listen(issuer)],
    [harness.api, await listen(api)],
  ])
  const requests = (base = harness.issuer, headers?: Headers) => requestsTo(seats, base, headers)
  return { harness, requests, tenant: (seed?: Seed) => clientsOf(harness, requests, seed) }
}

/**
 * Starts a request, such as `request.post('/jit/task')`. Paths are below a base URL, usually the
 * tenant's; a URL of issuer or API is used unchanged.
 */
export type Requests = Readonly<Record<(typeof methods)[number], (path: string) => supertest.Test>>

type Headers = Readonly<Record<string, string>>

const methods = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'] as const

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

const clientsOf = (
  harness: Harness,
  requests: (base: string, headers?: Headers) => Requests,
  seed?: Seed,
) => {
  const tenant = harness.createTenant(seed)
  const [first] = tenant.agents
  if (first === undefined) throw new Error('a tenant without agents')
  const as = (token?: string) =>
    requests(tenant.urls.tenant, token === undefined ? {} : bearer(token))
  const anonymous = as()
  const control = requests(
    `${harness.issuer}/_harness/tenants/${tenant.tenant}`,
    bearer(harness.controlToken),
  )
  return {
    harness,
    tenant,
    /** The first agent: its name and credentials. */
    agent: first,
    as,
    anonymous,
    /** The control plane of the tenant. */
    control,
    /**
     * A client's own token: of an agent by its name, or by credentials; the first agent by default.
     */
    agentToken: async (client: string | Credentials = first, more: object = {}) => {
      const known =
        typeof client === 'string' ? tenant.agents.find(({ name }) => name === client) : client
      const { client_id, client_secret } = known ?? first
      const fields = { grant_type: 'client_credentials', client_id, client_secret, ...more }
      const { body } = await anonymous.post('/oauth/token').type('form').send(fields)
      return body.access_token as string
    },
    /** A user's token; the first approver by default. */
    userToken: async (user?: string) =>
      (await control.post('/user-token').send({ user })).body.access_token as string,
  }
}

type Credentials = Readonly<{ client_id: string; client_secret?: string | undefined }>

/** A task of the agent that sends these requests. */
export const openTask = async (request: Requests, task: object = {}) =>
  (await request.post('/jit/task').send(task)).body.task_id as string

/** A request for permission to read one document. */
export const reading = (identifier: string, task_id: string) => ({
  task_id,
  authorization_details: {
    type: 'file_access',
    actions: ['read'],
    identifier,
  } satisfies AuthorizationDetail,
})

/**
 * Requests to servers under the names of their origins; headers that a request sets take
 * precedence.
 */
export const requestsTo = (
  seats: ReadonlyMap<string, Server>,
  base: string,
  headers: Headers = {},
): Requests => {
  const agents = new Map(
    [...seats].map(([origin, server]) => {
      const { host } = new URL(origin)
      return [origin, supertest.agent(server).set({ host, ...headers })]
    }),
  )
  const start = (method: (typeof methods)[number], path: string): supertest.Test => {
    const url = path.startsWith('/') ? base + path : path
    const origin = [...agents.keys()].find((it) => url.startsWith(it)) ?? ''
    const agent = agents.get(origin)
    if (agent === undefined) throw new Error(`no seat of the harness: ${url}`)
    return agent[method](url.slice(origin.length))
  }
  return Object.fromEntries(
    methods.map((method) => [method, (path: string) => start(method, path)]),
  ) as Requests
}

/** Serves until the tests of this file have ended. */
export const listen = async (listener: RequestListener): Promise<Server> => {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterTests(() => {
    server.closeAllConnections()
    server.close()
  })
  return server
}

const endings: (() => unknown)[] = []
const afterTests = (end: () => unknown) => endings.push(end)
afterAll(() => Promise.all(endings.map((end) => end())))
