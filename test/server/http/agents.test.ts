import { describe, expect, it } from 'vitest'
import { exporting, issuerWorld, reading } from './issuer-world.ts'

const helpers = { agents: [{ name: 'report-bot' }, { name: 'stranger', may_delegate: false }] }

describe('agents/me', () => {
  it('is refused without the token of an agent', async () => {
    const { ask, user } = await issuerWorld()

    expect((await ask('GET /agents/me')).status).toBe(401)
    expect((await ask('GET /agents/me', { token: await user() })).status).toBe(403)
  })

  it.each([
    ['union', ['identity', 'capabilities', 'workspace', 'agent_id', 'name', 'scopes']],
    ['spec', ['identity', 'capabilities', 'workspace']],
    ['docs', ['agent_id', 'name', 'scopes']],
  ] as const)('has the form %s', async (agents_me, members) => {
    const { ask, agent } = await issuerWorld({ dialect: { agents_me } })

    const { status, body } = await ask('GET /agents/me', { token: agent })

    expect(status).toBe(200)
    expect(Object.keys(body).filter((it) => it !== 'expires_at')).toEqual(members)
  })

  it('names the base path the caller used', async () => {
    const { ask, agent, tenant } = await issuerWorld()

    const { body } = await ask(`GET ${tenant.urls.org}/agents/me`, { token: agent })

    expect(body.workspace.api_base).toBe(tenant.urls.org)
  })
})

describe('agents/ask', () => {
  it.each([{}, { action: '' }, { action: 1 }, { action: 'x', context: 'y' }])(
    'is refused for %j',
    async (body) => {
      const { ask, agent, happened } = await issuerWorld()

      expect((await ask('POST /agents/ask', { token: agent, body })).status).toBe(400)
      expect(happened('agent.asked')).toEqual([])
    },
  )

  it('answers 429 with the time to wait when the budget is used up', async () => {
    const { ask, agent } = await issuerWorld({
      agents: [{ name: 'report-bot', budget: { max_api_calls_per_hour: 1 } }],
    })
    const body = { action: 'read:documents' }
    await ask('POST /agents/ask', { token: agent, body })

    const answer = await ask('POST /agents/ask', { token: agent, body })

    expect(answer).toMatchObject({ status: 429, body: { error: 'budget_exceeded' } })
    expect(answer.headers.get('retry-after')).toBe('3600')
  })

  it('answers in both forms at once, and the journal has the same id', async () => {
    const { ask, agent, happened } = await issuerWorld()

    const { body } = await ask('POST /agents/ask', {
      token: agent,
      body: { action: 'read:documents', context: { ticket: 7 } },
    })

    expect(body).toEqual({
      allowed: true,
      action: 'read:documents',
      context: { ticket: 7 },
      reason: 'the agent has the capability read:documents',
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
    const { ask, agent } = await issuerWorld({ dialect: { ask_answer } })

    const { body } = await ask('POST /agents/ask', {
      token: agent,
      body: { question: 'May I read:documents?' },
    })

    expect(body).not.toHaveProperty(absent)
    expect(body).toHaveProperty(present)
  })

  it('puts a detail to the policy', async () => {
    const { ask, agent } = await issuerWorld()
    const allowed = async (authorization_details: object) =>
      (
        await ask('POST /agents/ask', {
          token: agent,
          body: { action: 'read', context: { authorization_details } },
        })
      ).body.allowed

    expect(await allowed(reading)).toBe(true)
    expect(await allowed(exporting)).toBe(false)
  })
})

describe('agents/register', () => {
  it.each([
    [{}, 400],
    [{ name: 'two words' }, 400],
    [{ name: 'x', capabilities: 'read' }, 400],
    [{ name: 'x', capabilities: ['a b'] }, 400],
    [{ name: 'x', capabilities: ['admin:all'] }, 403],
    [{ name: 'report-bot' }, 409],
  ])('is refused for %j with %j', async (body, status) => {
    const { ask, agent, happened } = await issuerWorld()

    expect((await ask('POST /agents/register', { token: agent, body })).status).toBe(status)
    expect(happened('agent.registered')).toEqual([])
  })

  it('gives an agent that can get a token of its own', async () => {
    const { ask, agent, harness, tenant } = await issuerWorld()

    const { status, body } = await ask('POST /agents/register', {
      token: agent,
      body: { name: 'helper', capabilities: ['read:documents'] },
    })
    const login = await harness.fetch(`${tenant.urls.tenant}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: body.client_id,
        client_secret: body.client_secret,
      }),
    })

    expect(status).toBe(201)
    expect(body).toMatchObject({ name: 'helper', client_id: 'helper', status: 'active' })
    expect(await login.json()).toMatchObject({ scope: 'read:documents' })
    expect(JSON.stringify(tenant.journal())).not.toContain(body.client_secret)
    expect(JSON.stringify(tenant.exchanges())).not.toContain(body.client_secret)
  })

  it('takes a person with agents.manage, and answers 200 where the dialect says so', async () => {
    const { ask, user } = await issuerWorld({
      dialect: { register_status: '200' },
      users: [{ email: 'ada@example.com', permissions: ['agents.manage'] }, { email: 'b@x.com' }],
    })
    const body = { name: 'helper', capabilities: ['anything'] }
    const as = async (email: string) =>
      (await ask('POST /agents/register', { token: await user(email), body })).status

    expect(await as('b@x.com')).toBe(403)
    expect(await as('ada@example.com')).toBe(200)
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
    const { ask, agent } = await issuerWorld(seed)

    expect((await ask('POST /agents/me/mcp/authorize', { token: agent, body })).status).toBe(status)
  })

  it.each([
    ['open', 'https://open.example/mcp#search'],
    ['local', 'local#search'],
  ])('allows a tool of the server %s', async (server_id, resource) => {
    const { ask, agent } = await issuerWorld(seed)

    const { body } = await ask('POST /agents/me/mcp/authorize', {
      token: agent,
      body: { server_id, tool: 'search' },
    })

    expect(body).toEqual({ allowed: true, agent_id: 'agt_report-bot', resource })
  })
})

describe('a push approval', () => {
  const order = { task_id: 'deploy-7', reason: 'Deploy', on_behalf_of: 'alice@example.com' }

  it.each([
    [{ ...order, reason: 'x'.repeat(481) }, 400],
    [{ ...order, task_id: 'x'.repeat(129) }, 400],
    [{ ...order, impact: 'huge' }, 400],
    [{ task_id: 'x', reason: 'y' }, 400],
    [{ ...order, on_behalf_of: 'nobody@example.com' }, 404],
  ])('is refused for %j with %j', async (body, status) => {
    const { ask, agent, happened } = await issuerWorld()

    expect((await ask('POST /agents/me/approvals', { token: agent, body })).status).toBe(status)
    expect(happened('approval.asked')).toEqual([])
  })

  it('is refused to an agent that may not act for users, and to people', async () => {
    const { ask, agentNamed, user } = await issuerWorld(helpers)
    const as = async (token: string) =>
      (await ask('POST /agents/me/approvals', { token, body: order })).status

    expect(await as(await agentNamed('stranger'))).toBe(403)
    expect(await as(await user())).toBe(403)
  })

  it('waits, is answered by the person it names, and says by whom', async () => {
    const { ask, agent, user } = await issuerWorld()
    const asked = await ask('POST /agents/me/approvals', {
      token: agent,
      body: { ...order, meta: null },
    })
    const { approval_token } = asked.body
    const look = async () =>
      (await ask(`GET /agents/me/approvals/${approval_token}/status`, { token: agent })).body
    const before = await look()

    const [byAgent, byOther, byAlice] = [agent, await user(), await user('alice@example.com')]
    const answer = async (token: string) =>
      (await ask(`POST /jit/approve/${approval_token}`, { token, body: {} })).status
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
      approved_by: { user_id: 'user:alice', email: 'alice@example.com' },
    })
  })

  it('is answered by the control plane and by a script, and otherwise expires', async () => {
    const { ask, agent, control, tenant } = await issuerWorld()
    const open = async () =>
      (await ask('POST /agents/me/approvals', { token: agent, body: order })).body.approval_token
    const status = async (token: string) =>
      (await ask(`GET /agents/me/approvals/${token}/status`, { token: agent })).body.status
    const denied = await open()
    await control(`POST /approvals/${denied}`, { decision: 'deny' })
    const expired = await open()
    tenant.clock.advance('PT2M')
    const late = await control(`POST /approvals/${expired}`, { decision: 'approve' })
    expect([await status(denied), await status(expired)]).toEqual(['denied', 'expired'])
    tenant.approver.answers({ decision: 'approve', after_polls: 1 })
    const scripted = await open()

    expect([await status(scripted), await status(scripted)]).toEqual(['pending', 'approved'])
    expect(late.status).toBe(400)
  })

  it('is another agent’s secret', async () => {
    const { ask, agent, agentNamed } = await issuerWorld(helpers)
    const { approval_token } = (
      await ask('POST /agents/me/approvals', { token: agent, body: order })
    ).body
    const line = `GET /agents/me/approvals/${approval_token}/status`

    expect((await ask(line, { token: await agentNamed('stranger') })).status).toBe(403)
    expect((await ask('GET /agents/me/approvals/apr_x/status', { token: agent })).status).toBe(404)
  })

  it('is an e-mail where users have no device, so there is no token', async () => {
    const { ask, agent } = await issuerWorld({ dialect: { push_device: 'email' } })

    const { status, body } = await ask('POST /agents/me/approvals', { token: agent, body: order })

    expect(status).toBe(202)
    expect(body.status).toBe('email_fallback_sent')
    expect(body).not.toHaveProperty('approval_token')
  })
})

describe('me', () => {
  it('is an agent or a person, without anything null', async () => {
    const { ask, agent, user } = await issuerWorld({ name: 'Acme', tenant: 'acme' })

    const bot = (await ask('GET /me', { token: agent })).body
    const person = (await ask('GET /me', { token: await user() })).body

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
  it('tells the tenant from the token where the path names none', async () => {
    const { ask, agent, harness } = await issuerWorld()
    harness.createTenant({})

    const { status, body } = await ask(`POST ${harness.issuer}/api/v1/authz/check`, {
      token: agent,
      body: { permission: 'read:documents', context: { a: 1 } },
    })

    expect(status).toBe(200)
    expect(body).toEqual({
      allowed: true,
      permission: 'read:documents',
      user_id: 'agt_report-bot',
      context: { a: 1 },
    })
  })

  it.each([
    ['POST /authz/check', {}, 'MISSING_PERMISSION'],
    ['POST /authz/check', { permission: '' }, 'MISSING_PERMISSION'],
    ['POST /authz/check-bulk', {}, 'INVALID_PERMISSIONS'],
    ['POST /authz/check-any', { permissions: [] }, 'INVALID_PERMISSIONS'],
    ['POST /authz/check-all', { permissions: [''] }, 'INVALID_PERMISSIONS'],
  ])('%s is refused for %j', async (line, body, code) => {
    const { ask, agent } = await issuerWorld()

    const answer = await ask(line, { token: agent, body })

    expect(answer).toMatchObject({ status: 400, body: { code } })
  })

  it('checks several at once', async () => {
    const { ask, agent } = await issuerWorld()
    const permissions = ['read:documents', 'launch:rockets']
    const check = async (variant: string) =>
      (await ask(`POST /authz/check-${variant}`, { token: agent, body: { permissions } })).body

    expect((await check('bulk')).results).toEqual({
      'read:documents': true,
      'launch:rockets': false,
    })
    expect((await check('any')).allowed).toBe(true)
    expect((await check('all')).allowed).toBe(false)
  })

  it('tells an agent about a user only if it may act for users', async () => {
    const { ask, agent, agentNamed } = await issuerWorld(helpers)
    const body = { permission: 'jit.approve', user_id: 'approver@example.com' }
    const stranger = await agentNamed('stranger')

    expect((await ask('POST /authz/check', { token: agent, body })).body.allowed).toBe(true)
    expect((await ask('POST /authz/check', { token: stranger, body })).status).toBe(403)
    const line = 'GET /authz/permissions?user_id=nobody'
    expect((await ask(line, { token: agent })).status).toBe(404)
    expect((await ask('GET /authz/permissions', { token: stranger })).body).toEqual({
      permissions: ['read:documents', 'write:reports'],
      user_id: 'agt_stranger',
    })
  })
})

describe('userinfo of an agent', () => {
  it('shows its budget and what it has used', async () => {
    const { ask, agent } = await issuerWorld({
      agents: [
        { name: 'report-bot', budget: { max_tokens_per_day: 10, allowed_models: ['small'] } },
      ],
    })
    await ask('POST /agents/ask', { token: agent, body: { action: 'x' } })

    const { body } = await ask('GET /oauth/userinfo', { token: agent })

    expect(body.budget_policy).toEqual({
      max_tokens_per_day: 10,
      tokens_used_today: 1,
      api_calls_this_hour: 1,
      allowed_models: ['small'],
    })
  })
})
