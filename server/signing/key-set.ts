import type { CryptoKey, JWK } from 'jose'
import { JWKSMultipleMatchingKeys } from 'jose/errors'
import { createLocalJWKSet } from 'jose/jwks/local'
import { InvalidToken } from './invalid-token.ts'

/** What the header of a JWS says of its key. */
export type KeyHint = Readonly<{ alg: string; kid?: string | undefined }>

/**
 * Finds the keys that a JWS may have been signed with: never none.
 * Rejects with `InvalidToken` where no key fits, with anything else where keys cannot be had.
 */
export type FindKeys = (header: KeyHint) => Promise<readonly CryptoKey[]>

/** A member of somebody's JWKS, as it was written. */
type ForeignJwk = Readonly<Record<string, unknown>>

/**
 * The keys of a JWKS (RFC 7517 §5), each imported when it is first needed. A key without `alg` is good
 * for every algorithm of its type and curve, a key with `alg` for that one only (§4.4); the two names
 * of Ed25519 are one algorithm (RFC 9864 §2.2). A key without `kid` is tried when no key has the name.
 * A key that cannot be used does not spoil the others.
 */
export const createKeySet = (jwks: readonly ForeignJwk[]): FindKeys => {
  const readable = jwks.map(usable)
  const all = createLocalJWKSet({ keys: readable })
  const nameless = createLocalJWKSet({ keys: readable.filter(({ kid }) => kid === undefined) })
  const names = new Set(readable.map(({ kid }) => kid))
  /** By algorithm and name. Only what the set holds is kept, so made-up names take no memory. */
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

/** Every key of the set that fits and can be imported. */
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

/** jose asks WebCrypto for every operation that is named; a public key only verifies. */
const verifying = (operations: unknown): string[] =>
  Array.isArray(operations) && operations.includes('verify') ? ['verify'] : []

const isEd25519 = ({ alg, crv }: ForeignJwk): boolean =>
  crv === 'Ed25519' && (alg === 'EdDSA' || alg === 'Ed25519')

/** A JWK without what is private, or unknown to us. */
export const publicPart = (jwk: ForeignJwk | JWK): JWK =>
  Object.fromEntries(
    Object.entries(jwk).filter(([name, value]) => publicMembers.has(name) && value !== undefined),
  )

const publicMembers = new Set(['kty', 'kid', 'alg', 'use', 'key_ops', 'crv', 'x', 'y', 'n', 'e'])
