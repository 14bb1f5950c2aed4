import { base64url } from 'jose'
import { describe, expect, it } from 'vitest'
import { generateSigningKey } from '../../../../../server/signing/keys.ts'
import type { Seed } from '../../../../support/signed-in.ts'
import { byAssertion, claimsOf, clientKey, keyed, world } from './world.ts'

const grant = { grant_type: 'client_credentials' }

const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${formEncoded(id)}:${formEncoded(secret)}`).toString('base64')}`,
})

const formEncoded = (text: string) => encodeURIComponent(text).replaceAll('%20', '+')

describe('a client at the token endpoint', () => {
  it('gets the same invalid_client for an unknown client_id and a wrong secret, with a challenge', async () => {
    const { token, own } = world()

    const unknown = await token({
      ...grant,
      client_id: 'unknown-client',
      client_secret: 'wrong-secret',
    })
    const wrong = await token({ ...grant, ...own, client_secret: 'wrong-secret' })

    expect(unknown.status).toBe(401)
    expect(unknown.body.error).toBe('invalid_client')
    expect(unknown.body).toEqual(wrong.body)
    expect(wrong.headers['www-authenticate']).toMatch(/^Basic realm=/)
  })

  it.each([
    ['a repeated parameter (CC-01)', { client_secret: ['a-secret', 'a-secret'] }],
    ['two ways of authentication (CC-02)', byAssertion('x.y.z')],
    ['details it was not granted (RAR-06)', { authorization_details: '[{"type":"payment"}]' }],
    ['details that are no array (RAR-01)', { authorization_details: '{"type":"payment"}' }],
  ])('gets an error for %s', async (_name, fields) => {
    const { token, own } = world()

    const { status, body } = await token({ ...grant, ...own, ...fields })

    expect(status).toBe(400)
    expect(body.error).toBe(
      'authorization_details' in fields ? 'invalid_authorization_details' : 'invalid_request',
    )
  })

  it('gets an error for Basic together with client_secret in the form', async () => {
    const { token, own } = world()

    const answered = await token({ ...grant, ...own }).set(basic(own.client_id, own.client_secret))

    expect(answered.status).toBe(400)
    expect(answered.body.error).toBe('invalid_request')
  })

  it('CC-04: gets an error for credentials in the URI', async () => {
    const { request, own } = world()
    const query = new URLSearchParams(own)

    const { status, body } = await request.post(`/oauth/token?${query}`).type('form').send(grant)

    expect(status).toBe(400)
    expect(body.error).toBe('invalid_request')
  })

  it.each(['colon:inside', 'per%cent+plus', 'spaced out secret', 'schlüssel-☃-secret'])(
    'CC-03: authenticates by Basic with the secret %s',
    async (client_secret) => {
      const { token, own } = world({ agents: [{ name: 'odd', client_secret }] })

      const { status } = await token(grant).set(basic(own.client_id, client_secret))

      expect(status).toBe(200)
    },
  )

  it('gets no refresh token for itself, and cache-control: no-store', async () => {
    const { token, own } = world()

    const { body, headers } = await token({ ...grant, ...own })

    expect(body).not.toHaveProperty('refresh_token')
    expect(headers['cache-control']).toBe('no-store')
    expect(headers.pragma).toBe('no-cache')
  })

  it('gets unsupported_grant_type with a list of grant types', async () => {
    const { token } = world()

    const { status, body } = await token({ grant_type: '__proto__' })

    expect(status).toBe(400)
    expect(body.error).toBe('unsupported_grant_type')
  })
})

describe('a client with a key (private_key_jwt)', () => {
  const authenticate = async (claims: object = {}, header: object = {}, key = clientKey) => {
    const at = world(keyed)
    const assertion = await at.assertion(key, claims, header)
    return at.token({ ...grant, ...byAssertion(assertion) })
  }

  it.each<[string, object, object?]>([
    [
      'the token endpoint of another server as audience (CC-11)',
      { aud: 'https://issuer/oauth/token' },
    ],
    ['a second audience', { aud: ['https://issuer.lumoauth.test', 'https://else.test'] }],
    ['no audience', { aud: undefined }],
    ['another subject', { sub: 'other-client' }],
    ['no end', { exp: undefined }],
    ['an end long ago', { exp: 1_000_000_000 }],
    ['an end in a year', { exp: Math.floor(Date.now() / 1000) + 31_536_000 }],
    ['a start to come', { nbf: Math.floor(Date.now() / 1000) + 3600 }],
    ['no jti', { jti: undefined }],
    ['a critical header', {}, { crit: ['x'], x: 1 }],
    ['the type of an access token', {}, { typ: 'at+jwt' }],
    ['an unknown key', {}, { kid: 'unknown-key' }],
  ])('gets invalid_client for %s', async (_name, claims, header) => {
    const { status, body } = await authenticate(claims, header)

    expect(status).toBe(401)
    expect(body.error).toBe('invalid_client')
  })

  it.each(['/oauth/token', '/oauth/par', ''])(
    'accepts the issuer URL and %s as aud (RFC 7523 §3, RFC 9126 §2)',
    async (path) => {
      const at = world(keyed)
      const assertion = await at.assertion(clientKey, { aud: [at.tenant.urls.org + path] })

      expect((await at.token({ ...grant, ...byAssertion(assertion) })).status).toBe(200)
    },
  )

  it('gets invalid_client for the token endpoint as aud in the dialect of rfc7523bis', async () => {
    const at = world({ ...keyed, dialect: { assertion_audience: 'issuer' } })
    const assertion = await at.assertion(clientKey, { aud: `${at.tenant.urls.tenant}/oauth/token` })

    expect((await at.token({ ...grant, ...byAssertion(assertion) })).status).toBe(401)
  })

  it('gets invalid_client for a signature by another key', async () => {
    const other = await generateSigningKey('ES256', clientKey.kid)

    expect((await authenticate({}, {}, other)).status).toBe(401)
  })

  it('gets invalid_client for an algorithm that is not on the list', async () => {
    const at = world(keyed)
    const [, claims, signature] = (await at.assertion(clientKey)).split('.')
    const forged = `${base64url.encode(JSON.stringify({ alg: 'none', typ: 'JWT' }))}.${claims}.${signature}`

    expect((await at.token({ ...grant, ...byAssertion(forged) })).status).toBe(401)
  })

  it('CC-12: gets invalid_client for an assertion used before, and none in another tenant', async () => {
    const at = world(keyed)
    const assertion = await at.assertion(clientKey)

    const first = await at.token({ ...grant, ...byAssertion(assertion) })
    const second = await at.token({ ...grant, ...byAssertion(assertion) })

    expect(first.status).toBe(200)
    expect(second.status).toBe(401)
    expect(second.body.error).toBe('invalid_client')
  })

  it('may name the issuer by each of its two prefixes as aud', async () => {
    const at = world(keyed)
    const org = await at.assertion(clientKey, { aud: [at.tenant.urls.org] })

    expect((await at.token({ ...grant, ...byAssertion(org) })).status).toBe(200)
  })

  it('may use RSA, and a key without kid', async () => {
    const rsa = await generateSigningKey('RS256')
    const { kid: _, ...jwk } = rsa.publicJwk
    const seed: Seed = { agents: [{ name: 'report-bot', jwks: { keys: [jwk] } }] }
    const at = world(seed)
    const assertion = await at.assertion(rsa, {}, { kid: undefined })

    expect((await at.token({ ...grant, ...byAssertion(assertion) })).status).toBe(200)
  })

  it('may introspect and revoke, too', async () => {
    const at = world(keyed)
    const access = await at.agentToken()
    const proof = async () => byAssertion(await at.assertion(clientKey))

    const alive = await at.request
      .post('/oauth/introspect')
      .type('form')
      .send({ token: access, ...(await proof()) })
    const revoked = await at.request
      .post('/oauth/revoke')
      .type('form')
      .send({ token: access, ...(await proof()) })
    const dead = await at.request
      .post('/oauth/introspect')
      .type('form')
      .send({ token: access, ...(await proof()) })

    expect(alive.body.active).toBe(true)
    expect(revoked.status).toBe(200)
    expect(dead.body).toEqual({ active: false })
  })
})

describe('a resource indicator (RFC 8707)', () => {
  it.each(['not a uri', 'https://api.lumoauth.test#part', 'https://unknown.test'])(
    'gets an error when it is %s',
    async (resource) => {
      const { token, own } = world()

      const { status, body } = await token({ ...grant, ...own, resource })

      expect(status).toBe(400)
      expect(body.error).toBe('invalid_target')
    },
  )

  it('becomes the aud of the token', async () => {
    const at = world()
    const { body } = await at.token({ ...grant, ...at.own, resource: 'https://api.lumoauth.test' })

    expect(claimsOf(body.access_token).aud).toBe('https://api.lumoauth.test')
    expect((await at.as(body.access_token).get('/oauth/userinfo')).status).toBe(401)
  })

  it('may be repeated', async () => {
    const at = world()
    const resource = ['https://api.lumoauth.test', at.tenant.urls.tenant]
    const { body } = await at.token({ ...grant, ...at.own, resource })

    expect(claimsOf(body.access_token).aud).toEqual(resource)
  })
})
