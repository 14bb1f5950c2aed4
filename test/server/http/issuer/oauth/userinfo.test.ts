import { describe, expect, it } from 'vitest'
import { bearer } from '../../../../support/signed-in.ts'
import { delegation, world } from './world.ts'

describe('userinfo', () => {
  it.each<[string, Record<string, string>, number]>([
    ['nothing', {}, 401],
    ['a token that is none', { authorization: 'Bearer x.y.z' }, 401],
    ['an unknown key', { 'x-api-key': 'lmk_unknown' }, 401],
    ['an unknown key as bearer', { authorization: 'Bearer lmk_unknown' }, 401],
    ['Basic', { authorization: 'Basic eDp5' }, 401],
  ])('gets an error for %s', async (_name, headers, status) => {
    const answered = await world().request.get('/oauth/userinfo').set(headers)

    expect(answered.status).toBe(status)
    expect(answered.headers['www-authenticate']).toMatch(/^Bearer realm=/)
  })

  it('describes an agent, by GET and by POST, without null values', async () => {
    const at = world()
    const auth = bearer(await at.agentToken())

    const { body } = await at.request.get('/oauth/userinfo').set(auth)
    const posted = await at.request.post('/oauth/userinfo').set(auth).type('form')

    expect(posted.body).toEqual(body)
    expect(body).toMatchObject({
      sub: 'agent:report-bot',
      agent_id: 'agt_report-bot',
      identity_type: 'agent',
      capabilities: ['read:documents', 'write:reports'],
      tenant: at.tenant.tenant,
    })
    expect(JSON.stringify(body)).not.toContain('null')
  })

  it('describes a user', async () => {
    const at = world({
      clock: '2026-01-01T00:00:00Z',
      users: [
        {
          email: 'alice@example.com',
          name: 'Alice B. Analyst',
          roles: ['analyst'],
          picture: 'https://a.test/alice.png',
        },
      ],
    })

    const { body } = await at.as(await at.userToken()).get('/oauth/userinfo')

    expect(body).toEqual({
      sub: 'user:alice',
      name: 'Alice B. Analyst',
      given_name: 'Alice',
      family_name: 'B. Analyst',
      picture: 'https://a.test/alice.png',
      updated_at: 1_767_225_600,
      email: 'alice@example.com',
      email_verified: true,
      roles: ['analyst'],
      tenant: at.tenant.tenant,
    })
  })

  it('names the user an agent acts for', async () => {
    const at = world()
    const { body: issued } = await at.exchange(
      delegation(await at.userToken(), await at.agentToken()),
    )

    const { body } = await at.as(issued.access_token).get('/oauth/userinfo')

    expect(body).toMatchObject({ sub: 'user:alice', act: { sub: 'agent:report-bot' } })
  })

  it('has the other form of one example if the dialect says so (row 23)', async () => {
    const at = world({ dialect: { userinfo_sub: 'agent_name' } })

    const { body } = await at.as(await at.agentToken()).get('/oauth/userinfo')

    expect(body.sub).toBe('agent_report-bot')
  })
})

describe('an API key', () => {
  const forms = (key: string): Record<string, string>[] => [
    { 'x-api-key': key },
    { authorization: `ApiKey ${key}` },
    { authorization: `Bearer ${key}` },
  ]

  it('authenticates its agent in each of three places (row 33)', async () => {
    const at = world()
    const [{ key } = { key: '' }] = at.tenant.api_keys

    expect(key).toMatch(/^lmk_/)
    for (const headers of forms(key)) {
      const { body } = await at.request.get('/oauth/userinfo').set(headers)
      expect(body.agent_id).toBe('agt_report-bot')
    }
  })

  it('is refused together with a bearer token, which would be ambiguous', async () => {
    const at = world()
    const [{ key } = { key: '' }] = at.tenant.api_keys

    const { status, body } = await at.request.get('/oauth/userinfo').set({
      ...bearer(await at.agentToken()),
      'x-api-key': key,
    })

    expect([status, body.error]).toEqual([400, 'invalid_request'])
  })

  it('works in its own tenant only, with any prefix', async () => {
    const seed = { api_keys: [{ name: 'legacy', key: 'sk_agent_live_123' }] }
    const at = world(seed)
    const headers = { 'x-api-key': 'sk_agent_live_123' }

    expect((await at.request.get('/oauth/userinfo').set(headers)).status).toBe(200)
    expect((await world().request.get('/oauth/userinfo').set(headers)).status).toBe(401)
  })

  it('opens tasks as its agent, and cannot approve', async () => {
    const at = world()
    const headers = { 'x-api-key': at.tenant.api_keys[0]?.key ?? '' }

    const { status, body } = await at.request.post('/jit/task').set(headers).send({})

    expect([status, body.agent_id]).toEqual([201, 'agt_report-bot'])
    expect((await at.request.get('/jit/pending').set(headers)).status).toBe(403)
  })
})
