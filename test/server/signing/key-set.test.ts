import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { InvalidToken } from '../../../server/signing/invalid-token.ts'
import { createKeySet, type KeyHint } from '../../../server/signing/key-set.ts'
import { assertionAlgorithms } from '../../../server/wire/index.ts'

type Jwk = Readonly<Record<string, unknown>>

const jwkOf = async (alg: string): Promise<JWK> =>
  exportJWK((await generateKeyPair(alg, { extractable: true })).publicKey)

const [rsa, ec, ed] = (await Promise.all(['RS256', 'ES256', 'Ed25519'].map(jwkOf))) as [
  JWK,
  JWK,
  JWK,
]

/** How many keys of the set may have signed it, or why none. */
const found = async (jwks: readonly Jwk[], header: KeyHint) => {
  try {
    return (await createKeySet(jwks)(header)).length
  } catch (thrown) {
    if (thrown instanceof InvalidToken) return thrown.reason
    throw thrown
  }
}

describe('a key in a JWKS', () => {
  it.each<[string, Jwk, string, string]>([
    ['is for encryption', { ...rsa, use: 'enc' }, 'RS256', 'algorithm'],
    ['is for other operations', { ...rsa, key_ops: ['encrypt'] }, 'RS256', 'algorithm'],
    ['has no list of operations', { ...rsa, key_ops: 'verify' }, 'RS256', 'algorithm'],
    ['names another algorithm', { ...rsa, alg: 'PS256' }, 'RS256', 'algorithm'],
    ['names the algorithm of another key type', { ...rsa, alg: 'ES256' }, 'ES256', 'algorithm'],
    ['names the algorithm of another curve', { ...ec, alg: 'ES384' }, 'ES384', 'algorithm'],
    ['names a symmetric algorithm', { ...rsa, alg: 'HS256' }, 'HS256', 'algorithm'],
    ['is symmetric', { kty: 'oct', k: 'c2VjcmV0' }, 'HS256', 'algorithm'],
    ['is not on its curve', { ...ec, y: ec.x }, 'ES256', 'algorithm'],
    ['is of no type', {}, 'RS256', 'algorithm'],
    ['has another name', { ...rsa, kid: 'other' }, 'RS256', 'unknown_key'],
  ])('is ignored if it %s; the other keys still work', async (_, jwk, alg, reason) => {
    const odd = { kid: 'k', ...jwk }

    expect(await found([odd], { alg, kid: 'k' })).toBe(reason)
    expect(await found([odd, { ...ed, kid: 'good' }], { alg: 'Ed25519', kid: 'good' })).toBe(1)
  })

  it('with verify among its key_ops is used, even if its private part is there', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true })
    const jwk = { ...(await exportJWK(privateKey)), kid: 'k', key_ops: ['sign', 'verify'] }

    expect(await found([jwk], { alg: 'ES256', kid: 'k' })).toBe(1)
  })

  it('accepts both names of Ed25519 (RFC 9864)', async () => {
    for (const alg of ['EdDSA', 'Ed25519', undefined]) {
      for (const asked of ['EdDSA', 'Ed25519']) {
        expect(await found([{ ...ed, ...(alg && { alg }) }], { alg: asked })).toBe(1)
      }
    }
  })

  it('without alg matches every algorithm of its type and curve', async () => {
    const keys = [rsa, ec, ed, await jwkOf('ES384'), await jwkOf('ES512')]

    for (const alg of assertionAlgorithms) expect(await found(keys, { alg })).toBe(1)
  })

  it('without kid is tried when no key has the requested kid', async () => {
    const others = await Promise.all([jwkOf('ES256'), jwkOf('ES256')])
    const [first, second] = others as [JWK, JWK]
    const named = { ...ec, kid: 'k' }

    expect(await found([named, first, second], { alg: 'ES256', kid: 'k' })).toBe(1)
    expect(await found([named, first, second], { alg: 'ES256', kid: 'x' })).toBe(2)
    expect(await found([named, first, second], { alg: 'ES256' })).toBe(3)
  })

  it('is the same object each time, so that caches by key keep working', async () => {
    const keys = createKeySet([ec])

    const [[first], [second]] = [await keys({ alg: 'ES256' }), await keys({ alg: 'ES256' })]

    expect(first).toBe(second)
  })
})
