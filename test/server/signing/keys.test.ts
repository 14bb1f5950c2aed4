import { calculateJwkThumbprint } from 'jose'
import { describe, expect, it } from 'vitest'
import { generateSigningKey, importPublicKey, KeyRing } from '../../../server/signing/keys.ts'

const algorithms = ['RS256', 'ES256', 'EdDSA'] as const

describe('a key from somebody’s JWKS', async () => {
  const rsa = (await generateSigningKey('RS256', 'r')).publicJwk
  const ec = (await generateSigningKey('ES256', 'e')).publicJwk

  it.each([
    ['has no kid', { ...rsa, kid: undefined }],
    ['is for encryption', { ...rsa, use: 'enc' }],
    ['is for other operations', { ...rsa, key_ops: ['encrypt'] }],
    ['names the algorithm of another key type', { ...rsa, alg: 'ES256' }],
    ['names the algorithm of another curve', { ...ec, alg: 'ES384' }],
    ['names a symmetric algorithm', { ...rsa, alg: 'HS256' }],
    ['is symmetric', { kty: 'oct', kid: 'o', k: 'c2VjcmV0', alg: 'HS256' }],
    ['is not on its curve', { ...ec, y: ec.x }],
    ['is of no type', { kid: 'x' }],
    [
      'has less than 2048 bits',
      {
        kty: 'RSA',
        kid: 'weak',
        alg: 'RS256',
        e: 'AQAB',
        n: Buffer.alloc(128, 0xc5).toString('base64url'),
      },
    ],
  ])('is left out if it %s', (_, jwk) => {
    expect(importPublicKey(jwk)).toBeUndefined()
  })

  it('is good for the algorithm it names, and only that', () => {
    expect(importPublicKey({ ...rsa, alg: 'PS256' })).toMatchObject({ alg: 'PS256' })
  })

  it('is good for the usual algorithm if it names none', () => {
    expect(importPublicKey({ ...rsa, alg: undefined })).toMatchObject({ alg: 'RS256' })
    expect(importPublicKey({ ...ec, alg: undefined })).toMatchObject({ alg: 'ES256' })
  })
})

describe.each(algorithms)('an %s key', async (alg) => {
  const key = await generateSigningKey(alg)

  it('is named by its thumbprint', async () => {
    expect(key.kid).toBe(await calculateJwkThumbprint(key.publicKey.export({ format: 'jwk' })))
  })

  it('is published without its private part', () => {
    expect(key.publicJwk).toMatchObject({ kid: key.kid, use: 'sig', alg })
    expect(Object.keys(key.publicJwk)).not.toEqual(expect.arrayContaining(['d']))
  })

  it('survives being written down and read again', () => {
    const written = JSON.stringify(new KeyRing(key).export())

    const read = KeyRing.import(JSON.parse(written))

    expect(read.current.publicJwk).toEqual(key.publicJwk)
    expect(read.current.privateKey.equals(key.privateKey)).toBe(true)
  })
})

describe('a key ring', async () => {
  const [old, next] = await Promise.all([
    generateSigningKey('ES256', 'old'),
    generateSigningKey('ES256', 'next'),
  ])

  it('does not retire the key that signs', () => {
    expect(() => new KeyRing(old).retire('old')).toThrow('is the one that signs')
  })

  it('does not take two keys of one name', () => {
    expect(() => new KeyRing(old).rotate(old)).toThrow('already')
  })

  it('does not import a key under the wrong algorithm', () => {
    const [jwk] = new KeyRing(old).export()

    expect(() => KeyRing.import([{ ...jwk, kid: 'old', alg: 'RS256' }])).toThrow('not for RS256')
  })

  it('publishes the old key beside the new one until it is retired', () => {
    const ring = new KeyRing(old)

    ring.rotate(next)

    expect(ring.current.kid).toBe('next')
    expect(ring.jwks().keys.map(({ kid }) => kid)).toEqual(['next', 'old'])

    ring.retire('old')

    expect(ring.find('old')).toBeUndefined()
    expect(ring.jwks().keys.map(({ kid }) => kid)).toEqual(['next'])
  })
})
