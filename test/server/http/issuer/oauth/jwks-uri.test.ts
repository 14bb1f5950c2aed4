import { afterAll, describe, expect, it } from 'vitest'
import { createHarness } from '../../../../../server/index.ts'
import { NotSent } from '../../../../../server/outbound/outbound.ts'
import { forgeSigned } from '../../../../../server/signing/forge.ts'
import { generateSigningKey, type SigningKey } from '../../../../../server/signing/keys.ts'
import { jwtBearerAssertion } from '../../../../../server/wire/index.ts'
import { serve } from '../../../../support/signed-in.ts'

/** What the client publishes, and the URLs that were read. */
const published = { keys: [] as SigningKey[], status: 200, text: undefined as string | undefined }
const reads: string[] = []
const harness = await createHarness({
  listen: false,
  algorithm: 'ES256',
  outbound: {
    allow: 'public',
    resolve: async (name) => [
      { address: name === 'inside.test' ? '10.0.0.1' : '93.184.215.14', family: 4 },
    ],
    read: async ({ url }) => {
      reads.push(url.href)
      if (published.status === 0) throw new NotSent('no connection')
      const keys = published.keys.map(({ publicJwk }) => publicJwk)
      return { status: published.status, text: published.text ?? JSON.stringify({ keys }) }
    },
  },
})
afterAll(() => harness.close())
const server = await serve(harness)

const [first, second] = [await generateSigningKey('ES256'), await generateSigningKey('RS256')]
let assertions = 0

const world = (jwks_uri = 'https://client.test/jwks') => {
  const here = server.tenant({
    clock: '2026-01-01T00:00:00Z',
    agents: [{ name: 'report-bot', jwks_uri }],
  })
  const { tenant, anonymous } = here
  reads.length = 0
  Object.assign(published, { keys: [first], status: 200, text: undefined })
  return {
    ...here,
    authenticate: async (key: SigningKey) => {
      const now = tenant.clock.now()
      const claims = { iss: 'report-bot', sub: 'report-bot', aud: tenant.urls.tenant, iat: now }
      const client_assertion = await forgeSigned(
        key,
        { ...claims, exp: now + 60, jti: `jti-${++assertions}` },
        { typ: 'JWT', kid: key.kid },
      )
      const client_assertion_type = jwtBearerAssertion
      return anonymous
        .post('/oauth/token')
        .type('form')
        .send({ grant_type: 'client_credentials', client_assertion, client_assertion_type })
    },
  }
}

describe('a client that publishes its keys at a jwks_uri', () => {
  it('is authenticated; its keys are fetched once in five minutes', async () => {
    const { authenticate, tenant } = world()

    const answers = [await authenticate(first), await authenticate(first)]
    tenant.clock.advance(300)
    answers.push(await authenticate(first))

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(reads).toEqual(['https://client.test/jwks', 'https://client.test/jwks'])
  })

  it('is authenticated by a new key, for which its keys are fetched again, at most once a second', async () => {
    const { authenticate, tenant } = world()
    await authenticate(first)
    published.keys = [first, second]

    const early = await authenticate(second)
    tenant.clock.advance(1)
    const later = await authenticate(second)

    expect([early.status, later.status]).toEqual([401, 200])
    expect(reads).toHaveLength(2)
  })

  it.each<[string, Partial<typeof published>]>([
    ['are not there', { status: 404 }],
    ['are behind a redirect', { status: 302, text: '' }],
    ['are no JWKS', { text: '<html>' }],
    ['cannot be fetched', { status: 0 }],
    ['do not contain its key', { keys: [second] }],
  ])('gets invalid_client where its keys %s', async (_name, change) => {
    const { authenticate } = world()
    Object.assign(published, change)

    const { status, body } = await authenticate(first)

    expect([status, body.error]).toEqual([401, 'invalid_client'])
    expect(body.error_description).toBe('the client assertion is not valid')
  })

  it('is not fetched from a name that resolves to a private address', async () => {
    const { authenticate } = world('https://inside.test/jwks')

    expect((await authenticate(first)).status).toBe(401)
    expect(reads).toEqual([])
  })
})

describe('registering a jwks_uri', () => {
  const register = (members: object) =>
    world()
      .anonymous.post('/connect/register')
      .send({
        redirect_uris: ['https://client.test/cb'],
        token_endpoint_auth_method: 'private_key_jwt',
        ...members,
      })

  it('returns it', async () => {
    const { status, body } = await register({ jwks_uri: 'https://client.test/jwks' })

    expect([status, body.jwks_uri]).toEqual([201, 'https://client.test/jwks'])
    expect(reads).toEqual([])
  })

  it.each([
    ['an address of a private network', { jwks_uri: 'http://169.254.169.254/latest' }],
    ['another scheme', { jwks_uri: 'file:///etc/passwd' }],
    ['no URL', { jwks_uri: 'keys' }],
    ['a jwks besides', { jwks_uri: 'https://client.test/jwks', jwks: { keys: [first.publicJwk] } }],
    [
      'another method',
      { jwks_uri: 'https://client.test/jwks', token_endpoint_auth_method: 'none' },
    ],
  ])('is refused for %s', async (_name, members) => {
    const { status, body } = await register(members)

    expect([status, body.error]).toEqual([400, 'invalid_client_metadata'])
    expect(body.error_description).toContain('jwks')
  })
})
