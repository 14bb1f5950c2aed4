import { describe, expect, it } from 'vitest'
import { exporting, issuerWorld, reading } from './world.ts'

const helpers = { agents: [{ name: 'report-bot' }, { name: 'stranger', may_delegate: false }] }

describe('agents/me', () => {
  it('gets 401 or 403 without the token of an agent', async () => {
    const { anonymous, as, userToken } = await issuerWorld()

    expect((await anonymous.get('/agents/me')).status).toBe(401)
    expect((await as(await userToken()).get('/agents/me')).body).toMatchObject({
      identity: { type: 'user' },
      capabilities: [],
    })
  })

  it('gets 401 with the reason for an API key of no agent', async () => {
    const { anonymous, tenant } = await issuerWorld({ api_keys: [{ name: 'batch', agent: null }] })
    const key = { 'x-api-key': tenant.api_keys[0]?.key ?? '' }

    const { status, body } = await anonymous.get('/agents/me').set(key)

    expect(status).toBe(401)
    expect(body.error_description).toContain('the API key is not of an agent')
  })

  it.each([
    ['union', ['identity', 'capabilities', 'workspace', 'agent_id', 'name', 'scopes']],
    ['spec', ['identity', 'capabilities', 'workspace']],
    ['docs', ['agent_id', 'name', 'scopes']],
  ] as const)('has the form %s', async (agents_me, members) => {
    const { request } = await issuerWorld({ dialect: { agents_me } })

    const { status, body } = await request.get('/agents/me')

    expect(status).toBe(200)
    expect(Object.keys(body).filter((it) => it !== 'expires_at')).toEqual(members)
  })

  it('uses the base path of the request', async () => {
    const { request, tenant } = await issuerWorld()

    const { body } = await request.get(`${tenant.urls.org}/agents/me`)

    expect(body.workspace.api_base).toBe(`${new URL(tenant.urls.org).pathname}/`)
  })
})

describe('agents/ask', () => {
  it.each([{}, { action: '' }, { action: 1 }, { action: 'x', context: 'y' }])(
    'gets an error for %j',
    async (body) => {
      const { request, happened } = await issuerWorld()

      expect((await request.post('/agents/ask').send(body)).status).toBe(400)
      expect(happened('agent.asked')).toEqual([])
    },
  )

  it('gets 429 with retry-after when the budget is used up', async () => {
    const { request } = await issuerWorld({
      agents: [{ name: 'report-bot', budget: { max_api_calls_per_hour: 1 } }],
    })
    const body = { action: 'read:documents' }
    await request.post('/agents/ask').send(body)

    const answer = await request.post('/agents/ask').send(body)

    expect(answer).toMatchObject({ status: 429, body: { error: 'budget_exceeded' } })
    expect(answer.headers['retry-after']).toBe('3600')
  })

  it('answers in both forms at once, with the id that the journal holds', async () => {
    const { request, happened } = await issuerWorld()

    const { body } = await request
      .post('/agents/ask')
      .send({ action: 'read:documents', context: { ticket: 7 } })

    expect(body).toEqual({
      allowed: true,
      action: 'read:documents',
      context: { ticket: 7 },
      reason: 'the agent has the capability read:documents',
      decided_by: 'capability',
      explanation: 'the agent has the capability read:documents',
      confidence: 1,
      required_scopes: ['read:documents'],
      audit_id: expect.stringMatching(/^[0-9a-f]{16}$/),
    })
    expect(happened('agent.asked')).toMatchObject([{ auditId: body.audit_id, allowed: true }])
  })

  it.each([
    ['action', 'confidence', 'reason'],
    ['question', 'reason', 'confidence'],
  ] as const)('has the form %s', async (ask_answer, absent, present) => {
    const { request } = await issuerWorld({ dialect: { ask_answer } })

    const { body } = await request.post('/agents/ask').send({ question: 'May I read:documents?' })

    expect(body).not.toHaveProperty(absent)
    expect(body).toHaveProperty(present)
  })

  it('evaluates a detail by the policy', async () => {
    const { request } = await issuerWorld()
    const allowed = async (authorization_details: object) =>
      (
        await request
          .post('/agents/ask')
          .send({ action: 'read', context: { authorization_details } })
      ).body.allowed

    expect(await allowed(reading)).toBe(true)
    expect(await allowed(exporting)).toBe(false)
  })
})

describe('agents/register', () => {
  it.each([
    [{}, 400],
    [{ name: 'two  spaces' }, 400],
    [{ name: 'a/b' }, 400],
    [{ name: 'x', capabilities: 'read' }, 400],
    [{ name: 'x', capabilities: ['a b'] }, 400],
    [{ name: 'x', capabilities: ['admin:all'] }, 403],
    [{ name: 'stranger' }, 409],
    [{ name: 'report-bot', client_id: 'other' }, 409],
    [{ name: 'Report', client_id: 'report-bot', capabilities: ['admin:all'] }, 403],
  ])('is refused for %j with %j', async (body, status) => {
    const { request, happened } = await issuerWorld(helpers)

    expect((await request.post('/agents/register').send(body)).status).toBe(status)
    expect(happened('agent.registered')).toEqual([])
  })

  it('creates an agent that can get its own token', async () => {
    const { anonymous, request, tenant } = await issuerWorld()

    const { status, body } = await request
      .post('/agents/register')
      .send({ name: 'helper', capabilities: ['read:documents'] })
    const { client_id, client_secret } = body
    const login = await anonymous
      .post('/oauth/token')
      .type('form')
      .send({ grant_type: 'client_credentials', client_id, client_secret })

    expect(status).toBe(200)
    expect(body).toMatchObject({ name: 'helper', client_id: 'helper', status: 'active' })
    expect(login.body).toMatchObject({ scope: 'read:documents' })
    expect(JSON.stringify(tenant.journal())).not.toContain(body.client_secret)
    expect(JSON.stringify(tenant.exchanges())).not.toContain(body.client_secret)
  })

  it('renames an agent that names its own client, and changes nothing else', async () => {
    const { request, happened } = await issuerWorld()
    const order = { name: 'Document Analyser', client_id: 'report-bot' }

    const { status, body } = await request.post('/agents/register').send(order)
    const { body: info } = await request.get('/oauth/userinfo')

    expect(status).toBe(200)
    expect(body).toMatchObject({
      success: true,
      name: 'Document Analyser',
      client_id: 'report-bot',
    })
    expect(body.client_secret).toBeUndefined()
    expect(info.name).toBe('Document Analyser')
    expect(info.sub).toBe('agent:report-bot')
    expect(happened('agent.registered')).toMatchObject([{ agent: { id: info.agent_id } }])
  })

  it('by a user with agents.manage gets 200, or 201 if the dialect says so', async () => {
    const { as, userToken } = await issuerWorld({
      dialect: { register_status: '201' },
      users: [{ email: 'ada@example.com', permissions: ['agents.manage'] }, { email: 'b@x.com' }],
    })
    const body = { name: 'helper', capabilities: ['anything'] }
    const register = async (email: string) =>
      (
        await as(await userToken(email))
          .post('/agents/register')
          .send(body)
      ).status

    expect(await register('b@x.com')).toBe(403)
    expect(await register('ada@example.com')).toBe(201)
  })
})

describe('agents/me/mcp/authorize', () => {
  const seed = {
    agents: [
      { name: 'report-bot', capabilities: ['mcp:local:*'] },
      { name: 'stranger', capabilities: [] },
    ],
    mcp_servers: [
      { server_id: 'open', name: 'Open', resource_uri: 'https://open.example/mcp' },
      {
        server_id: 'closed',
        name: 'Closed',
        resource_uri: 'https://closed.example/mcp',
        agents: ['stranger'],
      },
    ],
  }

  it.each([
    [{}, 400],
    [{ server_id: 'open' }, 400],
    [{ server_id: 'open', tool: '../../etc' }, 400],
    [{ server_id: 'open"', tool: 'x' }, 400],
    [{ server_id: 'closed', tool: 'search' }, 403],
    [{ server_id: 'unknown', tool: 'search' }, 403],
  ])('is refused for %j with %j', async (body, status) => {
    const { request } = await issuerWorld(seed)

    expect((await request.post('/agents/me/mcp/authorize').send(body)).status).toBe(status)
  })

  it.each([
    ['open', 'https://open.example/mcp#search'],
    ['local', 'local#search'],
  ])('allows a tool of the server %s', async (server_id, resource) => {
    const { request } = await issuerWorld(seed)

    const { body } = await request
      .post('/agents/me/mcp/authorize')
      .send({ server_id, tool: 'search' })

    expect(body).toEqual({
      allowed: true,
      agent_id: 'agt_report-bot',
      resource: { uri: resource, server_id, tool: 'search' },
    })
  })
})

describe('a push approval', () => {
  const order = { task_id: 'deploy-7', reason: 'Deploy', on_behalf_of: 'alice@example.com' }

  it.each([
    [{ ...order, reason: 'x'.repeat(481) }, 400],
    [{ ...order, task_id: 'x'.repeat(129) }, 400],
    [{ ...order, impact: 'huge' }, 400],
    [{ task_id: 'x', reason: 'y' }, 400],
  ])('is refused for %j with %j', async (body, status) => {
    const { request, happened } = await issuerWorld()

    expect((await request.post('/agents/me/approvals').send(body)).status).toBe(status)
    expect(happened('approval.asked')).toEqual([])
  })

  it('is refused to an agent that may not act for users, and to users', async () => {
    const { as, agentToken, userToken } = await issuerWorld(helpers)
    const ask = async (token: string) =>
      (await as(token).post('/agents/me/approvals').send(order)).status

    expect(await ask(await agentToken('stranger'))).toBe(403)
    expect(await ask(await userToken())).toBe(403)
  })

  it('is pending until the named user answers, and then names that user', async () => {
    const { as, request, userToken, agent } = await issuerWorld()
    const asked = await request.post('/agents/me/approvals').send({ ...order, meta: null })
    const { approval_token } = asked.body
    const look = async () =>
      (await request.get(`/agents/me/approvals/${approval_token}/status`)).body
    const before = await look()

    const [byAgent, byOther, byAlice] = [
      agent,
      await userToken(),
      await userToken('alice@example.com'),
    ]
    const answer = async (token: string) =>
      (await as(token).post(`/jit/approve/${approval_token}`).send({})).status
    expect([await answer(byAgent), await answer(byOther), await answer(byAlice)]).toEqual([
      403, 403, 200,
    ])

    expect(asked).toMatchObject({
      status: 201,
      body: { status: 'pending', impact: 'medium', expires_at: '2026-11-24T12:02:00Z' },
    })
    expect(before).toMatchObject({ status: 'pending', responded_at: null, approved_by: null })
    expect(await look()).toEqual({
      approval_token,
      status: 'approved',
      task_id: 'deploy-7',
      impact: 'medium',
      reason: 'Deploy',
      responded_at: '2026-11-24T12:00:00Z',
      approved_by: { user_id: 2 },
    })
  })

  it('is decided by the control plane or a script, and otherwise expires', async () => {
    const { request, control, tenant } = await issuerWorld()
    const open = async () =>
      (await request.post('/agents/me/approvals').send(order)).body.approval_token
    const status = async (token: string) =>
      (await request.get(`/agents/me/approvals/${token}/status`)).body.status
    const denied = await open()
    await control.post(`/approvals/${denied}`).send({ decision: 'deny' })
    const expired = await open()
    tenant.clock.advance('PT2M')
    const late = await control.post(`/approvals/${expired}`).send({ decision: 'approve' })
    expect([await status(denied), await status(expired)]).toEqual(['denied', 'expired'])
    tenant.approver.answers({ decision: 'approve', after_polls: 1 })
    const scripted = await open()

    expect([await status(scripted), await status(scripted)]).toEqual(['pending', 'approved'])
    expect(late.status).toBe(400)
  })

  it('gets 403 for another agent', async () => {
    const { as, request, agentToken } = await issuerWorld(helpers)
    const { approval_token } = (await request.post('/agents/me/approvals').send(order)).body
    const line = `/agents/me/approvals/${approval_token}/status`

    expect((await as(await agentToken('stranger')).get(line)).status).toBe(403)
    expect((await request.get('/agents/me/approvals/apr_x/status')).status).toBe(404)
  })

  it('becomes an e-mail without approval_token when users have no device', async () => {
    const { request } = await issuerWorld({ dialect: { push_device: 'email' } })

    const { status, body } = await request.post('/agents/me/approvals').send(order)

    expect(status).toBe(202)
    expect(body.status).toBe('email_fallback_sent')
    expect(body).not.toHaveProperty('approval_token')
  })
})

describe('me', () => {
  it('describes an agent or a user, without null values', async () => {
    const { request, as, userToken } = await issuerWorld({ name: 'Acme', tenant: 'acme' })

    const bot = (await request.get('/me')).body
    const person = (await as(await userToken()).get('/me')).body

    expect(bot).toMatchObject({ subject_type: 'agent', id: 'agt_report-bot', name: 'report-bot' })
    expect(person).toMatchObject({
      subject_type: 'user',
      email: 'approver@example.com',
      capabilities: ['jit.approve'],
      tenant: { slug: 'acme', name: 'Acme' },
    })
    expect(JSON.stringify([bot, person])).not.toContain('null')
  })
})

describe('authz', () => {
  it('takes the tenant from the token when the path names none', async () => {
    const { request, harness } = await issuerWorld()
    harness.createTenant({})

    const { status, body } = await request
      .post(`${harness.issuer}/api/v1/authz/check`)
      .send({ permission: 'read:documents', context: { a: 1 } })

    expect(status).toBe(200)
    expect(body).toEqual({
      allowed: true,
      permission: 'read:documents',
      subject_type: 'agent',
      subject_id: 'agt_report-bot',
      user_id: 'agt_report-bot',
      context: { a: 1 },
    })
  })

  it.each([
    ['/authz/check', {}, 'MISSING_PERMISSION'],
    ['/authz/check', { permission: '' }, 'MISSING_PERMISSION'],
    ['/authz/check-bulk', {}, 'INVALID_PERMISSIONS'],
    ['/authz/check-any', { permissions: [] }, 'INVALID_PERMISSIONS'],
    ['/authz/check-all', { permissions: [''] }, 'INVALID_PERMISSIONS'],
  ])('POST %s is refused for %j', async (path, body, code) => {
    const { request } = await issuerWorld()

    const answer = await request.post(path).send(body)

    expect(answer).toMatchObject({ status: 400, body: { code } })
  })

  it('checks several permissions at once', async () => {
    const { request } = await issuerWorld()
    const permissions = ['read:documents', 'launch:rockets']
    const check = async (variant: string) =>
      (await request.post(`/authz/check-${variant}`).send({ permissions })).body

    expect((await check('bulk')).results).toEqual({
      'read:documents': true,
      'launch:rockets': false,
    })
    expect((await check('any')).allowed).toBe(true)
    expect((await check('all')).allowed).toBe(false)
  })

  it('tells an agent about a user only if it may act for users', async () => {
    const { request, as, agentToken } = await issuerWorld(helpers)
    const body = { permission: 'jit.approve', user_id: 'approver@example.com' }
    const stranger = await agentToken('stranger')

    expect((await request.post('/authz/check').send(body)).body.allowed).toBe(true)
    expect((await as(stranger).post('/authz/check').send(body)).status).toBe(403)
    await request.get('/authz/permissions?user_id=unknown').expect(404)
  })

  it('lists permissions as objects with slug, description and source', async () => {
    const { request } = await issuerWorld({
      agents: [{ name: 'report-bot', capabilities: ['read:documents'] }],
    })

    expect((await request.get('/authz/permissions')).body).toEqual({
      user_id: 'agt_report-bot',
      permissions: [
        { slug: 'read:documents', description: 'read:documents', source: 'capability' },
      ],
      count: 1,
    })
  })

  it.each([
    ['user', 'alice@example.com', 'jit.approve', false],
    ['user', 'approver@example.com', 'jit.approve', true],
    ['agent', 'agt_report-bot', 'read:documents', true],
    ['agent', 'agt_report-bot', 'launch:rockets', false],
  ])('answers for the named subject: %s %s', async (type, id, permission, allowed) => {
    const { as, userToken } = await issuerWorld({
      users: [
        { email: 'approver@example.com', permissions: ['jit.approve'] },
        { email: 'alice@example.com' },
      ],
    })
    const reviewer = as(await userToken())

    const { body } = await reviewer.post('/authz/check').send({ permission, subject: { type, id } })

    expect(body).toMatchObject({ allowed, permission, subject_type: type })
  })

  it.each([
    ['user', 'agt_report-bot'],
    ['agent', 'approver@example.com'],
    ['user', '00000000-0000-0000-0000-000000000000'],
  ])('refuses an unknown subject in every check: %s %s', async (type, id) => {
    const { as, userToken } = await issuerWorld()
    const reviewer = as(await userToken())
    const subject = { type, id }

    const one = await reviewer.post('/authz/check').send({ permission: 'a', subject })
    expect(one).toMatchObject({ status: 404, body: { error: 'SUBJECT_NOT_FOUND' } })
    for (const form of ['bulk', 'any', 'all']) {
      const several = await reviewer
        .post(`/authz/check-${form}`)
        .send({ permissions: ['a'], subject })
      expect(several).toMatchObject({ status: 404, body: { error: 'SUBJECT_NOT_FOUND' } })
    }
  })
})

describe('userinfo of an agent', () => {
  it('shows its budget and its usage', async () => {
    const { request } = await issuerWorld({
      agents: [
        { name: 'report-bot', budget: { max_tokens_per_day: 10, allowed_models: ['small'] } },
      ],
    })
    await request.post('/agents/ask').send({ action: 'x' })

    const { body } = await request.get('/oauth/userinfo')

    expect(body.budget_policy).toEqual({
      max_tokens_per_day: 10,
      tokens_used_today: 1,
      api_calls_this_hour: 1,
      allowed_models: ['small'],
    })
  })
})

it('bc-authorize tells an agent that may not act for users nothing about them', async () => {
  const { tenant, anonymous } = await issuerWorld(helpers)
  const { client_id, client_secret } = tenant.agents[1] ?? {}
  const ask = async (login_hint: string) => {
    const detail = { type: 'payment', actions: ['initiate'] }
    const { status, body } = await anonymous
      .post('/oauth/bc-authorize')
      .type('form')
      .send({
        client_id,
        client_secret,
        login_hint,
        authorization_details: JSON.stringify([detail]),
      })
    return { status, body }
  }

  const known = await ask('alice@example.com')

  expect(known).toMatchObject({ status: 403, body: { error: 'delegation_not_allowed' } })
  expect(await ask('unknown@example.com')).toEqual(known)
})
