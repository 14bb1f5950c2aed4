import { calculateJwkThumbprint } from 'jose'
import { describe, expect, it } from 'vitest'
import { generateSigningKey, KeyRing } from '../../../server/signing/keys.ts'
import { signingAlgorithms } from '../../../server/wire/index.ts'

describe.each(signingAlgorithms)('an %s key', async (alg) => {
  const key = await generateSigningKey(alg)

  it('has its thumbprint as kid', async () => {
    expect(key.kid).toBe(await calculateJwkThumbprint({ ...key.publicJwk }))
  })

  it('is published without its private part', () => {
    expect(key.publicJwk).toMatchObject({ kid: key.kid, use: 'sig', alg })
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi']) {
      expect(key.publicJwk).not.toHaveProperty(member)
    }
  })

  it('stays the same after export and import', () => {
    const written = JSON.stringify(new KeyRing(key).export())

    const read = KeyRing.import(JSON.parse(written))

    expect(read.current).toEqual(key)
  })
})

describe('a key ring', async () => {
  const [old, next] = await Promise.all([
    generateSigningKey('ES256', 'old'),
    generateSigningKey('ES256', 'next'),
  ])
  const kidsOf = (ring: KeyRing) => ring.jwks().keys.map(({ kid }) => kid)

  it('refuses to retire the key that signs', () => {
    expect(() => new KeyRing(old).retire('old')).toThrow('is the signing key')
  })

  it('refuses two keys with one kid', () => {
    expect(() => new KeyRing(old).rotate(old)).toThrow('already')
  })

  it('refuses to sign with an unpublished key', () => {
    expect(() => new KeyRing(old).signWith('next')).toThrow('unknown key: next')
  })

  it('refuses to import a key under the wrong algorithm', () => {
    const [jwk] = new KeyRing(old).export()

    expect(() => KeyRing.import([{ ...jwk, kid: 'old', alg: 'RS256' }])).toThrow('not for RS256')
  })

  it('refuses to import a public key', () => {
    expect(() => KeyRing.import([{ ...old.publicJwk, kid: 'old', alg: 'ES256' }])).toThrow(
      'not for',
    )
  })

  it('publishes the old key beside the new one until the old one is retired', () => {
    const ring = new KeyRing(old)

    ring.rotate(next)

    expect(ring.current.kid).toBe('next')
    expect(kidsOf(ring)).toEqual(['next', 'old'])

    ring.retire('old')

    expect(ring.find('old')).toBeUndefined()
    expect(kidsOf(ring)).toEqual(['next'])
  })

  it('publishes a key before it signs, also after export and import', () => {
    const ring = new KeyRing(old)

    ring.publish(next)
    const read = KeyRing.import(ring.export())

    for (const it of [ring, read]) {
      expect(it.current.kid).toBe('old')
      expect(kidsOf(it)).toEqual(['old', 'next'])
      it.signWith('next')
      expect(it.current.kid).toBe('next')
      expect(kidsOf(it)).toEqual(['next', 'old'])
    }
  })
})
