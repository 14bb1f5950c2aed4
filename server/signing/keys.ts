import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair as generate,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import { promisify } from 'node:util'
import type { Jwks } from '../wire/index.ts'

/** RS256 by default, as LumoAuth signs (contract §3.1). */
export type Algorithm = 'RS256' | 'ES256' | 'EdDSA'

/** RFC 7517, as it is published: never with a private member. */
export type PublicJwk = Jwks['keys'][number]

/** A public key under its `kid`, good for exactly one algorithm. */
export type VerificationKey = Readonly<{ kid: string; alg: string; publicKey: KeyObject }>

export type SigningKey = VerificationKey &
  Readonly<{ alg: Algorithm; privateKey: KeyObject; publicJwk: PublicJwk }>

/** A private key as it is stored beside a journal file; never leaves the issuer otherwise. */
export type PrivateJwk = Readonly<JsonWebKey & { kid: string; alg: Algorithm }>

/** Generates on the thread pool. `kid` defaults to the thumbprint of RFC 7638. */
export const generateSigningKey = async (alg: Algorithm, kid?: string): Promise<SigningKey> => {
  const { privateKey, publicKey } = await pairs[alg]()
  return signingKey(alg, privateKey, publicKey, kid)
}

/** An ES256 key, made on the spot: that takes less than the way to the thread pool. */
export const generateSmallKey = (): SigningKey => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return signingKey('ES256', privateKey, publicKey)
}

export const exportSigningKey = ({ kid, alg, privateKey }: SigningKey): PrivateJwk => ({
  ...privateKey.export({ format: 'jwk' }),
  kid,
  alg,
})

/** @throws when the JWK is no private key of its `alg` */
export const importSigningKey = (jwk: PrivateJwk): SigningKey => {
  const privateKey = createPrivateKey({ key: { ...jwk }, format: 'jwk' })
  const publicKey = createPublicKey(privateKey)
  if (!fits(jwk.alg, publicKey)) throw new TypeError(`the key ${jwk.kid} is not for ${jwk.alg}`)
  return signingKey(jwk.alg, privateKey, publicKey, jwk.kid)
}

/**
 * A key from somebody's JWKS. Undefined for a key that is not for checking signatures, that is too
 * weak, or that disagrees with itself (JWT-04): one odd key must not take the others down.
 */
export const importPublicKey = (
  jwk: Readonly<Record<string, unknown>>,
): VerificationKey | undefined => {
  const { kid, use = 'sig', key_ops: operations = ['verify'] } = jwk
  if (typeof kid !== 'string' || use !== 'sig') return undefined
  if (!Array.isArray(operations) || !operations.includes('verify')) return undefined
  try {
    const publicKey = createPublicKey({ key: { ...jwk } as JsonWebKey, format: 'jwk' })
    const alg = jwk.alg ?? usualAlgorithm(publicKey)
    return typeof alg === 'string' && fits(alg, publicKey) ? { kid, alg, publicKey } : undefined
  } catch {
    return undefined
  }
}

/** A tenant's keys: one signs, all are published, so that tokens outlive a rotation. */
export class KeyRing {
  /** Oldest first; the last one signs. */
  #keys: readonly SigningKey[]
  #byId: ReadonlyMap<string, SigningKey>
  #jwks: Jwks

  constructor(...keys: readonly [SigningKey, ...SigningKey[]]) {
    this.#keys = keys
    this.#byId = index(keys)
    this.#jwks = published(keys)
  }

  static import(jwks: readonly PrivateJwk[]): KeyRing {
    const [first, ...others] = jwks.map(importSigningKey)
    if (!first) throw new TypeError('a key ring needs a key')
    return new KeyRing(first, ...others)
  }

  export(): readonly PrivateJwk[] {
    return this.#keys.map(exportSigningKey)
  }

  get current(): SigningKey {
    return this.#keys.at(-1) as SigningKey
  }

  /** Every key that is published. */
  get all(): readonly SigningKey[] {
    return this.#keys
  }

  find(kid: string): SigningKey | undefined {
    return this.#byId.get(kid)
  }

  /** Signs with `key` from now on. The key before stays published until it is retired. */
  rotate(key: SigningKey): void {
    if (this.#byId.has(key.kid)) throw new TypeError(`there is already a key ${key.kid}`)
    this.#replace([...this.#keys, key])
  }

  /** No longer publishes a key: what it signed is worth nothing from now on. */
  retire(kid: string): void {
    if (kid === this.current.kid) throw new TypeError(`the key ${kid} is the one that signs`)
    this.#replace(this.#keys.filter((key) => key.kid !== kid))
  }

  /** The newest first, as a reader that takes the first key expects. */
  jwks(): Jwks {
    return this.#jwks
  }

  #replace(keys: readonly SigningKey[]) {
    this.#keys = keys
    this.#byId = index(keys)
    this.#jwks = published(keys)
  }
}

const index = (keys: readonly SigningKey[]) => new Map(keys.map((key) => [key.kid, key]))
const published = (keys: readonly SigningKey[]): Jwks => ({
  keys: keys.map((key) => key.publicJwk).reverse(),
})

const generateKeyPair = promisify(generate)
const pairs: Record<Algorithm, () => Promise<{ privateKey: KeyObject; publicKey: KeyObject }>> = {
  RS256: () => generateKeyPair('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPair('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPair('ed25519'),
}

const signingKey = (
  alg: Algorithm,
  privateKey: KeyObject,
  publicKey: KeyObject,
  name?: string,
): SigningKey => {
  const jwk = publicKey.export({ format: 'jwk' })
  const kid = name ?? thumbprint(jwk)
  const publicJwk = { ...jwk, kid, use: 'sig', alg } as PublicJwk & JsonWebKey
  return { kid, alg, privateKey, publicKey, publicJwk }
}

/** RFC 7638 §3: the required members in the order of their names, without a space. */
const thumbprint = ({ crv, e, kty, n, x, y }: JsonWebKey): string =>
  createHash('sha256').update(JSON.stringify({ crv, e, kty, n, x, y })).digest('base64url')

/** What an algorithm asks of a key (RFC 7518 §3.3, §3.4; RFC 8037 §3.1). */
const fits = (alg: string, key: KeyObject): boolean => {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {}
  switch (alg) {
    case 'RS256':
    case 'RS384':
    case 'RS512':
    case 'PS256':
      return key.asymmetricKeyType === 'rsa' && modulusLength >= 2048
    case 'ES256':
      return namedCurve === 'prime256v1'
    case 'ES384':
      return namedCurve === 'secp384r1'
    case 'ES512':
      return namedCurve === 'secp521r1'
    case 'EdDSA':
      return key.asymmetricKeyType === 'ed25519'
    default:
      return false
  }
}

/** `alg` is optional in a JWK (RFC 7517 §4.4); without it a key is good for the usual one only. */
const usualAlgorithm = (key: KeyObject) =>
  ['RS256', 'ES256', 'ES384', 'ES512', 'EdDSA'].find((alg) => fits(alg, key))
