import { CompactSign, type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { createGuard } from '../../../server/api/guard.ts'
import { RemoteIssuer } from '../../../server/express/remote-issuer.ts'
import { assertionAlgorithms, signingAlgorithms } from '../../../server/wire/index.ts'
import { bearer, type Seed } from '../../support/signed-in.ts'
import { byAssertion, harness, world } from './issuer/oauth/world.ts'

const grant = { grant_type: 'client_credentials' }

type Pair = Readonly<{ privateKey: CryptoKey; jwk: JWK }>

const pairOf = async (alg: string): Promise<Pair> => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { privateKey, jwk: await exportJWK(publicKey) }
}

const pairs = new Map(
  await Promise.all(assertionAlgorithms.map(async (alg) => [alg, await pairOf(alg)] as const)),
)
const pairFor = (alg: string) => pairs.get(alg as (typeof assertionAlgorithms)[number]) as Pair

/** A JWT made by jose alone. */
const signed = ({ privateKey }: Pair, header: { alg: string }, claims: object) =>
  new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader(header)
    .sign(privateKey)

/** The ways to write a JWK, and whether the header names the key. */
const spellings: [string, (alg: string) => object, { kid?: string }][] = [
  ['with everything', (alg) => ({ kid: 'k', alg, use: 'sig', key_ops: ['verify'] }), { kid: 'k' }],
  ['without alg', () => ({ kid: 'k', use: 'sig', key_ops: ['verify'] }), { kid: 'k' }],
  ['without use', (alg) => ({ kid: 'k', alg, key_ops: ['verify'] }), { kid: 'k' }],
  ['without key_ops', (alg) => ({ kid: 'k', alg, use: 'sig' }), { kid: 'k' }],
  ['with no more than it needs and a kid', () => ({ kid: 'k' }), { kid: 'k' }],
  ['without kid', (alg) => ({ alg, use: 'sig' }), { kid: 'k' }],
  ['with no more than it needs', () => ({}), {}],
]

const table = assertionAlgorithms.flatMap((alg) =>
  spellings.map(([how, members, named]) => ({ alg, how, members: members(alg), named })),
)

/** Another algorithm of the same key type; a key whose JWK says `alg` is not for it. */
const otherThan = (alg: string): string | undefined =>
  ({ RS: 'PS256', PS: 'RS256' })[alg.slice(0, 2)]

describe('a client assertion', () => {
  const signIn = async (alg: string, jwk: JWK, header: object = {}) => {
    const seed: Seed = {
      agents: [{ name: 'report-bot', jwks: { keys: [{ ...jwk, kty: String(jwk.kty) }] } }],
    }
    const at = world(seed)
    const now = at.tenant.clock.now()
    const claims = {
      iss: at.own.client_id,
      sub: at.own.client_id,
      aud: at.tenant.urls.tenant,
      jti: 'once',
      iat: now,
      exp: now + 60,
    }
    const assertion = await signed(pairFor(alg), { alg, ...header }, claims)
    return (await at.token({ ...grant, ...byAssertion(assertion) })).status
  }

  it.each(table)('by $alg is accepted from a key $how', async ({ alg, members, named }) => {
    expect(await signIn(alg, { ...pairFor(alg).jwk, ...members }, named)).toBe(200)
  })

  it.each(['EdDSA', 'Ed25519'])('by %s is accepted from a key of either name', async (alg) => {
    for (const name of ['EdDSA', 'Ed25519']) {
      expect(await signIn(alg, { ...pairFor(alg).jwk, alg: name })).toBe(200)
    }
  })

  it.each(assertionAlgorithms.filter(otherThan))(
    'by %s is refused from a key for another algorithm of its type',
    async (alg) => {
      expect(await signIn(alg, { ...pairFor(alg).jwk, alg: String(otherThan(alg)) })).toBe(401)
    },
  )

  it('may use exactly the algorithms in the metadata', async () => {
    const { body } = await world().request.get('/.well-known/oauth-authorization-server')

    for (const endpoint of ['token', 'introspection', 'revocation']) {
      expect(body[`${endpoint}_endpoint_auth_signing_alg_values_supported`]).toEqual(
        assertionAlgorithms,
      )
    }
  })
})

describe('the guard of a remote issuer', () => {
  const issuer = 'https://lumo.test/t/acme/api/v1'
  const now = 1_800_000_000
  const admitted = async (alg: string, jwk: JWK) => {
    const remote = new RemoteIssuer({
      tenant: issuer,
      issuers: [issuer],
      fetch: async (url) =>
        Response.json(
          String(url).endsWith('/keys') ? { keys: [jwk] } : { issuer, jwks_uri: `${issuer}/keys` },
        ),
      now: () => now,
      coolDown: 30,
      keysLifetime: 600,
      timeout: 5000,
    })
    const guard = createGuard({
      issuers: [issuer],
      audience: 'https://api.test',
      keys: remote.findKeys,
      now: () => now,
      revocation: 'expiry',
    })
    const claims = {
      ...{ iss: issuer, aud: 'https://api.test', sub: 'agent:report-bot', jti: 'jti-1' },
      ...{ client_id: 'report-bot', iat: now, exp: now + 300 },
    }
    const token = await signed(
      pairFor(alg),
      { alg, typ: 'at+jwt', kid: 'k' } as { alg: string },
      claims,
    )
    return guard.admit({ authorization: `Bearer ${token}` }, { token: 'any' }).then(
      ({ sub }) => sub,
      ({ refusal }) => refusal.why,
    )
  }

  it.each(table)('accepts a token by $alg of a key $how', async ({ alg, members }) => {
    expect(await admitted(alg, { ...pairFor(alg).jwk, ...members })).toBe('agent:report-bot')
  })

  it.each(assertionAlgorithms.filter(otherThan))(
    'rejects a token by %s of a key for another algorithm of its type',
    async (alg) => {
      const jwk = { ...pairFor(alg).jwk, kid: 'k', alg: String(otherThan(alg)) }

      expect(await admitted(alg, jwk)).toBe('algorithm')
    },
  )
})

describe('a workload token', () => {
  it.each(table)('by $alg is accepted from a key $how', async ({ alg, members, named }) => {
    const platform = 'https://platform.test'
    const jwk = { ...pairFor(alg).jwk, ...members, kty: String(pairFor(alg).jwk.kty) }
    const at = world({
      agents: [{ name: 'report-bot' }],
      workload: [
        {
          provider: 'oidc',
          issuer: platform,
          subject: 'w',
          agent: 'report-bot',
          jwks: { keys: [jwk] },
        },
      ],
    })
    const now = at.tenant.clock.now()
    const claims = { iss: platform, sub: 'w', aud: at.tenant.urls.tenant, iat: now, exp: now + 60 }

    const { status } = await at.exchange({
      subject_token: await signed(pairFor(alg), { alg, ...named }, claims),
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      subject_issuer: 'oidc',
    })

    expect(status).toBe(200)
  })
})

describe('an access token of the harness', () => {
  it.each(signingAlgorithms)('by %s is accepted by the issuer and the API', async (algorithm) => {
    const at = world()
    await at.control.post('/keys').send({ algorithm }).expect(201)
    const token = await at.agentToken()

    const { body: metadata } = await at.request.get('/.well-known/openid-configuration')
    const { status } = await at.as(token).get('/oauth/userinfo')
    const documents = await harness.fetch(`${at.tenant.urls.api}/v1/documents`, {
      headers: bearer(token),
    })

    expect(metadata.id_token_signing_alg_values_supported).toEqual([algorithm])
    expect([status, documents.status]).toEqual([200, 200])
  })
})

it('the issuer accepts typ JWT only while it issues such tokens', async () => {
  const at = world({ dialect: { token_typ: 'JWT' } })
  const token = await at.agentToken()
  const status = async () => (await at.as(token).get('/agents/me')).status
  expect(await status()).toBe(200)

  at.tenant.speak({})

  expect(await status()).toBe(401)
})
