import { describe, expect, it } from 'vitest'
import { bearer, type Seed } from '../../../../support/signed-in.ts'
import { delegation, signIn, world } from './world.ts'

const metadata = { client_name: 'Notebook', redirect_uris: ['https://notebook.test/cb'] }

const register = (seed: Seed = {}, more: object = {}, headers = {}) =>
  world(seed)
    .request.post('/connect/register')
    .set(headers)
    .send({ ...metadata, ...more })

describe('the seed of a client', () => {
  const seeded = (client: object) => () =>
    world({ applications: [{ name: 'app', redirect_uris: ['https://a.test/cb'], ...client }] })

  it.each([
    '123456789012-abcdefghijklmnopqrstuvwxyz123456.apps.googleusercontent.com',
    'api://00000000-0000-0000-0000-000000000000',
    'https://client.example/metadata.json',
  ])('may have the client_id %s', async (client_id) => {
    const at = seeded({ client_id, client_secret: 'secret' })()

    const { status, body } = await at.token({
      grant_type: 'authorization_code',
      code: 'x',
      redirect_uri: 'https://a.test/cb',
      client_id,
      client_secret: 'secret',
    })

    expect([status, body.error]).toEqual([400, 'invalid_grant'])
  })

  it.each<[object, RegExp]>([
    [{ client_id: 'with space' }, /client_id: expected a client_id: printable ASCII/],
    [{ client_secret: 'abc' }, /client_secret/],
    [{ redirect_uris: ['*'] }, /redirect_uris.*wildcards are not supported/],
    [{ redirect_uris: ['https://*.example.com/cb'] }, /wildcards are not supported/],
  ])('is refused with %j', (client, message) => {
    expect(seeded(client)).toThrow(message)
  })

  it('may have users of hosts without a dot and beyond ASCII; their sub is ASCII', async () => {
    const users = [{ email: 'admin@localhost' }, { email: 'jörg@example.com' }]
    const at = world({ users })
    const subs = await Promise.all(
      users.map(async ({ email }) => {
        const { body } = await at.as(await at.userToken({ user: email })).get('/oauth/userinfo')
        return [body.sub, body.email]
      }),
    )

    expect(subs).toEqual([
      ['user:admin', 'admin@localhost'],
      ['user:j%C3%B6rg', 'jörg@example.com'],
    ])
    expect(() => world({ users: [{ email: 'unknown-user' }] })).toThrow(
      /expected an e-mail address/,
    )
  })
})

describe('registering a client', () => {
  it.each<[string, object, string]>([
    ['plain http', { redirect_uris: ['http://notebook.test/cb'] }, 'invalid_redirect_uri'],
    ['a fragment', { redirect_uris: ['https://notebook.test/cb#x'] }, 'invalid_redirect_uri'],
    ['a script', { redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
    ['a relative address', { redirect_uris: ['/cb'] }, 'invalid_redirect_uri'],
    ['no list of addresses', { redirect_uris: 'https://a.test' }, 'invalid_redirect_uri'],
    ['no address for a code', { redirect_uris: [] }, 'invalid_redirect_uri'],
    ['an unknown grant', { grant_types: ['password'] }, 'invalid_client_metadata'],
    ['an unknown response type', { response_types: ['token'] }, 'invalid_client_metadata'],
    ['an unknown method', { token_endpoint_auth_method: 'tls' }, 'invalid_client_metadata'],
    [
      'a key method without keys',
      { token_endpoint_auth_method: 'private_key_jwt' },
      'invalid_client_metadata',
    ],
    ['an unknown scope', { scope: 'root' }, 'invalid_client_metadata'],
    ['a number as name', { client_name: 7 }, 'invalid_client_metadata'],
    [
      'no credentials, but its own tokens',
      { token_endpoint_auth_method: 'none', grant_types: ['client_credentials'] },
      'invalid_client_metadata',
    ],
  ])('gets an error for %s', async (_name, more, error) => {
    const { status, body } = await register({}, more)

    expect(status).toBe(400)
    expect(body.error).toBe(error)
  })

  it('gets 403 with registration: closed, and 401 without a token with registration: authenticated', async () => {
    const closed = await register({ dialect: { registration: 'closed' } })
    const at = world({ dialect: { registration: 'authenticated' } })
    const anonymous = await at.request.post('/connect/register').send(metadata)
    const key = { 'x-api-key': at.tenant.api_keys[0]?.key ?? '' }
    const known = await at.request.post('/connect/register').set(key).send(metadata)

    expect([closed.status, closed.body.error]).toEqual([403, 'registration_not_allowed'])
    expect([anonymous.status, known.status]).toEqual([401, 201])
  })

  it('gives a client no scopes that the registering token lacks', async () => {
    const at = world({ agents: [{ name: 'reader', capabilities: ['read:documents'] }] })
    const itself = { grant_types: ['client_credentials'] }
    const maker = bearer(await at.agentToken())

    const anonymous = await at.request
      .post('/connect/register')
      .send({ ...itself, scope: 'read:documents' })
    const wider = await at.request
      .post('/connect/register')
      .set(maker)
      .send({ ...itself, scope: 'write:reports' })
    const forged = await at.as('x.y.z').post('/connect/register').send(itself)
    const silent = await at.request.post('/connect/register').send(itself)

    expect([anonymous, wider].map(({ body }) => body.error)).toEqual([
      'invalid_client_metadata',
      'invalid_client_metadata',
    ])
    expect(forged.status).toBe(401)
    expect([silent.status, silent.body.scope]).toEqual([201, ''])
  })

  it('gets 201 with the credentials and the registered metadata, and ignores unknown members', async () => {
    const { status, body, headers } = await register({}, { logo_uri: 'https://a.test/x' })

    expect(status).toBe(201)
    expect(headers['cache-control']).toBe('no-store')
    expect(body).toMatchObject({
      ...metadata,
      client_secret_expires_at: 0,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
    })
    expect(body.client_secret).toMatch(/^secret_/)
  })

  it.each(['/oauth/register', '/oidc/register'])('is served at %s, too (row 24)', async (path) => {
    expect((await world().request.post(path).send(metadata)).status).toBe(201)
  })

  it('creates a client that may use its registered grants, and no others', async () => {
    const at = world()
    const { body: own } = await at
      .as(await at.agentToken())
      .post('/connect/register')
      .send({ grant_types: ['client_credentials'], scope: 'read:documents' })
    const { client_id, client_secret } = own
    const asking = (fields: object) => at.token({ client_id, client_secret, ...fields })

    const allowed = await asking({ grant_type: 'client_credentials' })
    const refused = await asking({ grant_type: 'authorization_code', code: 'x' })
    await at.control.put('/dialect').send({ unauthorized_client_status: '400' })
    const asInRfc = await asking({ grant_type: 'refresh_token', refresh_token: 'x' })

    expect(allowed.body.scope).toBe('read:documents')
    expect([refused.status, refused.body.error]).toEqual([401, 'unauthorized_client'])
    expect(asInRfc.status).toBe(400)
  })

  it('creates a client that cannot open tasks; only agents can', async () => {
    const at = world()
    const { body: own } = await at.request.post('/connect/register').send({
      grant_types: ['client_credentials'],
    })
    const { client_id, client_secret } = own
    const { body } = await at.token({ grant_type: 'client_credentials', client_id, client_secret })

    const { status } = await at.as(body.access_token).post('/jit/task').send({})

    expect(status).toBe(403)
  })
})

describe('deleting a registration', () => {
  it('revokes all tokens that come from it, including those of agents', async () => {
    const at = world()
    const redirect_uri = 'https://notebook.test/cb'
    const { body: own } = await at.request
      .post('/connect/register')
      .send({ redirect_uris: [redirect_uri], token_endpoint_auth_method: 'none' })
    const order = { redirect_uri, user: 'alice@example.com', scope: 'openid' }
    const { access_token: held } = await signIn(at, { client_id: own.client_id }, order)
    const { body: delegated } = await at.exchange(delegation(held, await at.agentToken()))
    const statuses = async () => [
      (await at.as(held).get('/oauth/userinfo')).status,
      (await at.as(delegated.access_token).get('/oauth/userinfo')).status,
    ]
    expect(await statuses()).toEqual([200, 200])

    await at.as(own.registration_access_token).delete(`/connect/register/${own.client_id}`)

    expect(await statuses()).toEqual([401, 401])
  })
})
