import { describe, expect, it } from 'vitest'
import { accessTokenType, type Route, routes } from '../../server/wire/index.ts'
import { world } from './http/issuer/oauth/world.ts'

const issuerRoutes = Object.entries(routes as Record<string, Route>).filter(
  ([, { seat, auth }]) => seat === 'issuer' && (auth === 'agent' || auth === 'bearer'),
)

/**
 * One agent has a task, a request, a JIT token, a push approval and a stream; another has nothing.
 */
const opened = async () => {
  const at = world({
    agents: [{ name: 'report-bot' }, { name: 'other-bot' }],
    policy: {
      rules: [
        { name: 'payments wait', when: { type: 'payment' }, risk: 'high', decision: 'ask' },
        { name: 'all else passes', risk: 'low', decision: 'approve' },
      ],
    },
    applications: [
      { name: 'web', redirect_uris: ['https://app.test/cb'] },
      { name: 'other-web', redirect_uris: ['https://other.test/cb'] },
    ],
  })
  const token = await at.agentToken()
  const agent = at.as(token)
  const openTask = async () =>
    (await agent.post('/jit/task').send({ name: 'A secret merger' })).body.task_id as string
  const [taskId, other] = [await openTask(), await openTask()]
  const request = async (task_id: string, type: string) => {
    const authorization_details = { type, actions: ['initiate'], identifier: 'secret-account' }
    const { body } = await agent.post('/jit/request').send({ task_id, authorization_details })
    return body.request_id as string
  }
  const requestId = await request(taskId, 'payment')
  const approved = await request(taskId, 'file_access')
  const otherRequest = await request(other, 'payment')
  const jit = (await agent.post(`/jit/request/${approved}/token`).send({})).body.access_token
  const question = { task_id: 't', reason: 'a secret reason', impact: 'high' }
  const { body: asked } = await agent
    .post('/agents/me/approvals')
    .send({ ...question, on_behalf_of: 'alice@example.com' })
  const { body: stream } = await agent.post('/ssf/stream').send({})
  const ids: Record<string, string> = {
    taskId,
    requestId,
    approvalToken: asked.approval_token,
    streamId: stream.stream_id,
  }
  const call = (route: Route, bearer: string | undefined, given = ids) => {
    const path = route.path.replace(/:(\w+)/g, (_, name) => given[name] ?? 'none')
    const query = route.path === '/ssf/stream' ? `?stream_id=${given.streamId}` : ''
    const method = route.method.toLowerCase() as 'get' | 'post' | 'delete'
    const started = at.as(bearer)[method](path + query)
    return route.method === 'GET' ? started : started.send(bodies[route.path] ?? {})
  }
  const last = () => at.tenant.journal().length
  return { ...at, token, jit, ids, taskId, other, requestId, approved, otherRequest, call, last }
}

/** Valid bodies, so that only the caller can be wrong. */
const bodies: Record<string, object> = {
  '/ssf/verify': { stream_id: 'none' },
  '/ssf/poll/:streamId': { returnImmediately: true },
}

describe('every route of the issuer that takes a bearer token', () => {
  it.each(issuerRoutes)(
    '%s: gets 401 without credentials, and changes nothing',
    async (_name, route) => {
      const at = await opened()
      const before = at.last()

      const { status, headers } = await at.call(route, undefined)

      expect(status).toBe(401)
      expect(headers['www-authenticate']).toMatch(/^Bearer /)
      expect(at.last()).toBe(before)
    },
  )

  /**
   * A JIT token works at status and complete of its own task only
   * (CONTRACT.md#jit-tokens-at-the-issuer).
   */
  const withJit: Record<string, number> = {
    'jit.request.status': 200,
    'jit.task.complete': 200,
    'jit.request.token': 403,
  }

  it.each(issuerRoutes)(
    '%s: is refused to a JIT token, except at status and complete of its own task',
    async (name, route) => {
      const at = await opened()

      const { status } = await at.call(route, at.jit)

      expect(status).toBe(withJit[name] ?? 401)
    },
  )

  it.each(issuerRoutes)('%s: is refused to a JIT token of another task', async (name, route) => {
    const at = await opened()
    const before = at.last()

    const { status, text } = await at.call(route, at.jit, {
      ...at.ids,
      taskId: at.other,
      requestId: at.otherRequest,
    })

    expect(status).toBe(withJit[name] === undefined ? 401 : 403)
    // Both tasks are of the same agent.
    expect(text).not.toContain('another agent')
    expect(at.last()).toBe(before)
  })

  const owned = issuerRoutes.filter(([, { path }]) =>
    /:(requestId|taskId|approvalToken|streamId)|ssf\/stream/.test(path),
  )
  const own = ['ssf.stream.create']

  it.each(owned)(
    '%s: is refused for another agent’s ids, and shows nothing',
    async (name, route) => {
      const at = await opened()
      const stranger = await at.agentToken('other-bot')
      const before = at.last()

      const { status, text } = await at.call(route, stranger)

      if (own.includes(name)) return expect(status).toBe(201)
      expect([403, 404]).toContain(status)
      expect(text).not.toContain('secret')
      expect(at.last()).toBe(before)
    },
  )

  it.each(owned)('%s: is refused to a user without permission', async (_name, route) => {
    const at = await opened()
    const person = await at.userToken({ user: 'alice@example.com' })
    const before = at.last()

    const { status, text } = await at.call(route, person)

    expect(status).toBe(403)
    expect(text).not.toContain('secret')
    expect(at.last()).toBe(before)
  })
})

describe('a token at introspection and revocation (RFC 7662 §4, RFC 7009 §2.1)', () => {
  type At = Awaited<ReturnType<typeof opened>>
  const clientOf = (at: At, name: string) => {
    const { tenant } = at
    const known = [...tenant.agents, ...tenant.applications, { name: 'api', ...tenant.api_client }]
    const { client_id, client_secret } = known.find((it) => it.name === name) ?? {}
    return { client_id, client_secret }
  }
  const registered = async (at: At) => {
    const order = { redirect_uris: ['https://new.test/cb'] }
    const { client_id, client_secret } = (await at.request.post('/connect/register').send(order))
      .body
    return { client_id, client_secret }
  }
  const introspect = (at: At, token: string, client: object) =>
    at.request
      .post('/oauth/introspect')
      .type('form')
      .send({ token, ...client })

  const tokens: [string, (at: At) => Promise<string>][] = [
    ['a token for issuer and API', async (at) => at.token],
    ['a JIT token', async (at) => at.jit],
    [
      'a token for the issuer',
      (at) => at.agentToken(undefined, { resource: at.tenant.urls.tenant }),
    ],
  ]
  it.each(tokens)('%s is active for its own client', async (_name, tokenFor) => {
    const at = await opened()

    const { body } = await introspect(at, await tokenFor(at), clientOf(at, 'report-bot'))

    expect(body).toMatchObject({ active: true, client_id: 'report-bot' })
  })

  it.each(tokens)('%s is inactive for clients it is not meant for', async (name, tokenFor) => {
    const at = await opened()
    const token = await tokenFor(at)
    const clients = [
      clientOf(at, 'other-bot'),
      clientOf(at, 'web'),
      clientOf(at, 'other-web'),
      await registered(at),
    ]

    for (const client of clients) {
      const { status, body } = await introspect(at, token, client)
      expect([status, body]).toEqual([200, { active: false }])
    }
    const { body } = await introspect(at, token, clientOf(at, 'api'))
    expect(body.active).toBe(name !== 'a token for the issuer')
    expect((await introspect(at, token, {})).status).toBe(401)
  })

  it('a user’s token, and an agent’s token for that user, are inactive for another agent', async () => {
    const at = await opened()
    const person = await at.userToken({ user: 'alice@example.com' })
    const delegated = (
      await at.exchange({
        subject_token: person,
        actor_token: at.token,
        actor_token_type: accessTokenType,
      })
    ).body.access_token

    for (const token of [person, delegated]) {
      const { body } = await introspect(at, token, clientOf(at, 'other-bot'))
      expect(body).toEqual({ active: false })
    }
    expect((await introspect(at, delegated, clientOf(at, 'report-bot'))).body.active).toBe(true)
  })

  it.each(tokens)('%s is not revoked by another client', async (_name, tokenFor) => {
    const at = await opened()
    const token = await tokenFor(at)
    for (const client of [clientOf(at, 'other-bot'), clientOf(at, 'web'), await registered(at)]) {
      await at.request
        .post('/oauth/revoke')
        .type('form')
        .send({ token, ...client })
    }

    const { body } = await introspect(at, token, clientOf(at, 'report-bot'))

    expect(body.active).toBe(true)
  })
})
