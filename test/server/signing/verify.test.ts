import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign as signBytes,
} from 'node:crypto'
import { base64url } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { forgeJwt } from '../../../server/signing/forge.ts'
import { InvalidToken, type InvalidTokenReason } from '../../../server/signing/invalid-token.ts'
import { createKeySet } from '../../../server/signing/key-set.ts'
import { generateSigningKey, KeyRing, type SigningKey } from '../../../server/signing/keys.ts'
import { signJwt } from '../../../server/signing/sign.ts'
import { type Verification, verifyAccessToken } from '../../../server/signing/verify.ts'
import { signingAlgorithms } from '../../../server/wire/index.ts'

const now = 1_800_000_000
const issuer = 'https://lumo.test/t/acme/api/v1'
const claims = {
  iss: issuer,
  sub: 'agent:report-bot',
  aud: ['https://api.test', 'report-bot'],
  client_id: 'report-bot',
  iat: now,
  exp: now + 300,
  jti: 'jti-1',
}

let rsa: SigningKey
let ec: SigningKey
let ed: SigningKey
beforeAll(async () => {
  ;[rsa, ec, ed] = await Promise.all([
    generateSigningKey('RS256', 'rsa'),
    generateSigningKey('ES256', 'ec'),
    generateSigningKey('EdDSA', 'ed'),
  ])
})

const verify = (jwt: string, more: Partial<Verification> = {}) =>
  verifyAccessToken(jwt, {
    issuers: [issuer],
    audience: 'https://api.test',
    keys: new KeyRing(rsa, ec, ed).findKeys,
    now,
    ...more,
  })

const refusal = async (jwt: string, more: Partial<Verification> = {}) => {
  const outcome = await verify(jwt, more).catch((error: unknown) => error)
  if (!(outcome instanceof InvalidToken)) throw new Error('the token was not refused as invalid')
  return outcome
}

type Make = () => string | Promise<string>
type Row = readonly [rule: string, says: string, reason: InvalidTokenReason, make: Make]

const withClaims = (more: Record<string, unknown>): Make => {
  return () => signJwt(ec, { ...claims, ...more })
}
const withHeader = (more: Record<string, unknown>): Make => {
  return () => forgeJwt(ec, 'own', claims, more)
}
const encode = (part: unknown) => base64url.encode(JSON.stringify(part))
const privateKeyOf = ({ privateJwk }: SigningKey) =>
  createPrivateKey({ key: { ...privateJwk }, format: 'jwk' })
/** Signs the header and the payload exactly as given. */
const written = (header: string, payload: string) => {
  const input = [header, payload].map((text) => Buffer.from(text).toString('base64url')).join('.')
  const signature = signBytes('sha256', Buffer.from(input), {
    key: privateKeyOf(ec),
    dsaEncoding: 'ieee-p1363',
  })
  return `${input}.${signature.toString('base64url')}`
}
const header = '{"alg":"ES256","kid":"ec","typ":"at+jwt"}'
const parts = async () => (await signJwt(ec, claims)).split('.') as [string, string, string]
const signedByHmac = (secret: string | Buffer) => {
  const input = `${encode({ alg: 'HS256', kid: 'rsa', typ: 'at+jwt' })}.${encode(claims)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

const refused: readonly Row[] = [
  ['JWT-01', 'alg none without a signature', 'signature', () => forgeJwt(ec, 'none', claims)],
  ...['none', 'None', 'nOnE'].map(
    (alg): Row => [
      'JWT-01',
      `alg ${alg} with a signature`,
      'algorithm',
      async () =>
        `${encode({ alg, kid: 'ec', typ: 'at+jwt' })}.${(await parts()).slice(1).join('.')}`,
    ],
  ),
  ['JWT-01', 'an empty signature', 'signature', async () => (await parts()).with(2, '').join('.')],
  ['JWT-02', 'HS256 with the public key as PEM', 'algorithm', () => forgeJwt(rsa, 'hmac', claims)],
  [
    'JWT-02',
    'HS256 with the public key as DER',
    'algorithm',
    () =>
      signedByHmac(
        createPublicKey({ key: { ...rsa.publicJwk }, format: 'jwk' }).export({
          format: 'der',
          type: 'spki',
        }),
      ),
  ],
  [
    'JWT-02',
    'HS256 with the public key as JWK text',
    'algorithm',
    () => signedByHmac(JSON.stringify(rsa.publicJwk)),
  ],
  [
    'JWT-03',
    'PS256 by a key meant for RS256',
    'algorithm',
    () => {
      const input = `${encode({ alg: 'PS256', kid: 'rsa', typ: 'at+jwt' })}.${encode(claims)}`
      const signature = signBytes('sha256', Buffer.from(input), {
        key: privateKeyOf(rsa),
        padding: 6,
        saltLength: 32,
      })
      return `${input}.${signature.toString('base64url')}`
    },
  ],
  ['JWT-04', 'another alg than the key has', 'algorithm', withHeader({ alg: 'RS256' })],
  ['JWT-04', 'the kid of another key', 'algorithm', withHeader({ kid: 'ed' })],
  [
    'JWT-05',
    'an altered payload',
    'signature',
    async () => (await parts()).with(1, encode({ ...claims, scope: 'admin' })).join('.'),
  ],
  [
    'JWT-05',
    'an ECDSA signature of zeros',
    'signature',
    async () => (await parts()).with(2, Buffer.alloc(64).toString('base64url')).join('.'),
  ],
  [
    'JWT-05',
    'an ECDSA signature in DER',
    'signature',
    async () => {
      const [head, payload] = await parts()
      const signature = signBytes('sha256', Buffer.from(`${head}.${payload}`), privateKeyOf(ec))
      return `${head}.${payload}.${signature.toString('base64url')}`
    },
  ],
  [
    'JWT-06',
    'an embedded key of the forger',
    'signature',
    async () => {
      const forger = await generateSigningKey('ES256', 'ec')
      return forgeJwt(forger, 'own', claims, {
        jwk: forger.publicJwk,
        jku: 'https://forger.test/jwks',
        x5u: 'https://forger.test/x5u',
        x5c: ['MIIB'],
      })
    },
  ],
  ['JWT-06', 'an unpublished key', 'signature', () => forgeJwt(ec, 'foreign', claims)],
  ...['../../dev/null', "' OR 1=1--", '\u0000', '__proto__', 'constructor', 'k'.repeat(10_000)].map(
    (kid): Row => [
      'JWT-07',
      `the kid ${JSON.stringify(kid.slice(0, 20))}`,
      'unknown_key',
      withHeader({ kid }),
    ],
  ),
  ['JWT-07', 'no kid', 'unknown_key', withHeader({ kid: undefined })],
  ['JWT-07', 'a kid that is no string', 'unknown_key', withHeader({ kid: ['ec'] })],
  [
    'JWT-09',
    'the issuer of another tenant',
    'issuer',
    withClaims({ iss: 'https://lumo.test/t/other/api/v1' }),
  ],
  ['AT-04', 'an issuer with a slash too many', 'issuer', withClaims({ iss: `${issuer}/` })],
  ...[
    'https://api.test/',
    'https://api.tes',
    'https://API.test',
    'https://api.test.evil',
    '',
    [],
    ['https://other.test'],
  ].map(
    (aud): Row => [
      'JWT-10',
      `the audience ${JSON.stringify(aud)}`,
      'audience',
      withClaims({ aud }),
    ],
  ),
  ...['JWT', 'secevent+jwt', 'dpop+jwt', 'id_token', 'at+jwt;v=1', '', undefined, 1].map(
    (typ): Row => ['JWT-11', `the typ ${JSON.stringify(typ)}`, 'type', withHeader({ typ })],
  ),
  ...['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'].map(
    (claim): Row => [
      'AT-02',
      `no ${claim}`,
      claim === 'iss' ? 'issuer' : claim === 'aud' ? 'audience' : 'claims',
      withClaims({ [claim]: undefined }),
    ],
  ),
  ['AT-06', 'an exp that is now', 'expired', withClaims({ iat: now - 300, exp: now })],
  ['JWT-12', 'an exp that is a string', 'claims', withClaims({ exp: String(now + 300) })],
  ['JWT-12', 'an exp that is null', 'claims', withClaims({ exp: Number.NaN })],
  ['JWT-12', 'an exp in milliseconds', 'claims', withClaims({ exp: (now + 300) * 1000 })],
  ['JWT-12', 'an iat far in the future', 'claims', withClaims({ iat: now + 200 })],
  ['JWT-12', 'an iat in milliseconds', 'claims', withClaims({ iat: now * 1000 })],
  ['JWT-12', 'an nbf in the future', 'not_yet_valid', withClaims({ nbf: now + 1 })],
  [
    'JWT-13',
    'an unknown critical header',
    'critical_header',
    withHeader({ crit: ['exp2'], exp2: 1 }),
  ],
  ['JWT-13', 'an unencoded payload', 'critical_header', withHeader({ crit: ['b64'], b64: false })],
  [
    'JWT-14',
    'a key twice in the payload',
    'duplicate_member',
    () => written(header, JSON.stringify(claims).replace('{', '{"sub":"admin",')),
  ],
  [
    'JWT-14',
    'a key twice below the top',
    'duplicate_member',
    () =>
      written(
        header,
        JSON.stringify({ ...claims, act: { sub: 'a' } }).replace(
          '"sub":"a"',
          '"sub":"b","sub":"a"',
        ),
      ),
  ],
  [
    'JWT-14',
    'a key twice, once escaped',
    'duplicate_member',
    () => written(header, JSON.stringify(claims).replace('{', '{"s\\u0075b" : "admin",')),
  ],
  [
    'JWT-14',
    'a key twice in the header',
    'duplicate_member',
    () => written(header.replace('{', '{"alg":"none",'), JSON.stringify(claims)),
  ],
  ['JWT-15', 'two parts', 'malformed', async () => (await parts()).slice(0, 2).join('.')],
  ['JWT-15', 'four parts', 'malformed', async () => [...(await parts()), 'AA'].join('.')],
  ['JWT-15', 'nothing', 'malformed', () => ''],
  ['JWT-15', 'padding', 'malformed', async () => `${(await parts()).join('.')}==`],
  ['JWT-15', 'a space', 'malformed', async () => `${(await parts()).join('.')} `],
  [
    'JWT-15',
    'unused bits that are not zero',
    'malformed',
    async () => {
      const [head, payload, signature] = await parts()
      const last = { A: 'B', Q: 'R', g: 'h', w: 'x' }[signature.at(-1) ?? '']
      return `${head}.${payload}.${signature.slice(0, -1)}${last}`
    },
  ],
  ['JWT-15', 'a megabyte', 'too_large', withClaims({ scope: 'x'.repeat(1_000_000) })],
  ['JWT-15', 'no JSON', 'malformed', () => written('{', '{}')],
  ['JWT-15', 'a list for a payload', 'malformed', () => written(header, '[]')],
  [
    'JWT-15',
    'a payload that is not UTF-8',
    'malformed',
    async () =>
      (await parts()).with(1, Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')).join('.'),
  ],
  ['JWT-16', 'an encrypted token', 'malformed', () => 'e30.AA.AA.AA.AA'],
  ['JWT-16', 'a compressed one', 'critical_header', withHeader({ zip: 'DEF' })],
  [
    'RAR',
    'a detail without a type',
    'claims',
    withClaims({ authorization_details: [{ actions: ['read'] }] }),
  ],
]

describe('verifying an access token', () => {
  it.each(refused)('%s: refuses %s (%s)', async (_rule, _says, reason, make) => {
    expect((await refusal(await make())).reason).toBe(reason)
  })

  it('AT-08: gives every forged token the same error', async () => {
    const messages = new Set<string>()

    for (const [, , , make] of refused) messages.add((await refusal(await make())).message)

    expect([...messages]).toEqual(['the access token is not valid'])
  })

  it('JWT-17: rejects a token of a retired key, and accepts one of its successor', async () => {
    const ring = new KeyRing(rsa)
    const before = await signJwt(ring.current, claims)
    ring.rotate(ec)
    const after = await signJwt(ring.current, claims)
    const keys = ring.findKeys
    await expect(verify(before, { keys })).resolves.toEqual(claims)

    ring.retire('rsa')

    expect((await refusal(before, { keys })).reason).toBe('unknown_key')
    await expect(verify(after, { keys })).resolves.toEqual(claims)
  })

  it('passes on the error when the keys cannot be fetched, since the token is not at fault', async () => {
    const keys = () => Promise.reject(new Error('no route to host'))

    await expect(verify(await signJwt(ec, claims), { keys })).rejects.toThrow('no route to host')
  })

  it.each(signingAlgorithms)('AT-03: accepts %s', async (alg) => {
    const key = await generateSigningKey(alg)
    const { findKeys: keys } = new KeyRing(key)

    await expect(verify(await signJwt(key, claims), { keys })).resolves.toEqual(claims)
  })

  it('accepts PS256 from a key that is published for it', async () => {
    const keys = createKeySet([{ ...rsa.publicJwk, alg: 'PS256' }])
    const make = refused.find(([rule]) => rule === 'JWT-03')?.[3] as Make

    const verified = verify(await make(), { keys })

    await expect(verified).resolves.toEqual(claims)
  })

  it('rejects a key of less than 2048 bits, even a published one (RFC 7518 §3.3)', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const keys = createKeySet([{ ...publicKey.export({ format: 'jwk' }), kid: 'rsa' }])
    const weak = {
      ...rsa,
      privateJwk: { ...rsa.privateJwk, ...privateKey.export({ format: 'jwk' }) },
    }

    const jwt = await forgeJwt(weak as SigningKey, 'own', claims)

    expect((await refusal(jwt, { keys })).reason).toBe('unknown_key')
  })

  it('AT-01: accepts typ application/at+jwt, and JWT only when the caller allows it', async () => {
    const typed = (typ: string) => signJwt(ec, claims, { typ })

    await expect(verify(await typed('application/AT+JWT'))).resolves.toEqual(claims)
    await expect(verify(await typed('JWT'), { types: ['at+jwt', 'JWT'] })).resolves.toEqual(claims)
  })

  it('THR-18: allows clock skew up to the leeway, and no more', async () => {
    const jwt = await signJwt(ec, { ...claims, nbf: now })

    await expect(verify(jwt, { now: claims.exp + 29, leeway: 30 })).resolves.toMatchObject(claims)
    expect((await refusal(jwt, { now: claims.exp + 30, leeway: 30 })).reason).toBe('expired')
    await expect(verify(jwt, { now: now - 30, leeway: 30 })).resolves.toMatchObject(claims)
    expect((await refusal(jwt, { now: now - 31, leeway: 30 })).reason).toBe('not_yet_valid')
  })

  it('accepts any aud when no audience is given', async () => {
    const jwt = await signJwt(ec, { ...claims, aud: 'https://other.test' })

    const verified = verifyAccessToken(jwt, {
      issuers: [issuer],
      keys: new KeyRing(ec).findKeys,
      now,
    })

    await expect(verified).resolves.toMatchObject({ aud: 'https://other.test' })
  })

  it('keeps unknown claims, and text in any script', async () => {
    const rich = { ...claims, agent_name: 'Ünï "quoted": \\ 文', further: { 'a:b': ['"x":1'] } }

    await expect(verify(await signJwt(ec, rich))).resolves.toEqual(rich)
  })
})

describe('a cached verification', () => {
  let jwt: string
  beforeAll(async () => {
    jwt = await signJwt(ec, claims)
    await verify(jwt)
  })

  it.each<[string, Partial<Verification>, InvalidTokenReason]>([
    ['has expired', { now: claims.exp }, 'expired'],
    ['was signed by a key that has gone', { keys: createKeySet([]) }, 'unknown_key'],
    ['is used at another audience', { audience: 'https://other.test' }, 'audience'],
    ['comes from an issuer that is no longer trusted', { issuers: [] }, 'issuer'],
    ['is of a type that is not accepted here', { types: ['JWT'] }, 'type'],
  ])('is rejected when the token %s', async (_, more, reason) => {
    expect((await refusal(jwt, more)).reason).toBe(reason)
  })

  it('is repeated when another key has the same kid', async () => {
    const other = await generateSigningKey('ES256', 'ec')

    const { findKeys: keys } = new KeyRing(other)

    expect((await refusal(jwt, { keys })).reason).toBe('signature')
  })

  it('returns the original claims, even if an earlier caller changed them', async () => {
    const details = [{ type: 'file_access', actions: ['read'] }]
    const rich = await signJwt(ec, { ...claims, authorization_details: details })
    for (const _ of ['first', 'again']) {
      const read = await verify(rich)
      read.sub = 'agent:another'
      read.authorization_details?.[0]?.actions?.push('write')
    }

    expect(await verify(rich)).toEqual({ ...claims, authorization_details: details })
  })
})
