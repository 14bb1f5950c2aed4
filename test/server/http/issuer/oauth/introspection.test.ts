import { describe, expect, it } from 'vitest'
import { delegation, world } from './world.ts'

const api = 'https://api.lumoauth.test'

describe('introspection', () => {
  it.each<[string, object]>([
    ['no credentials', {}],
    ['a wrong secret', { client_id: 'report-bot', client_secret: 'wrong-secret' }],
    [
      'an assertion of an unknown client',
      { client_id: 'unknown-client', client_assertion: 'x.y.z' },
    ],
  ])('INT-01: is refused with %s', async (_name, fields) => {
    const at = world()

    const { status } = await at.request
      .post('/oauth/introspect')
      .type('form')
      .send({
        token: await at.agentToken(),
        ...fields,
      })

    expect(status).toBe('client_assertion' in fields ? 400 : 401)
  })

  it('INT-02: answers active: false for an expired, revoked, unknown or another tenant’s token', async () => {
    const at = world({ clock: '2026-01-01T00:00:00Z' })
    const expired = await at.agentToken()
    const foreign = await world().agentToken()
    at.tenant.clock.advance('PT1H')

    for (const token of [expired, foreign, 'gibberish', 'a.b.c', '{}']) {
      const { status, body } = await at.request
        .post('/oauth/introspect')
        .type('form')
        .send({ token, ...at.own })
      expect(status).toBe(200)
      expect(body).toEqual({ active: false })
    }
  })

  it('shows a resource server only the tokens for its aud', async () => {
    const at = world()
    const { client_id, client_secret } = at.tenant.api_client
    const seen = async (resource: string) => {
      const token = await at.agentToken(undefined, { resource })
      return (
        await at.request
          .post('/oauth/introspect')
          .type('form')
          .send({ token, client_id, client_secret })
      ).body.active
    }

    expect(await seen(at.tenant.urls.tenant)).toBe(false)
    expect(await seen(api)).toBe(true)
  })

  it('shows an application only its own tokens', async () => {
    const at = world({ applications: [{ name: 'web', redirect_uris: ['https://app.test/cb'] }] })
    const { client_id, client_secret } = at.tenant.applications[0] ?? {}
    const fields = { token: await at.agentToken(), client_id, client_secret }

    expect((await at.request.post('/oauth/introspect').type('form').send(fields)).body).toEqual({
      active: false,
    })
  })

  it('shows the act of a delegated token, and its user', async () => {
    const at = world()
    const { body: issued } = await at.exchange(
      delegation(await at.userToken(), await at.agentToken()),
    )

    const { body } = await at.request
      .post('/oauth/introspect')
      .type('form')
      .send({ token: issued.access_token, ...at.own })

    expect(body).toMatchObject({
      active: true,
      sub: 'user:alice',
      username: 'alice@example.com',
      act: { sub: 'agent:report-bot' },
      token_type: 'Bearer',
    })
    expect(body.nbf).toBe(body.iat)
  })
})

describe('revocation', () => {
  it('REV-01: is refused for another client’s token, which stays active', async () => {
    const at = world({ agents: [{ name: 'report-bot' }, { name: 'other' }] })
    const token = await at.agentToken('other')

    const { status, body } = await at.request
      .post('/oauth/revoke')
      .type('form')
      .send({ token, ...at.own })
    const { body: seen } = await at.request
      .post('/oauth/introspect')
      .type('form')
      .send({ token, ...at.tenant.api_client })

    expect([status, body.error]).toEqual([400, 'unauthorized_client'])
    expect(seen.active).toBe(true)
  })

  it('ignores an unknown token_type_hint (RFC 7009 §2.2)', async () => {
    const at = world()
    const token = await at.agentToken()

    const { status } = await at.request
      .post('/oauth/revoke')
      .type('form')
      .send({ token, token_type_hint: 'id_token', ...at.own })

    expect(status).toBe(200)
    expect((await at.as(token).get('/oauth/userinfo')).status).toBe(401)
  })

  it('REV-02, REV-03: of an unknown token gets 200; a wrong token_type_hint still finds the token', async () => {
    const at = world()
    const token = await at.agentToken()
    const revoke = (fields: object) =>
      at.request
        .post('/oauth/revoke')
        .type('form')
        .send({ ...at.own, ...fields })

    const unknown = await revoke({ token: 'gibberish' })
    const hinted = await revoke({ token, token_type_hint: 'refresh_token' })
    const again = await revoke({ token })

    expect([unknown.status, hinted.status, again.status]).toEqual([200, 200, 200])
    expect(hinted.headers.pragma).toBe('no-cache')
    expect((await at.as(token).get('/oauth/userinfo')).status).toBe(401)
  })
})
