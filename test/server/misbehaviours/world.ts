import { expect, it } from 'vitest'
import { createHarness, type HarnessOptions } from '../../../server/harness/harness.ts'
import type { Misbehaviour } from '../../../server/http/misbehave.ts'
import type { AuthorizationDetail } from '../../../server/wire/index.ts'
import { openTask, serve } from '../../support/signed-in.ts'

export const read = (identifier = 'doc_9982'): AuthorizationDetail => ({
  type: 'file_access',
  actions: ['read'],
  identifier,
})

/** A detail that a person has to decide. */
export const remove: AuthorizationDetail = { ...read(), actions: ['delete'] }

/** A harness whose tenants each have two agents, an approver and a user. */
export const misbehavingHarness = async (options: HarnessOptions = {}) => {
  const harness = await createHarness({ listen: false, algorithm: 'ES256', ...options })
  const server = await serve(harness)
  return { harness, server, tenant: () => openWorld(server) }
}

export type Server = Awaited<ReturnType<typeof serve>>

export type World = ReturnType<typeof openWorld>

/** What shows a misbehaviour: the calls to make, the result without it, and the result with it. */
export type Probe = readonly [
  look: (world: World) => Promise<unknown>,
  honest: unknown,
  wrong: unknown,
]

/** Shows each misbehaviour of a family: present while it is enabled, and absent once disabled. */
export const prove = (
  family: readonly Misbehaviour[],
  probes: Readonly<Record<string, Probe>>,
  tenant: () => World,
): void => {
  it('each has a test', () => {
    expect(Object.keys(probes).sort()).toEqual(family.map(({ name }) => name).sort())
  })

  it.each(family.map(({ name, says }) => [name, says]))('%s: %s', async (name) => {
    const [look, honest, wrong] = probes[name] as Probe
    const world = tenant()

    expect((await world.on(name)).status).toBe(200)
    expect(await look(world)).toEqual(wrong)

    await world.off()
    expect(await look(world)).toEqual(honest)
  })
}

export const openWorld = (server: Server, fetch = server.harness.fetch) => {
  const here = server.tenant({
    clock: '2026-11-24T12:00:00Z',
    agents: [
      { name: 'report-bot' },
      { name: 'other-bot', may_delegate: false },
      { name: 'small-bot', budget: { max_api_calls_per_hour: 1 } },
    ],
    users: [
      { email: 'approver@example.com', permissions: ['jit.approve'] },
      { email: 'second@example.com', permissions: ['jit.approve'] },
      { email: 'alice@example.com' },
    ],
    applications: [{ name: 'tv', public: true, redirect_uris: ['http://localhost/callback'] }],
    workload: [{ issuer: 'https://kubernetes.example', subject: 'other', agent: 'other-bot' }],
    connections: [
      { connection_id: 'drive', name: 'Drive', provider: 'x', users: ['alice@example.com'] },
      { connection_id: 'mail', name: 'Mail', provider: 'y', scopes: ['send'] },
    ],
    documents: [
      { id: 'doc_9982', title: 'Q4', classification: 'confidential', body: 'Revenue rose 12 %.' },
      { id: 'doc_other', title: 'Q3', classification: 'confidential', body: 'Revenue fell 3 %.' },
      { id: 'doc_open', title: 'Hours', classification: 'public', body: 'Nine to five.' },
      { id: 'doc_inner', title: 'Canteen', classification: 'internal', body: 'Soup.' },
    ],
  })
  const { tenant, as, anonymous, control, agentToken } = here
  const form = (path: string, fields: object) => anonymous.post(path).type('form').send(fields)
  const ask = (token: string, task_id: string, detail = read(), more: object = {}) =>
    as(token)
      .post('/jit/request')
      .send({ task_id, authorization_details: detail, justification: 'a query', ...more })
  const exchange = (token: string, id: string) => as(token).post(`/jit/request/${id}/token`)
  const documents = `${tenant.urls.api}/v1/documents`
  const forge = async (order: object): Promise<string> =>
    (await control.post('/forged-token').send(order)).body.access_token
  const client = (name = 'report-bot') => {
    const { client_id, client_secret } = tenant.agents.find((it) => it.name === name) ?? here.agent
    return { grant_type: 'client_credentials', client_id, client_secret }
  }
  const open = (token: string, task?: object) => openTask(as(token), task)

  return {
    ...tenant,
    ...here,
    issuer: tenant.urls.tenant,
    /** Calls both seats through the host under test. */
    fetch,
    neighbour: () => openWorld(server),
    documents,
    login: agentToken,
    open,
    ask,
    status: (token: string, id: string) => as(token).get(`/jit/request/${id}/status`),
    exchange,
    complete: (token: string, task: string) => as(token).post(`/jit/task/${task}/complete`),
    user: (email = 'approver@example.com') => here.userToken(email),
    decide: (how: 'approve' | 'deny', token: string, id: string, body: object = {}) =>
      as(token).post(`/jit/${how}/${id}`).send(body),
    introspect: (token: string) => form('/oauth/introspect', { ...tenant.api_client, token }),
    document: (id: string, token?: string) => as(token).get(`${documents}/${id}`),
    forge,
    client,
    on: (order: object | string) =>
      control.post('/misbehaviours').send(typeof order === 'string' ? { name: order } : order),
    pendingList: (token: string) => as(token).get('/jit/pending'),
    userinfo: (token?: string) => as(token).get('/oauth/userinfo'),
    revoke: (token: string) => form('/oauth/revoke', { ...client(), token }),
    off: () => control.delete('/misbehaviours'),
    advance: (advance: string) => control.post('/clock').send({ advance }),
    /** A token of the agent with these details. */
    holding: (...details: object[]) => forge({ claims: { authorization_details: details } }),
    /** From login to a JIT token for one detail. */
    jit: async (detail = read(), more: object = {}) => {
      const agent = await agentToken()
      const task = await open(agent)
      const request = await ask(agent, task, detail, more)
      const answer = await exchange(agent, request.body.request_id)
      return { agent, task, request, answer, token: answer.body?.access_token as string }
    },
    /** A pending request. */
    pending: async (task: object = {}, detail = remove) => {
      const agent = await agentToken()
      const id = await open(agent, task)
      const request = await ask(agent, id, detail)
      return { agent, task: id, request, id: request.body.request_id as string }
    },
  }
}

export const jsonOf = (text: string) => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The header and the claims of a JWT. */
export const decode = (jwt: string) => {
  const [header, claims] = jwt
    .split('.')
    .map((part) => jsonOf(Buffer.from(part, 'base64url').toString()))
  return { header, claims }
}
