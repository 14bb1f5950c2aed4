import { afterAll, describe, expect, it } from 'vitest'
import { bearerMisbehaviours } from '../../../server/misbehaviours/issuer/bearers.ts'
import { clientMisbehaviours } from '../../../server/misbehaviours/issuer/clients.ts'
import { introspectionMisbehaviours } from '../../../server/misbehaviours/issuer/introspection.ts'
import { keyMisbehaviours } from '../../../server/misbehaviours/issuer/keys.ts'
import { tokenMisbehaviours } from '../../../server/misbehaviours/issuer/tokens.ts'
import { generateSigningKey } from '../../../server/signing/keys.ts'
import { signJwt } from '../../../server/signing/sign.ts'
import { jwtBearerAssertion } from '../../../server/wire/index.ts'
import { decode, misbehavingHarness, type Probe, prove, type World } from './world.ts'

const { harness, tenant } = await misbehavingHarness()
afterAll(() => harness.close())

const registered = async (world: World) =>
  (await world.anonymous.post('/connect/register').send({ redirect_uris: ['https://a.test/cb'] }))
    .body

const badLogin = (world: World, fields: object = { client_secret: 'not the secret' }) =>
  world.anonymous
    .post('/oauth/token')
    .type('form')
    .send({ ...world.client(), ...fields })

/** With the token endpoint as aud of the assertion. */
const loginByKey = async ({ as, agentToken, anonymous, tenant: { urls } }: World) => {
  const key = await generateSigningKey('ES256')
  const { body } = await as(await agentToken())
    .post('/connect/register')
    .send({
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [key.publicJwk] },
    })
  const { client_id: id } = body
  const now = Date.parse('2026-11-24T12:00:00Z') / 1000
  const claims = { iss: id, sub: id, aud: `${urls.tenant}/oauth/token`, exp: now + 60, jti: 'once' }
  return anonymous
    .post('/oauth/token')
    .type('form')
    .send({
      grant_type: 'client_credentials',
      client_assertion: await signJwt(key, claims, { typ: 'JWT' }),
      client_assertion_type: jwtBearerAssertion,
    })
}

const claim =
  (name: string) =>
  async (world: World): Promise<unknown> =>
    decode((await world.jit()).token).claims[name]

const member =
  (name: string) =>
  async (world: World): Promise<unknown> =>
    decode((await world.jit()).token).header[name]

const published = async (world: World, kid: unknown) => {
  const { body } = await world.anonymous.get('/.well-known/jwks.json')
  return body.keys.some((key: { kid: string }) => key.kid === kid)
}

const activeOnceForged = (order: object) => async (world: World) =>
  (await world.introspect(await world.forge(order))).body.active

const statusOnceForged = (order: object) => async (world: World) =>
  (await world.userinfo(await world.forge(order))).status

describe('an issuer that misbehaves with tokens', () => {
  const probes: Readonly<Record<string, Probe>> = {
    'issuer-accepts-wrong-secret': [async (world) => (await badLogin(world)).status, 401, 200],
    'issuer-hides-client-challenge': [
      async (world) => (await badLogin(world)).headers['www-authenticate'] !== undefined,
      true,
      false,
    ],
    'issuer-tells-clients-apart': [
      async (world) => {
        const [wrong, unknown] = [await badLogin(world), await badLogin(world, { client_id: 'x' })]
        return wrong.text === unknown.text
      },
      true,
      false,
    ],
    'issuer-shows-registrations-to-others': [
      async (world) => {
        const [one, two] = [await registered(world), await registered(world)]
        const path = `/connect/register/${one.client_id}`
        return (await world.as(two.registration_access_token).get(path)).status
      },
      401,
      200,
    ],
    'issuer-keeps-deleted-clients': [
      async (world) => {
        const { client_id, registration_access_token: token } = await registered(world)
        const path = `/connect/register/${client_id}`
        const deleted = await world.as(token).delete(path)
        return [deleted.status, (await world.as(token).get(path)).status]
      },
      [204, 401],
      [204, 200],
    ],
    'issuer-grants-any-scope': [
      async (world) => (await badLogin(world, { scope: 'admin:all' })).status,
      400,
      200,
    ],
    'issuer-widens-scope': [
      async (world) => (await badLogin(world, { scope: 'read:documents' })).body.scope,
      'read:documents',
      'read:documents admin:all',
    ],
    'issuer-hides-granted-scope': [
      async (world) => 'scope' in (await badLogin(world, {})).body,
      true,
      false,
    ],
    'issuer-adds-refresh-token': [
      async (world) => 'refresh_token' in (await badLogin(world, {})).body,
      false,
      true,
    ],
    'issuer-allows-storing': [
      async (world) => (await badLogin(world, {})).headers['cache-control'],
      'no-store',
      undefined,
    ],
    'issuer-overstates-expires-in': [
      async (world) => {
        const { token, answer } = await world.jit()
        const { exp, iat } = decode(token).claims
        return answer.body.expires_in - (exp - iat)
      },
      0,
      60,
    ],
    'issuer-takes-issuer-audience-only': [
      async (world) => (await loginByKey(world)).status,
      200,
      401,
    ],
    'issuer-refuses-union-of-grants': [
      async (world) =>
        (
          await world.anonymous.post('/connect/register').send({
            redirect_uris: ['https://app.test/cb'],
            grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
          })
        ).status,
      201,
      400,
    ],
    'issuer-omits-issued-type': [
      async (world) => 'issued_token_type' in (await world.jit()).answer.body,
      true,
      false,
    ],

    'issuer-wrong-iss': [
      async (world) => String(await claim('iss')(world)).endsWith('/'),
      false,
      true,
    ],
    'issuer-wrong-aud': [claim('aud'), harness.api, 'https://elsewhere.invalid'],
    'issuer-omits-jti': [
      async (world) => typeof (await claim('jti')(world)),
      'string',
      'undefined',
    ],
    'issuer-wrong-typ': [member('typ'), 'at+jwt', 'secevent+jwt'],
    'issuer-wrong-kid': [
      async (world) => published(world, await member('kid')(world)),
      true,
      false,
    ],
    'issuer-omits-kid': [
      async (world) => typeof (await member('kid')(world)),
      'string',
      'undefined',
    ],
    'issuer-signs-with-unpublished-key': [
      async (world) => {
        const { token } = await world.jit()
        const { kid } = decode(token).header
        return [await published(world, kid), (await world.document('doc_9982', token)).status]
      },
      [true, 200],
      [false, 401],
    ],
    'issuer-publishes-key-late': [
      async (world) => {
        const { body } = await world.control.post('/keys').send({ sign: false })
        return published(world, body.published[1])
      },
      true,
      false,
    ],
    'issuer-signs-with-newest-key': [
      async (world) => {
        const { body } = await world.control.post('/keys').send({ sign: false })
        return decode(await world.login()).header.kid === body.current
      },
      true,
      false,
    ],
    'issuer-signs-with-none': [member('alg'), 'ES256', 'none'],
    'issuer-signs-with-hmac': [member('alg'), 'ES256', 'HS256'],
    'issuer-jwks-empty': [
      async (world) => (await world.anonymous.get('/.well-known/jwks.json')).body.keys.length === 0,
      false,
      true,
    ],
    'issuer-jwks-private': [
      async (world) => 'd' in (await world.anonymous.get('/.well-known/jwks.json')).body.keys[0],
      false,
      true,
    ],
    'issuer-metadata-of-another': [
      async (world) =>
        (await world.anonymous.get('/.well-known/oauth-authorization-server')).body.issuer ===
        world.issuer,
      true,
      false,
    ],

    'issuer-introspects-revoked': [
      async (world) => {
        const { agent, task, token } = await world.jit()
        await world.complete(agent, task)
        return (await world.introspect(token)).body.active
      },
      false,
      true,
    ],
    'issuer-introspects-expired': [
      async (world) => {
        const { token } = await world.jit()
        await world.advance('PT20M')
        return (await world.introspect(token)).body.active
      },
      false,
      true,
    ],
    'issuer-introspects-forged': [activeOnceForged({ key: 'foreign' }), false, true],
    'issuer-introspects-other-tenants': [
      async (world) => (await world.introspect(await world.neighbour().login())).body.active,
      false,
      true,
    ],
    'issuer-introspects-for-any-caller': [
      async (world) =>
        (await world.anonymous.post('/oauth/introspect').type('form').send({ token: 'x' })).status,
      401,
      200,
    ],
    'issuer-introspects-for-others': [
      async (world) => {
        const token = await world.login()
        const { client_id, client_secret } = world.client('other-bot')
        const fields = { token, client_id, client_secret }
        const { body } = await world.anonymous.post('/oauth/introspect').type('form').send(fields)
        return body.active
      },
      false,
      true,
    ],
    'issuer-explains-inactive': [
      async (world) => Object.keys((await world.introspect('x')).body),
      ['active'],
      ['active', 'reason'],
    ],
    'issuer-introspects-without-details': [
      async (world) =>
        'authorization_details' in (await world.introspect((await world.jit()).token)).body,
      true,
      false,
    ],
    'issuer-forgets-revocation': [
      async (world) => {
        const token = await world.login()
        await world.revoke(token)
        return (await world.introspect(token)).body.active
      },
      false,
      true,
    ],
    'issuer-refuses-unknown-revocation': [
      async (world) => (await world.revoke('unknown')).status,
      200,
      404,
    ],

    'issuer-accepts-expired-bearer': [
      async (world) => {
        const token = await world.login()
        await world.advance('PT2H')
        return (await world.userinfo(token)).status
      },
      401,
      200,
    ],
    'issuer-accepts-revoked-bearer': [
      async (world) => {
        const token = await world.login()
        await world.revoke(token)
        return (await world.userinfo(token)).status
      },
      401,
      200,
    ],
    'issuer-accepts-unsigned-bearer': [statusOnceForged({ key: 'none' }), 401, 200],
    'issuer-accepts-hmac-bearer': [statusOnceForged({ key: 'hmac' }), 401, 200],
    'issuer-ignores-aud': [
      async (world) => (await world.userinfo((await world.jit()).token)).status,
      401,
      200,
    ],
    'issuer-ignores-tenant': [
      async (world) => (await world.userinfo(await world.neighbour().login())).status,
      401,
      200,
    ],
  }

  prove(
    [
      ...bearerMisbehaviours,
      ...clientMisbehaviours,
      ...introspectionMisbehaviours,
      ...keyMisbehaviours,
      ...tokenMisbehaviours,
    ],
    probes,
    tenant,
  )

  it('answers 401 for Basic credentials that are not form-encoded', async () => {
    const world = tenant()
    await world.on('issuer-grants-any-scope')

    const { status } = await world.anonymous
      .post('/oauth/token')
      .set({ authorization: `Basic ${btoa('report-bot:100%')}` })
      .type('form')
      .send({ grant_type: 'client_credentials' })

    expect(status).toBe(401)
  })
})
