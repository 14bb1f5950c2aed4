import { describe, expect, it } from 'vitest'
import { accessTokenType, jwtTokenType, tokenExchange } from '../../../../../server/wire/index.ts'
import { bearer, type Seed } from '../../../../support/signed-in.ts'
import { claimsOf, delegation, world } from './world.ts'

const agents: Seed['agents'] = [
  { name: 'orchestrator' },
  { name: 'searcher' },
  { name: 'scraper' },
  { name: 'printer' },
  { name: 'loner', may_delegate: false },
]
const api = 'https://api.lumoauth.test'

/** A chain of delegations, one agent after the other. */
const chain = async (at: ReturnType<typeof world>, ...names: string[]) => {
  let subject = await at.userToken()
  for (const name of names) {
    const { body } = await at.exchange(delegation(subject, await at.agentToken(name)))
    subject = body.access_token
  }
  return subject
}

describe('exchanging a token', () => {
  it.each<[string, object, string]>([
    ['no subject_token', { subject_token: undefined }, 'invalid_request'],
    ['no subject_token_type', { subject_token_type: undefined }, 'invalid_request'],
    ['an actor_token_type alone', { actor_token_type: accessTokenType }, 'invalid_request'],
    ['an actor_token alone', { actor_token: 'x' }, 'invalid_request'],
    ['an unknown type', { subject_token_type: 'urn:x:saml' }, 'unsupported_token_type'],
    ['a token type we do not issue', { requested_token_type: 'urn:x:saml' }, 'invalid_request'],
    ['a token that is none', { subject_token: 'x' }, 'invalid_grant'],
    ['a resource with a fragment', { resource: `${api}#x` }, 'invalid_target'],
    ['an unknown audience', { audience: 'urn:mcp:unknown' }, 'invalid_target'],
  ])('gets an error for %s', async (_name, fields, error) => {
    const at = world()
    const subject_token = await at.agentToken()

    const { status, body } = await at.exchange({ subject_token, ...fields })

    expect(status).toBe(400)
    expect(body.error).toBe(error)
  })

  it('gets an error once the subject token is revoked or expired; the dialect selects the code', async () => {
    const at = world({
      clock: '2026-01-01T00:00:00Z',
      dialect: { exchange_bad_token: 'invalid_request' },
    })
    const revoked = await at.agentToken()
    const expired = await at.agentToken()
    await at.request
      .post('/oauth/revoke')
      .type('form')
      .send({ token: revoked, ...at.own })

    const first = await at.exchange({ subject_token: revoked })
    at.tenant.clock.advance('PT1H')
    const second = await at.exchange({ subject_token: expired })

    expect([first.status, second.status]).toEqual([400, 400])
    expect([first.body.error, second.body.error]).toEqual(['invalid_request', 'invalid_request'])
  })

  it('THR-03: is refused for a token of another tenant', async () => {
    const at = world()
    const subject_token = await world().agentToken()

    expect((await at.exchange({ subject_token })).body.error).toBe('invalid_grant')
  })

  it('gets 401 without client credentials if the dialect requires them', async () => {
    const at = world({ dialect: { exchange_client_auth: 'required' } })
    const subject_token = await at.agentToken()

    expect((await at.exchange({ subject_token })).status).toBe(401)
    expect((await at.exchange({ subject_token, ...at.own })).status).toBe(200)
  })

  it('is refused with the credentials of another client', async () => {
    const at = world({ agents: [{ name: 'report-bot' }, { name: 'other' }] })
    const subject_token = await at.agentToken('other')

    expect((await at.exchange({ subject_token, ...at.own })).body.error).toBe('invalid_grant')
  })
})

describe('delegation', () => {
  it('puts the user into sub and the agent into act', async () => {
    const at = world()
    const { status, body } = await at.exchange(
      delegation(await at.userToken(), await at.agentToken()),
    )

    expect(status).toBe(200)
    expect(body.issued_token_type).toBe(accessTokenType)
    expect(claimsOf(body.access_token)).toMatchObject({
      sub: 'user:alice',
      act: { sub: 'agent:report-bot' },
      agent_id: 'agt_report-bot',
    })
  })

  it('is refused to an agent that may not act for users', async () => {
    const at = world({ agents })
    const fields = delegation(await at.userToken(), await at.agentToken('loner'))

    const { status, body } = await at.exchange(fields)
    await at.control.put('/dialect').send({ no_delegation: 'insufficient_scope' })
    const asInGo = await at.exchange(fields)

    expect([status, body.error]).toEqual([403, 'delegation_not_allowed'])
    expect(body.error_description).toContain('delegate:on_behalf')
    expect([asInGo.status, asInGo.body.error]).toEqual([403, 'insufficient_scope'])
  })

  it('is refused for a fourth actor', async () => {
    const at = world({ agents })
    const three = await chain(at, 'orchestrator', 'searcher', 'scraper')

    const { status, body } = await at.exchange(delegation(three, await at.agentToken('printer')))

    expect(status).toBe(403)
    expect(body).toMatchObject({ error: 'delegation_depth_exceeded', max_depth: 3 })
  })

  it('puts the newest actor innermost in act, or outermost as in RFC 8693 (row 16)', async () => {
    const at = world({ agents })
    const lumo = await chain(at, 'orchestrator', 'searcher')
    await at.control.put('/dialect').send({ act_order: 'rfc8693' })
    const rfc = await chain(at, 'orchestrator', 'searcher')

    expect(claimsOf(lumo).act).toEqual({
      sub: 'agent:orchestrator',
      act: { sub: 'agent:searcher' },
    })
    expect(claimsOf(rfc).act).toEqual({ sub: 'agent:searcher', act: { sub: 'agent:orchestrator' } })
  })

  it.each<[string, 400 | 403]>([
    ['400', 400],
    ['403', 403],
  ])(
    'is refused with %s for a scope that one of the two tokens lacks (row 18)',
    async (value, status) => {
      const at = world({ dialect: { exchange_scope_status: value as '400' } })
      const user = await at.userToken({ scope: 'read:documents' })
      const fields = delegation(user, await at.agentToken())

      const answered = await at.exchange({ ...fields, scope: 'write:reports' })

      expect(answered.status).toBe(status)
      expect(answered.body.error).toBe('insufficient_scope')
    },
  )

  it('has the scopes that both tokens have, and expires with the first of them (row 40)', async () => {
    const at = world()
    const user = await at.userToken({ scope: 'openid read:documents', expires_in: 300 })

    const { body } = await at.exchange(delegation(user, await at.agentToken()))

    expect(body.scope).toBe('read:documents')
    expect(body.expires_in).toBeLessThanOrEqual(300)
  })

  it('is refused for two agents, and for a user as actor', async () => {
    const at = world({ agents })
    const user = await at.userToken()
    const agent = await at.agentToken()

    expect((await at.exchange(delegation(agent, agent))).body.error).toBe('invalid_grant')
    expect((await at.exchange(delegation(user, user))).body.error).toBe('invalid_grant')
  })

  it('TEX-14: is refused to an agent that may_act does not name', async () => {
    const at = world({ agents })
    const user = await at.userToken({ may_act: 'searcher' })

    const other = await at.exchange(delegation(user, await at.agentToken('scraper')))
    const named = await at.exchange(delegation(user, await at.agentToken('searcher')))

    expect(claimsOf(user).may_act).toEqual({ sub: 'agent:searcher' })
    expect([other.status, other.body.error]).toEqual([403, 'delegation_not_allowed'])
    expect(named.status).toBe(200)
  })

  it('TEX-13: carries the user’s details only if requested, and never more of them', async () => {
    const at = world()
    const everywhere = { type: 'file_access', actions: ['read', 'write'], identifier: 'q4.pdf' }
    const held = { ...everywhere, locations: ['https://archive.example'] }
    const user = await at.userToken({ authorization_details: [held] })
    const fields = delegation(user, await at.agentToken())
    const asking = (detail: object) =>
      at.exchange({ ...fields, authorization_details: JSON.stringify([detail]) })

    const silent = await at.exchange(fields)
    const fewer = await asking({ ...held, actions: ['read'] })
    const more = await asking({ ...held, actions: ['delete'] })

    expect(silent.body).not.toHaveProperty('authorization_details')
    expect(fewer.body.authorization_details).toEqual([{ ...held, actions: ['read'] }])
    for (const { status, body } of [more, await asking(everywhere)]) {
      expect([status, body.error]).toEqual([400, 'invalid_authorization_details'])
    }
  })

  it('makes the acting agent the owner of tasks (§8.5)', async () => {
    const at = world({ agents })
    const own = await at.agentToken('searcher')
    const delegated = await chain(at, 'searcher')
    const { body: task } = await at.as(delegated).post('/jit/task').send({ name: 'Q4' })

    const byItself = await at.as(own).post(`/jit/task/${task.task_id}/complete`).send({})

    expect(task.agent_id).toBe('agt_searcher')
    expect(byItself.status).toBe(200)
  })

  it('does not give the agent the permissions of its user', async () => {
    const at = world()
    const user = await at.userToken({ user: 'approver@example.com' })
    const { body } = await at.exchange(delegation(user, await at.agentToken()))

    expect((await at.as(user).get('/jit/pending')).status).toBe(200)
    expect((await at.as(body.access_token).get('/jit/pending')).status).toBe(403)
  })
})

describe('narrowing a token', () => {
  it('is refused for a wider scope, and for details it lacks', async () => {
    const at = world()
    const subject_token = await at.agentToken(undefined, { scope: 'read:documents' })
    const details = JSON.stringify([{ type: 'payment', actions: ['initiate'] }])

    const wider = await at.exchange({ subject_token, scope: 'read:documents write:reports' })
    const detailed = await at.exchange({ subject_token, authorization_details: details })

    expect([wider.status, wider.body.error]).toEqual([400, 'invalid_scope'])
    expect(detailed.body.error).toBe('invalid_authorization_details')
  })

  it('gets invalid_target for an audience the token does not have', async () => {
    const at = world()
    const subject_token = await at.agentToken(undefined, { resource: api })

    const { body } = await at.exchange({ subject_token, resource: at.tenant.urls.tenant })

    expect(body.error).toBe('invalid_target')
  })

  it('TEX-15: is refused for a JIT token', async () => {
    const at = world()
    const auth = bearer(await at.agentToken())
    const detail = { type: 'file_access', actions: ['read'], identifier: 'q4.pdf' }
    const { body: task } = await at.request.post('/jit/task').set(auth).send({})
    const { body: made } = await at.request
      .post('/jit/request')
      .set(auth)
      .send({ task_id: task.task_id, authorization_details: detail })
    const { body: jit } = await at.request
      .post(`/jit/request/${made.request_id}/token`)
      .set(auth)
      .send({})

    const { status, body } = await at.exchange({ subject_token: jit.access_token })

    expect([status, body.error]).toEqual([400, 'invalid_grant'])
  })

  it('keeps sub, act and exp', async () => {
    const at = world()
    const { body } = await at.exchange(delegation(await at.userToken(), await at.agentToken()))
    const wide = claimsOf(body.access_token)

    const { body: narrow } = await at.exchange({
      subject_token: body.access_token,
      scope: 'read:documents',
      resource: api,
    })

    const claims = claimsOf(narrow.access_token)
    expect(claims).toMatchObject({
      sub: wide.sub,
      act: wide.act,
      aud: api,
      scope: 'read:documents',
    })
    expect(claims.exp).toBeLessThanOrEqual(wide.exp)
    expect(claims.jti).not.toBe(wide.jti)
  })
})

describe('the older form, for an approved task', () => {
  const opened = async (required_scopes: string[], seed: Seed = {}) => {
    const at = world({ clock: '2026-01-01T00:00:00Z', ...seed })
    const subject_token = await at.agentToken()
    const auth = bearer(subject_token)
    const order = { task_description: 'Read the Q4 report', required_scopes }
    const { body: task } = await at.request.post('/jit/task').set(auth).send(order)
    return { ...at, auth, subject_token, jit_task_id: task.task_id }
  }

  it('is refused until a person has decided', async () => {
    const at = await opened(['delete:documents'])
    const { subject_token, jit_task_id } = at

    const { status, body } = await at.exchange({ subject_token, jit_task_id })

    expect([status, body.error]).toEqual([403, 'request_not_approved'])
  })

  it('is refused for a scope that was not approved, and for another agent’s task', async () => {
    const at = await opened(['read:documents'], {
      approver: { decision: 'approve' },
      agents: [{ name: 'report-bot' }, { name: 'stranger' }],
    })
    const { subject_token, jit_task_id } = at

    const wider = await at.exchange({ subject_token, jit_task_id, scope: 'write:reports' })
    const foreign = await at.exchange({
      subject_token: await at.agentToken('stranger'),
      jit_task_id,
    })

    expect([wider.status, wider.body.error]).toEqual([400, 'invalid_scope'])
    expect([foreign.status, foreign.body.error]).toEqual([403, 'task_forbidden'])
  })

  it('is refused for a subject token whose aud is not the issuer', async () => {
    const at = await opened(['read:documents'], { approver: { decision: 'approve' } })
    const { subject_token, jit_task_id } = at
    const narrowed = await at.exchange({ subject_token, resource: api })

    const { status, body } = await at.exchange({
      subject_token: narrowed.body.access_token,
      jit_task_id,
    })

    expect(narrowed.status).toBe(200)
    expect([status, body.error]).toEqual([400, 'invalid_grant'])
  })

  it('issues the approved scopes until the approval expires, and is revoked with the task', async () => {
    const at = await opened(['read:documents'], { approver: { decision: 'approve' } })
    const { subject_token, jit_task_id } = at
    const { body } = await at.exchange({ subject_token, jit_task_id, scope: 'read:documents' })
    const alive = async () =>
      (
        await at.request
          .post('/oauth/introspect')
          .type('form')
          .send({ token: body.access_token, ...at.own })
      ).body.active

    expect(body).toMatchObject({ scope: 'read:documents', expires_in: 300 })
    expect(claimsOf(body.access_token)).toMatchObject({ jit: true, task_id: jit_task_id })
    expect(await alive()).toBe(true)

    await at.request.post(`/jit/task/${jit_task_id}/complete`).set(at.auth).send({})
    expect(await alive()).toBe(false)
  })
})

describe('a token for an MCP server', () => {
  const server = {
    server_id: 'urn:mcp:financial-data',
    resource_uri: 'https://mcp.example.com/finance',
    name: 'Financial data',
    token_lifetime: 120,
    agents: ['report-bot'],
  }
  const seed: Seed = {
    agents: [
      { name: 'report-bot', capabilities: ['read:documents', 'mcp:read'] },
      { name: 'stranger' },
    ],
    mcp_servers: [server],
  }

  it('has only this server as aud, with the server’s lifetime and scopes', async () => {
    const at = world(seed)
    const { body } = await at.exchange({
      subject_token: await at.agentToken(),
      audience: server.server_id,
    })

    expect(claimsOf(body.access_token).aud).toBe(server.resource_uri)
    expect(body).toMatchObject({ expires_in: 120, scope: 'mcp:read' })
  })

  it('is refused to an agent the server does not list', async () => {
    const at = world(seed)
    const subject_token = await at.agentToken('stranger')

    const { status, body } = await at.exchange({ subject_token, audience: server.server_id })

    expect([status, body.error]).toEqual([403, 'access_denied'])
  })

  it('names the server by its id if the dialect says so', async () => {
    const at = world({ ...seed, dialect: { mcp_audience: 'server_id' } })
    const { body } = await at.exchange({
      subject_token: await at.agentToken(),
      resource: server.resource_uri,
    })

    expect(claimsOf(body.access_token).aud).toBe(server.server_id)
  })
})

describe('a workload token', () => {
  const seed: Seed = {
    workload: [
      { issuer: 'https://cluster.test', subject: 'system:serviceaccount:bot', agent: 'report-bot' },
    ],
  }
  const login = async (at: ReturnType<typeof world>, order: object = {}, fields: object = {}) => {
    const { access_token } = (await at.control.post('/workload-token').send(order)).body
    return at.token({
      grant_type: tokenExchange,
      subject_token: access_token,
      subject_token_type: jwtTokenType,
      ...fields,
    })
  }

  it.each<[string, object, object?]>([
    ['another subject', { subject: 'system:serviceaccount:other' }],
    ['another audience', { audience: 'https://else.test' }],
    ['an end long ago', { expires_in: -3600 }],
    ['another platform', {}, { subject_issuer: 'aws' }],
  ])('gets workload_identity_failed for %s', async (_name, order, fields) => {
    const { status, body } = await login(world(seed), order, fields)

    expect(status).toBe(401)
    expect(body.error).toBe('workload_identity_failed')
  })

  it('gets 401 for an untrusted platform', async () => {
    const at = world()
    const { access_token } = (await world(seed).control.post('/workload-token').send({})).body

    const { status } = await at.exchange({
      subject_token: access_token,
      subject_token_type: jwtTokenType,
    })

    expect(status).toBe(401)
  })

  it('is exchanged for its agent’s token, at most until it expires itself', async () => {
    const { status, body } = await login(world(seed), { expires_in: 600 })

    expect(status).toBe(200)
    expect(claimsOf(body.access_token).sub).toBe('agent:report-bot')
    expect(body.expires_in).toBeLessThanOrEqual(600)
  })

  it('may come with subject_issuer, which the dialect can require (row 39)', async () => {
    const at = world({ ...seed, dialect: { subject_issuer: 'required' } })

    expect((await login(at)).body.error).toBe('invalid_request')
    expect((await login(at, {}, { subject_issuer: 'kubernetes' })).status).toBe(200)
  })

  it('is described in userinfo', async () => {
    const at = world(seed)
    const { body } = await at.as(await at.agentToken()).get('/oauth/userinfo')

    expect(body.workload_identity).toMatchObject({ provider: 'kubernetes' })
  })
})

describe('an actor token whose aud is not the issuer', () => {
  it('gets invalid_grant', async () => {
    const at = world({ agents })
    const actor = await at.exchange({ subject_token: await at.agentToken(), resource: api })

    const { status, body } = await at.exchange(
      delegation(await at.userToken(), actor.body.access_token),
    )

    expect(actor.status).toBe(200)
    expect([status, body.error]).toEqual([400, 'invalid_grant'])
  })
})

describe('a delegated token without resource', () => {
  it('has its agent as aud, and works at the issuer only if the subject token does', async () => {
    const at = world({ agents })
    const wide = await at.userToken()
    const narrow = (await at.exchange({ subject_token: wide, resource: api })).body.access_token
    const statusAtIssuer = async (subject: string) => {
      const { body } = await at.exchange(delegation(subject, await at.agentToken()))
      expect(claimsOf(body.access_token).aud).toMatch(/^agt_/)
      return (await at.as(body.access_token).get('/oauth/userinfo')).status
    }

    expect(await statusAtIssuer(wide)).toBe(200)
    expect(await statusAtIssuer(narrow)).toBe(401)
  })
})
