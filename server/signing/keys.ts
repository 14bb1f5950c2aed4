import type { JWK } from 'jose'
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'
import { exportJWK } from 'jose/key/export'
import { generateKeyPair } from 'jose/key/generate/keypair'
import type { Jwks, signingAlgorithms } from '../wire/index.ts'
import { createKeySet, type FindKeys, publicPart } from './key-set.ts'

/** RS256 by default, as LumoAuth signs (contract §3.1). */
export type Algorithm = (typeof signingAlgorithms)[number]

/** RFC 7517, as it is published: never with a private member. */
export type PublicJwk = Jwks['keys'][number]

/** A private key as it is stored beside a journal file; never leaves the issuer otherwise. */
export type PrivateJwk = Readonly<JWK & { kid: string; alg: Algorithm }>

/**
 * A key that signs. jose imports a JWK when it is first used, and remembers the import by the identity
 * of the object: always pass the same one.
 */
export type SigningKey = Readonly<{
  kid: string
  alg: Algorithm
  privateJwk: PrivateJwk
  publicJwk: PublicJwk
}>

/** Generates a key. `kid` defaults to the thumbprint of RFC 7638. */
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

/** What an algorithm asks of a key (RFC 7518 §3.3, §3.4; RFC 9864 §2.2). */
const keyTypes: Readonly<Record<Algorithm, Pick<JWK, 'kty' | 'crv'>>> = {
  RS256: { kty: 'RSA' },
  ES256: { kty: 'EC', crv: 'P-256' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
  Ed25519: { kty: 'OKP', crv: 'Ed25519' },
}

/** A tenant's keys: one signs, all are published, so that tokens outlive a rotation. */
export class KeyRing {
  /** Oldest first, but the last one is the one that signs. */
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

  /** Every key that is published. */
  get all(): readonly SigningKey[] {
    return this.#keys
  }

  find(kid: string): SigningKey | undefined {
    return this.#keys.find((key) => key.kid === kid)
  }

  /** The published keys, for verifying. */
  readonly findKeys: FindKeys = (header) => {
    this.#findKeys ??= createKeySet(this.#jwks.keys)
    return this.#findKeys(header)
  }

  /** Publishes `key`; it does not sign yet, so that verifiers get to know it first. */
  publish(key: SigningKey): void {
    if (this.find(key.kid)) throw new TypeError(`there is already a key ${key.kid}`)
    this.#replace([...this.#keys.slice(0, -1), key, this.current])
  }

  /** Signs with a published key from now on. The one before stays published until it is retired. */
  signWith(kid: string): void {
    const key = this.find(kid)
    if (key === undefined) throw new TypeError(`there is no key ${kid}`)
    this.#replace([...this.#keys.filter((it) => it !== key), key])
  }

  /** Publishes `key` and signs with it from now on. */
  rotate(key: SigningKey): void {
    this.publish(key)
    this.signWith(key.kid)
  }

  /** No longer publishes a key: what it signed is worth nothing from now on. */
  retire(kid: string): void {
    if (kid === this.current.kid) throw new TypeError(`the key ${kid} is the one that signs`)
    this.#replace(this.#keys.filter((key) => key.kid !== kid))
  }

  /** The one that signs first, as a reader that takes the first key expects. */
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
