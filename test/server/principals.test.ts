import { describe, expect, it } from 'vitest'
import { idTokenType } from '../../server/wire/index.ts'
import { delegation, signIn as signInTo, world } from './http/issuer/oauth/world.ts'

const redirect_uri = 'https://app.test/callback'
const tool = 'https://tools.example/mcp'
const permissions = ['jit.approve', 'agents.manage', 'settings.manage', 'ssf.manage']
const scope = 'openid jit:approve read:documents'

/** One agent has a pending request. The tenant also has another agent, applications and a key. */
const waiting = async () => {
  const capabilities = ['read:documents', 'jit:approve', 'authz:check']
  const at = world({
    agents: [
      { name: 'report-bot', capabilities, redirect_uris: [redirect_uri] },
      { name: 'other-bot', capabilities, redirect_uris: [redirect_uri] },
    ],
    users: [
      { email: 'ada@example.com', permissions },
      { email: 'alice@example.com' },
      { email: 'carol@example.com' },
    ],
    applications: [
      { name: 'inbox', redirect_uris: [redirect_uri], scopes: ['jit:approve', 'read:documents'] },
      { name: 'plain', redirect_uris: [redirect_uri], scopes: ['read:documents'] },
    ],
    api_keys: [
      { name: 'backend', permissions },
      { name: 'lone', agent: null, permissions },
    ],
    mcp_servers: [{ server_id: 'tools', name: 'Tools', resource_uri: tool }],
  })
  const agent = at.as(await at.agentToken())
  const { body: task } = await agent.post('/jit/task').send({ name: 'Q4' })
  const authorization_details = { type: 'user_data', actions: ['read'], identifier: 'ada' }
  const { body: asked } = await agent
    .post('/jit/request')
    .send({ task_id: task.task_id, authorization_details })
  const status = async () =>
    (await agent.get(`/jit/request/${asked.request_id}/status`)).body.status
  return { ...at, agentCalls: agent, requestId: asked.request_id as string, status }
}

type World = Awaited<ReturnType<typeof waiting>>
type Client = Readonly<{ client_id: string; client_secret?: string | undefined }>

const signIn = (at: World, client: Client, user: string, asked = scope) =>
  signInTo(at, client, { redirect_uri, user, scope: asked })

const application = (at: World, name: string): Client =>
  at.tenant.applications.find((it) => it.name === name) ?? { client_id: 'none' }

const agentClient = (at: World, name: string): Client => {
  const { client_id = '', client_secret } = at.tenant.agents.find((it) => it.name === name) ?? {}
  return { client_id, client_secret }
}

/** A client that registered itself, with every scope it may request. */
const registered = async (at: World): Promise<Client> => {
  const order = { redirect_uris: [redirect_uri], token_endpoint_auth_method: 'none' }
  return { client_id: (await at.request.post('/connect/register').send(order)).body.client_id }
}

const exchanged = async (at: World, subject_token: string, more: object = {}) =>
  (await at.exchange({ subject_token, ...more })).body.access_token ?? 'refused'

type Row = readonly [
  principal: string,
  token: (at: World, user: string) => Promise<string>,
  /** The expected status when it lists and decides, for a user who has the permission. */
  status: 200 | 401 | 403,
]

const rows: readonly Row[] = [
  ['the control plane for a user', (at, user) => at.userToken({ user }), 200],
  [
    'an application with jit:approve, by a code',
    async (at, user) => (await signIn(at, application(at, 'inbox'), user)).access_token,
    200,
  ],
  [
    'an application with jit:approve, by a refresh token',
    async (at, user) => {
      const client = application(at, 'inbox')
      const { refresh_token } = await signIn(at, client, user)
      return (await at.token({ grant_type: 'refresh_token', refresh_token, ...client })).body
        .access_token
    },
    200,
  ],
  [
    'an exchanged token of such an application',
    async (at, user) =>
      exchanged(at, (await signIn(at, application(at, 'inbox'), user)).access_token),
    200,
  ],
  [
    'the same, exchanged for less scope',
    async (at, user) =>
      exchanged(at, (await signIn(at, application(at, 'inbox'), user)).access_token, {
        scope: 'read:documents',
      }),
    403,
  ],
  [
    'an application that did not ask for jit:approve',
    async (at, user) =>
      (await signIn(at, application(at, 'inbox'), user, 'openid read:documents')).access_token,
    403,
  ],
  [
    'an application that may not ask for it',
    async (at, user) =>
      (await signIn(at, application(at, 'plain'), user, 'openid read:documents')).access_token,
    403,
  ],
  [
    'the client of the agent that asked, by a code',
    async (at, user) => (await signIn(at, agentClient(at, 'report-bot'), user)).access_token,
    403,
  ],
  [
    'the client of another agent, by a code',
    async (at, user) => (await signIn(at, agentClient(at, 'other-bot'), user)).access_token,
    403,
  ],
  [
    'a client that registered itself',
    async (at, user) => (await signIn(at, await registered(at), user, 'openid')).access_token,
    403,
  ],
  [
    'a client that registered itself, with all its scopes',
    async (at, user) => {
      const { body } = await at.request
        .post('/connect/register')
        .send({ redirect_uris: [redirect_uri], token_endpoint_auth_method: 'none' })
      return (await signIn(at, body, user, body.scope)).access_token
    },
    403,
  ],
  ['the agent itself', (at) => at.agentToken(), 403],
  ['another agent', (at) => at.agentToken('other-bot'), 403],
  [
    'an agent that acts for the user',
    async (at, user) =>
      exchanged(
        at,
        await at.userToken({ user }),
        delegation(await at.userToken({ user }), await at.agentToken()),
      ),
    403,
  ],
  ['an API key of an agent', async (at) => keyNamed(at, 'backend'), 403],
  ['an API key of no agent', async (at) => keyNamed(at, 'lone'), 403],
  [
    'a token for another audience',
    async (at, user) => exchanged(at, await at.userToken({ user }), { resource: tool }),
    401,
  ],
  [
    'a token for the API alone',
    async (at, user) =>
      exchanged(at, await at.userToken({ user }), { resource: 'https://api.lumoauth.test' }),
    401,
  ],
  [
    'an ID token',
    async (at, user) => (await signIn(at, application(at, 'inbox'), user)).id_token,
    401,
  ],
  [
    'an ID token, exchanged without an actor',
    async (at, user) => {
      const { id_token } = await signIn(at, application(at, 'inbox'), user)
      return exchanged(at, id_token, { subject_token_type: idTokenType })
    },
    401,
  ],
  [
    'an ID token, exchanged with an actor',
    async (at, user) => {
      const { id_token } = await signIn(at, application(at, 'inbox'), user)
      return exchanged(at, id_token, {
        ...delegation(id_token, await at.agentToken()),
        subject_token_type: idTokenType,
      })
    },
    403,
  ],
  ['no token', async () => 'a.b.c', 401],
]

const keyNamed = (at: World, name: string) =>
  at.tenant.api_keys.find((it) => it.name === name)?.key ?? 'none'

describe('listing and deciding permission requests', () => {
  it.each(rows)('%s (%#)', async (_principal, tokenFor, expected) => {
    const at = await waiting()
    const token = await tokenFor(at, 'ada@example.com')
    const { body: waits } = await at
      .as(await at.userToken({ user: 'ada@example.com' }))
      .get('/jit/pending')

    const [listed, unknown, denied] = [
      await at.as(token).get('/jit/pending'),
      await at.as(token).post('/jit/approve/jit_0000000000000000').send({}),
      await at.as(token).post(`/jit/deny/${at.requestId}`).send({}),
    ]

    expect(waits.requests).toHaveLength(1)
    expect([listed.status, denied.status]).toEqual([expected, expected])
    expect(await at.status()).toBe(expected === 200 ? 'denied' : 'pending')
    // An unknown request gets the same answer as a known one.
    expect(unknown.status).toBe(expected === 200 ? 404 : expected)
    if (expected !== 200) expect(unknown.body).toEqual(denied.body)
  })

  it.each(rows)(
    '%s, for a user without the permission: 401 or 403',
    async (_principal, tokenFor) => {
      const at = await waiting()
      const token = await tokenFor(at, 'alice@example.com')

      const answers = [
        await at.as(token).get('/jit/pending'),
        await at.as(token).post(`/jit/approve/${at.requestId}`).send({}),
        await at.as(token).post(`/jit/deny/${at.requestId}`).send({}),
      ]

      for (const { status } of answers) expect([401, 403]).toContain(status)
      expect(await at.status()).toBe('pending')
    },
  )

  it.each(rows.filter(([, , status]) => status !== 200))(
    '%s: an approval of another user gets the same error as an unknown one',
    async (_principal, tokenFor) => {
      const at = await waiting()
      const order = { task_id: 't', reason: 'r', impact: 'low', on_behalf_of: 'carol@example.com' }
      const { body: asked } = await at.agentCalls.post('/agents/me/approvals').send(order)
      const token = await tokenFor(at, 'alice@example.com')
      const decide = async (way: string, id: string) =>
        (await at.as(token).post(`/jit/${way}/${id}`).send({})).body

      expect(asked.status).toBe('pending')
      for (const way of ['approve', 'deny']) {
        const known = await decide(way, asked.approval_token)
        expect(known).toEqual(await decide(way, 'apr_0000000000000000'))
        expect(known.error).toBeDefined()
      }
    },
  )

  it('answers 403 in the same way before and after the request is decided', async () => {
    const at = await waiting()
    const before = await at
      .as(await at.userToken({ user: 'alice@example.com' }))
      .post(`/jit/approve/${at.requestId}`)
      .send({})
    await at
      .as(await at.userToken({ user: 'ada@example.com' }))
      .post(`/jit/deny/${at.requestId}`)
      .send({})

    const after = await at
      .as(await at.userToken({ user: 'alice@example.com' }))
      .post(`/jit/approve/${at.requestId}`)
      .send({})

    expect(after.status).toBe(403)
    expect(after.body).toEqual(before.body)
  })
})

describe('other actions that need a permission', () => {
  const actions: [string, (at: World, token: string) => Promise<{ status: number }>][] = [
    [
      'register an agent',
      async (at, token) => at.as(token).post('/agents/register').send({ name: 'new' }),
    ],
    ['list MCP servers', async (at, token) => at.as(token).get('/mcp/servers')],
    [
      'open a stream over the tenant',
      async (at, token) => at.as(token).post('/ssf/stream').send({}),
    ],
    [
      'evaluate another’s task',
      async (at, token) => {
        const { body } = await at.agentCalls.post('/jit/task').send({})
        return at.as(token).post(`/jit/task/${body.task_id}/evaluate`).send({})
      },
    ],
    [
      'ask what another user may do',
      async (at, token) =>
        at.as(token).post('/authz/check').send({ permission: 'x', user_id: 'carol@example.com' }),
    ],
  ]
  const persons = rows.filter(([principal]) =>
    /client of|registered itself|ID token/.test(principal),
  )

  it.each(actions)(
    '%s: allowed with the control plane’s token of a user with the permission',
    async (_action, act) => {
      const at = await waiting()

      const { status } = await act(at, await at.userToken({ user: 'ada@example.com' }))

      expect(status).toBeLessThan(300)
    },
  )

  it.each(
    actions.flatMap(([action, act]) =>
      persons.map(([principal, tokenFor]) => [action, principal, act, tokenFor] as const),
    ),
  )('%s: refused to %s', async (action, principal, act, tokenFor) => {
    const at = await waiting()

    const { status } = await act(at, await tokenFor(at, 'ada@example.com'))

    // An agent with an actor may itself register agents, receive signals and ask about users.
    const byItsOwnRight =
      principal === 'an ID token, exchanged with an actor' && /register|stream|ask/.test(action)
    expect([401, 403].includes(status)).toBe(!byItsOwnRight)
  })
})
