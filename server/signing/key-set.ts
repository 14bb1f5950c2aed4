import type { CryptoKey, JWK } from 'jose'
import { JWKSMultipleMatchingKeys } from 'jose/errors'
import { createLocalJWKSet } from 'jose/jwks/local'
import { InvalidToken } from './invalid-token.ts'

/** The members of a JWS header that select its key. */
export type KeyHint = Readonly<{ alg: string; kid?: string | undefined }>

/**
 * Finds the keys that may have signed a JWS; at least one. Rejects with `InvalidToken` when no key
 * matches, with another error when the keys cannot be fetched.
 */
export type FindKeys = (header: KeyHint) => Promise<readonly CryptoKey[]>

/** A member of a JWKS, unvalidated. */
type ForeignJwk = Readonly<Record<string, unknown>>

/**
 * The keys of a JWKS (RFC 7517 §5), imported on first use. A key without `alg` matches every algorithm
 * of its type and curve, a key with `alg` only that one (§4.4); the two names of Ed25519 are one
 * algorithm (RFC 9864 §2.2). A key without `kid` is tried when no key has the requested `kid`. Unusable
 * keys are skipped.
 */
export const createKeySet = (jwks: readonly ForeignJwk[]): FindKeys => {
  const readable = jwks.map(usable)
  const all = createLocalJWKSet({ keys: readable })
  const nameless = createLocalJWKSet({ keys: readable.filter(({ kid }) => kid === undefined) })
  const names = new Set(readable.map(({ kid }) => kid))
  /** By algorithm and `kid`. Contains only keys of the set, so unknown names use no memory. */
  const known = new Map<string, readonly CryptoKey[]>()

  return async ({ alg, kid }) => {
    const isNamed = kid !== undefined && names.has(kid)
    const found = isNamed ? known.get(`${alg} ${kid}`) : undefined
    if (found) return found
    const keys = isNamed
      ? await matching(all, { alg, kid })
      : await matching(kid === undefined ? all : nameless, { alg })
    if (keys.length === 0) throw new InvalidToken(isNamed ? 'algorithm' : 'unknown_key')
    if (isNamed) known.set(`${alg} ${kid}`, keys)
    return keys
  }
}

/** Every matching key of the set that can be imported. */
const matching = async (
  find: ReturnType<typeof createLocalJWKSet>,
  header: { alg: string; kid?: string },
): Promise<CryptoKey[]> => {
  try {
    return [await find({ ...header })]
  } catch (failed) {
    return failed instanceof JWKSMultipleMatchingKeys ? Array.fromAsync(failed) : []
  }
}

/** The public members, in the form that jose compares. */
const usable = (jwk: ForeignJwk): JWK => {
  const { alg, key_ops: operations, ...others } = { ...publicPart(jwk) } as JWK
  return {
    ...others,
    ...(alg === undefined || isEd25519(jwk) ? {} : { alg }),
    ...(operations === undefined ? {} : { key_ops: verifying(operations) }),
  }
}

/** jose passes every key operation to WebCrypto; a public key can only verify. */
const verifying = (operations: unknown): string[] =>
  Array.isArray(operations) && operations.includes('verify') ? ['verify'] : []

const isEd25519 = ({ alg, crv }: ForeignJwk): boolean =>
  crv === 'Ed25519' && (alg === 'EdDSA' || alg === 'Ed25519')

/** A JWK without private and unknown members. */
export const publicPart = (jwk: ForeignJwk | JWK): JWK =>
  Object.fromEntries(
    Object.entries(jwk).filter(([name, value]) => publicMembers.has(name) && value !== undefined),
  )

const publicMembers = new Set(['kty', 'kid', 'alg', 'use', 'key_ops', 'crv', 'x', 'y', 'n', 'e'])
