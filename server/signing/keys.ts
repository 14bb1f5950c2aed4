import type { JWK } from 'jose'
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'
import { exportJWK } from 'jose/key/export'
import { generateKeyPair } from 'jose/key/generate/keypair'
import type { Jwks, signingAlgorithms } from '../wire/index.ts'
import { createKeySet, type FindKeys, publicPart } from './key-set.ts'

/** The default is RS256, as at LumoAuth (CONTRACT.md#token-header). */
export type Algorithm = (typeof signingAlgorithms)[number]

/** A public key as published (RFC 7517). Never has private members. */
export type PublicJwk = Jwks['keys'][number]

/** A private key, as stored beside a journal file. It is sent nowhere. */
export type PrivateJwk = Readonly<JWK & { kid: string; alg: Algorithm }>

/**
 * A signing key. jose caches the import of a JWK by the identity of the object, so always pass the same
 * object.
 */
export type SigningKey = Readonly<{
  kid: string
  alg: Algorithm
  privateJwk: PrivateJwk
  publicJwk: PublicJwk
}>

/** Generates a key. The default `kid` is the thumbprint of RFC 7638. */
export const generateSigningKey = async (alg: Algorithm, kid?: string): Promise<SigningKey> => {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = await exportJWK(privateKey)
  return importSigningKey({ ...jwk, kid: kid ?? (await calculateJwkThumbprint(jwk)), alg })
}

/** @throws when the JWK is not a private key for its `alg` */
export const importSigningKey = (jwk: PrivateJwk): SigningKey => {
  const { kid, alg, kty, crv, d } = jwk
  const { kty: type, crv: curve } = keyTypes[alg] ?? {}
  if (kty !== type || crv !== curve || typeof d !== 'string') {
    throw new TypeError(`the key ${kid} is not for ${alg}`)
  }
  const publicJwk = { ...publicPart(jwk), kid, use: 'sig', alg } as PublicJwk
  return { kid, alg, privateJwk: { ...jwk }, publicJwk }
}

/** Key type of each algorithm (RFC 7518 §3.3, §3.4; RFC 9864 §2.2). */
const keyTypes: Readonly<Record<Algorithm, Pick<JWK, 'kty' | 'crv'>>> = {
  RS256: { kty: 'RSA' },
  ES256: { kty: 'EC', crv: 'P-256' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
  Ed25519: { kty: 'OKP', crv: 'Ed25519' },
}

/** A tenant's keys. One signs; all are published, so that tokens stay valid after a rotation. */
export class KeyRing {
  /** Oldest first, except that the signing key is last. */
  #keys: readonly SigningKey[]
  #jwks: Jwks
  #findKeys: FindKeys | undefined

  constructor(...keys: readonly [SigningKey, ...SigningKey[]]) {
    this.#keys = keys
    this.#jwks = toJwks(keys)
  }

  static import(jwks: readonly PrivateJwk[]): KeyRing {
    const [first, ...others] = jwks.map(importSigningKey)
    if (!first) throw new TypeError('a key ring needs a key')
    return new KeyRing(first, ...others)
  }

  export(): readonly PrivateJwk[] {
    return this.#keys.map(({ privateJwk }) => privateJwk)
  }

  get current(): SigningKey {
    return this.#keys.at(-1) as SigningKey
  }

  /** Every published key. */
  get all(): readonly SigningKey[] {
    return this.#keys
  }

  find(kid: string): SigningKey | undefined {
    return this.#keys.find((key) => key.kid === kid)
  }

  /** The published keys, for verification. */
  readonly findKeys: FindKeys = (header) => {
    this.#findKeys ??= createKeySet(this.#jwks.keys)
    return this.#findKeys(header)
  }

  /** Publishes `key` without signing with it, so that verifiers can fetch it first. */
  publish(key: SigningKey): void {
    if (this.find(key.kid)) throw new TypeError(`the key ${key.kid} exists already`)
    this.#replace([...this.#keys.slice(0, -1), key, this.current])
  }

  /** Signs with a published key from now on. The previous key stays published until it is retired. */
  signWith(kid: string): void {
    const key = this.find(kid)
    if (key === undefined) throw new TypeError(`unknown key: ${kid}`)
    this.#replace([...this.#keys.filter((it) => it !== key), key])
  }

  /** Publishes `key` and signs with it from now on. */
  rotate(key: SigningKey): void {
    this.publish(key)
    this.signWith(key.kid)
  }

  /** Removes a key from the published ones. Tokens it signed become invalid. */
  retire(kid: string): void {
    if (kid === this.current.kid) throw new TypeError(`the key ${kid} is the signing key`)
    this.#replace(this.#keys.filter((key) => key.kid !== kid))
  }

  /** With the signing key first, because some readers use only the first key. */
  jwks(): Jwks {
    return this.#jwks
  }

  #replace(keys: readonly SigningKey[]) {
    this.#keys = keys
    this.#jwks = toJwks(keys)
    this.#findKeys = undefined
  }
}

const toJwks = (keys: readonly SigningKey[]): Jwks => ({
  keys: keys.map((key) => key.publicJwk).reverse(),
})
