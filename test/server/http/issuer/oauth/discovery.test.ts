import { decodeProtectedHeader as headerOf } from 'jose'
import { describe, expect, it } from 'vitest'
import type { Seed } from '../../../../support/signed-in.ts'
import { harness, world } from './world.ts'

const server = {
  server_id: 'mcp_0123456789abcdef01234567',
  resource_uri: 'https://mcp.example.com/finance',
  name: 'Financial data',
}

describe('authorization server metadata', () => {
  it('ASM-01, ASM-02: is found at every well-known path, and names the requested issuer', async () => {
    const { request, tenant } = world()
    const slug = tenant.tenant
    const paths = ['t', 'orgs'].flatMap((kind) => [
      `/${kind}/${slug}/api/v1/.well-known/oauth-authorization-server`,
      `/${kind}/${slug}/api/v1/.well-known/openid-configuration`,
      `/${kind}/${slug}/.well-known/openid-configuration`,
      `/.well-known/oauth-authorization-server/${kind}/${slug}/api/v1`,
      `/.well-known/openid-configuration/${kind}/${slug}/api/v1`,
    ])

    for (const path of paths) {
      const { status, body } = await request.get(harness.issuer + path)
      expect(status).toBe(200)
      expect(body.issuer).toBe(path.includes('/orgs/') ? tenant.urls.org : tenant.urls.tenant)
    }
  })

  it('gets 404 below an invalid tenant name', async () => {
    const { status } = await world().request.get(
      `${harness.issuer}/t/%00/api/v1/.well-known/jwks.json`,
    )

    expect(status).toBe(404)
  })

  it.each([
    'jwks.json',
    'openid-configuration',
    'oauth-authorization-server',
    'oauth-protected-resource',
  ])('serves the first tenant at the root: %s', async (document) => {
    const { status } = await world().request.get(`${harness.issuer}/.well-known/${document}`)

    expect(status).toBe(200)
  })

  it('names token endpoints that work at the root, too, for the first tenant', async () => {
    const [first] = harness.tenants
    const own = {
      client_id: first?.agents[0]?.client_id,
      client_secret: first?.agents[0]?.client_secret,
    }
    const { request } = world()
    const root = `${harness.issuer}/api/v1/oauth`

    const { body } = await request
      .post(`${root}/token`)
      .type('form')
      .send({ grant_type: 'client_credentials', ...own })
    const seen = await request
      .post(`${root}/introspect`)
      .type('form')
      .send({ token: body.access_token, ...own })
    const revoked = await request
      .post(`${root}/revoke`)
      .type('form')
      .send({ token: body.access_token, ...own })

    expect(seen.body.active).toBe(true)
    expect(revoked.status).toBe(200)
  })

  it('lists only endpoints that exist', async () => {
    const at = world()
    const { body } = await at.request.get('/.well-known/openid-configuration')
    const endpoints = Object.entries(body).filter(([name]) => /_endpoint$|^jwks_uri$/.test(name))

    expect(endpoints.length).toBeGreaterThanOrEqual(9)
    for (const [, url] of endpoints) {
      expect([404, 501]).not.toContain((await at.request.get(String(url))).status)
    }
  })

  it('ASM-04: lists the signing algorithms of clients, and never `none`', async () => {
    const { body } = await world().request.get('/.well-known/oauth-authorization-server')

    expect(body.token_endpoint_auth_methods_supported).toContain('private_key_jwt')
    expect(body.token_endpoint_auth_signing_alg_values_supported).toContain('RS256')
    expect(body.token_endpoint_auth_signing_alg_values_supported).not.toContain('none')
  })
})

describe('rotated keys', () => {
  it('are both published until the old one is retired together with its tokens', async () => {
    const at = world()
    const old = await at.agentToken()
    const { body: before } = await at.request.get('/.well-known/jwks.json')

    const { current, published } = (await at.control.post('/keys').send({ algorithm: 'EdDSA' }))
      .body
    const fresh = await at.agentToken()
    const { body: during } = await at.request.get('/.well-known/jwks.json')
    const both = [old, fresh].map((token) => at.as(token).get('/oauth/userinfo'))

    expect(published).toHaveLength(2)
    expect(during.keys.map(({ kid }: { kid: string }) => kid)).toEqual([
      current,
      before.keys[0].kid,
    ])
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200])

    await at.control.delete(`/keys/${before.keys[0].kid}`)
    expect((await at.as(old).get('/oauth/userinfo')).status).toBe(401)
    expect((await at.as(fresh).get('/oauth/userinfo')).status).toBe(200)
  })

  it('can be published before they sign', async () => {
    const at = world()
    const { body: before } = await at.request.get('/.well-known/jwks.json')

    const first = (await at.control.post('/keys').send({ algorithm: 'Ed25519', sign: false })).body
    const [, next] = first.published
    const old = await at.agentToken()
    const { body: during } = await at.request.get('/.well-known/jwks.json')

    expect(first.current).toBe(before.keys[0].kid)
    expect(headerOf(old).kid).toBe(before.keys[0].kid)
    expect(during.keys[1]).toMatchObject({ kid: next, alg: 'Ed25519', kty: 'OKP' })

    const second = (await at.control.post(`/keys/${next}/sign`)).body
    const again = (await at.control.post(`/keys/${next}/sign`)).body
    const fresh = await at.agentToken()

    expect(second).toEqual({ current: next, published: [next, before.keys[0].kid] })
    expect(again).toEqual(second)
    expect(headerOf(fresh)).toMatchObject({ kid: next, alg: 'Ed25519' })
    for (const token of [old, fresh]) {
      expect((await at.as(token).get('/oauth/userinfo')).status).toBe(200)
    }
    const { entries } = (await at.control.get('/journal')).body
    const told = entries.filter(({ type }: { type: string }) => type.startsWith('key.'))
    expect(told.map(({ type, kid }: { type: string; kid: string }) => [type, kid])).toEqual([
      ['key.published', next],
      ['key.rotated', next],
    ])
  })

  it('do not sign when they are unknown', async () => {
    expect((await world().control.post('/keys/unknown/sign')).body.error).toBe('not_found')
  })

  it('cannot be retired while they sign, or when they are unknown', async () => {
    const at = world()
    const { body } = await at.request.get('/.well-known/jwks.json')

    const used = (await at.control.delete(`/keys/${body.keys[0].kid}`)).body
    const unknown = (await at.control.delete('/keys/unknown')).body

    expect([used.status, unknown.status]).toEqual([409, 404])
  })
})

describe('protected resource metadata (RFC 9728)', () => {
  it('describes the API, one MCP server, or several', async () => {
    const path = '/.well-known/oauth-protected-resource'
    const second = { ...server, server_id: 'second', resource_uri: 'https://second.test/' }

    const { body: none } = await world().request.get(path)
    const { body: one } = await world({ mcp_servers: [server] }).request.get(path)
    const { body: two } = await world({ mcp_servers: [server, second] }).request.get(path)

    expect(none.resource).toMatch(/^https:\/\/api\.lumoauth\.test\/t\//)
    expect(one.resource).toBe(server.resource_uri)
    expect(two).toHaveLength(2)
  })

  it('names the issuer by its metadata URL, or by its name alone', async () => {
    const seed: Seed = { mcp_servers: [server] }
    const path = `/.well-known/oauth-protected-resource/mcp/${server.server_id}`
    const docs = world(seed)
    const rfc = world({ ...seed, dialect: { authorization_servers: 'issuer' } })

    const { body: asInDocs } = await docs.request.get(path)
    const { body: asInRfc } = await rfc.request.get(path)

    expect((await docs.request.get(asInDocs.authorization_servers[0])).body.issuer).toBe(
      docs.tenant.urls.tenant,
    )
    expect(asInRfc.authorization_servers).toEqual([rfc.tenant.urls.tenant])
  })

  it('gets 404 for an unknown server', async () => {
    const { status } = await world().request.get(
      '/.well-known/oauth-protected-resource/mcp/unknown',
    )

    expect(status).toBe(404)
  })
})

describe('MCP servers', () => {
  const seed: Seed = {
    agents: [{ name: 'report-bot', capabilities: ['mcp:read'] }],
    users: [
      { email: 'admin@example.com', permissions: ['settings.manage'] },
      { email: 'alice@example.com' },
    ],
    mcp_servers: [server],
  }

  it('are listed for a token with settings.manage, and refused to others', async () => {
    const at = world(seed)
    const admin = at.as(await at.userToken({ user: 'admin@example.com' }))
    const alice = at.as(await at.userToken())

    const { body } = await admin.get('/mcp/servers')
    const refused = await alice.get('/mcp/servers')
    const one = await admin.get(`/mcp/servers/${server.server_id}`)
    const unknown = await admin.get('/mcp/servers/unknown')

    expect(body.data).toEqual(body.servers)
    expect(body.data[0]).toMatchObject({ ...server, token_lifetime: 3600 })
    expect(refused.status).toBe(403)
    expect(one.body.discovery.www_authenticate_example).toMatch(/^Bearer resource_metadata="/)
    expect(unknown.status).toBe(404)
  })

  it('challenge a client without a token, and accept the token it then gets', async () => {
    const at = world(seed)
    const path = `/mcp/${server.server_id}/challenge`
    const challenged = await at.request.post(path).type('form')
    const challenge = challenged.headers['www-authenticate'] ?? ''
    const { body: resource } = await at.request.get(
      /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? '',
    )

    const general = await at.agentToken()
    const { body: issued } = await at.exchange({
      subject_token: general,
      resource: resource.resource,
    })

    expect([challenged.status, challenge]).toEqual([
      401,
      expect.stringContaining('scope="mcp:read mcp:write"'),
    ])
    expect((await at.as(general).get(path)).status).toBe(401)
    expect((await at.as(issued.access_token).get(path)).body).toMatchObject({
      active: true,
      scope: 'mcp:read',
    })
  })

  it('refuse a token without any of their scopes with insufficient_scope', async () => {
    const at = world({ mcp_servers: [server] })
    const { body } = await at.exchange({
      subject_token: await at.agentToken(),
      audience: server.server_id,
    })

    const { status, headers } = await at
      .as(body.access_token)
      .get(`/mcp/${server.server_id}/challenge`)

    expect(status).toBe(403)
    expect(headers['www-authenticate']).toContain('error="insufficient_scope"')
  })
})
