import { expect, it } from 'vitest'
import { createHarness, type Harness, type HarnessOptions } from '../../../server/harness.ts'
import type { Misbehaviour } from '../../../server/http/misbehave.ts'
import type { AuthorizationDetail, TenantCreated } from '../../../server/wire/index.ts'

/** What came back, read to its end. */
// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
export type Seen = { status: number; headers: Headers; text: string; body: any }

export type Sent = Readonly<{
  token?: string | undefined
  body?: unknown
  form?: Readonly<Record<string, string>>
  headers?: Readonly<Record<string, string>>
  signal?: AbortSignal
}>

export const read = (identifier = 'doc_9982'): AuthorizationDetail => ({
  type: 'file_access',
  actions: ['read'],
  identifier,
})

/** What a person has to decide. */
export const remove: AuthorizationDetail = { ...read(), actions: ['delete'] }

/** A harness whose tenants each have two agents, an approver and a user. */
export const misbehavingHarness = async (options: HarnessOptions = {}) => {
  const harness = await createHarness({ listen: false, algorithm: 'ES256', ...options })
  return { harness, tenant: () => openWorld(harness) }
}

export type World = ReturnType<typeof openWorld>

/** What shows a misbehaviour: how to look, what is seen of an honest seat, and what with it on. */
export type Probe = readonly [
  look: (world: World) => Promise<unknown>,
  honest: unknown,
  wrong: unknown,
]

/** Shows each misbehaviour of a family: seen while it is on, and no longer when it is off. */
export const prove = (
  family: readonly Misbehaviour[],
  probes: Readonly<Record<string, Probe>>,
  tenant: () => World,
): void => {
  it('leaves none of them unproved', () => {
    expect(Object.keys(probes)).toEqual(family.map(({ name }) => name))
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

export const openWorld = (harness: Harness) => {
  const created = harness.createTenant({
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
    documents: [
      { id: 'doc_9982', title: 'Q4', classification: 'confidential', body: 'Revenue rose 12 %.' },
      { id: 'doc_other', title: 'Q3', classification: 'confidential', body: 'Revenue fell 3 %.' },
      { id: 'doc_open', title: 'Hours', classification: 'public', body: 'Nine to five.' },
      { id: 'doc_inner', title: 'Canteen', classification: 'internal', body: 'Soup.' },
    ],
  })
  const issuer = created.urls.tenant
  const call = async (line: string, sent: Sent = {}): Promise<Seen> => {
    const response = await harness.fetch(...requestOf(line, sent))
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: jsonOf(text) }
  }
  const control = (line: string, body?: unknown) => {
    const [method, path] = line.split(' ')
    return call(`${method} ${harness.issuer}/_harness/tenants/${created.tenant}${path}`, {
      token: harness.controlToken,
      body,
    })
  }
  const login = async (name = 'report-bot', more: Record<string, string> = {}): Promise<string> =>
    (await call(`POST ${issuer}/oauth/token`, { form: { ...client(created, name), ...more } })).body
      .access_token
  const open = async (token: string, body: object = {}): Promise<string> =>
    (await call(`POST ${issuer}/jit/task`, { token, body })).body.task_id
  const ask = (token: string, task: string, detail = read(), more: object = {}) =>
    call(`POST ${issuer}/jit/request`, {
      token,
      body: { task_id: task, authorization_details: detail, justification: 'a query', ...more },
    })
  const status = (token: string, id: string) =>
    call(`GET ${issuer}/jit/request/${id}/status`, { token })
  const exchange = (token: string, id: string) =>
    call(`POST ${issuer}/jit/request/${id}/token`, { token })
  const complete = (token: string, task: string) =>
    call(`POST ${issuer}/jit/task/${task}/complete`, { token })
  const user = async (email = 'approver@example.com'): Promise<string> =>
    (await control('POST /user-token', { user: email })).body.access_token
  const decide = (how: 'approve' | 'deny', token: string, id: string, body: object = {}) =>
    call(`POST ${issuer}/jit/${how}/${id}`, { token, body })
  const introspect = (token: string) =>
    call(`POST ${issuer}/oauth/introspect`, { form: { ...created.api_client, token } })
  const document = (id: string, token?: string, sent: Sent = {}) =>
    call(`GET ${created.urls.api}/v1/documents/${id}`, { token, ...sent })
  const forge = async (order: object): Promise<string> =>
    (await control('POST /forged-token', order)).body.access_token

  return {
    ...created,
    harness,
    issuer,
    neighbour: () => openWorld(harness),
    documents: `${created.urls.api}/v1/documents`,
    call,
    control,
    login,
    open,
    ask,
    status,
    exchange,
    complete,
    user,
    decide,
    introspect,
    document,
    forge,
    client: (name = 'report-bot') => client(created, name),
    on: (order: object | string) =>
      control('POST /misbehaviours', typeof order === 'string' ? { name: order } : order),
    pendingList: (token: string) => call(`GET ${issuer}/jit/pending`, { token }),
    userinfo: (token?: string) => call(`GET ${issuer}/oauth/userinfo`, { token }),
    revoke: (token: string) =>
      call(`POST ${issuer}/oauth/revoke`, { form: { ...client(created, 'report-bot'), token } }),
    off: () => control('DELETE /misbehaviours'),
    advance: (advance: string) => control('POST /clock', { advance }),
    /** A token of the agent that holds these details. */
    holding: (...details: object[]) => forge({ claims: { authorization_details: details } }),
    /** From login to a JIT token for one detail. */
    jit: async (detail = read(), more: object = {}) => {
      const agent = await login()
      const task = await open(agent)
      const request = await ask(agent, task, detail, more)
      const answer = await exchange(agent, request.body.request_id)
      return { agent, task, request, answer, token: answer.body?.access_token as string }
    },
    /** A request that waits for a person. */
    pending: async (task: object = {}, detail = remove) => {
      const agent = await login()
      const id = await open(agent, task)
      const request = await ask(agent, id, detail)
      return { agent, task: id, request, id: request.body.request_id as string }
    },
  }
}

const client = ({ agents }: TenantCreated, name: string) => {
  const { client_id = name, client_secret = '' } = agents.find((it) => it.name === name) ?? {}
  return { grant_type: 'client_credentials', client_id, client_secret }
}

const requestOf = (
  line: string,
  { token, body, form, headers = {}, signal }: Sent,
): [string, RequestInit] => {
  const [method = '', url = ''] = line.split(' ')
  return [
    url,
    {
      method,
      redirect: 'manual',
      ...(signal && { signal }),
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(form && { body: new URLSearchParams(form).toString() }),
    },
  ]
}

const jsonOf = (text: string) => {
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
