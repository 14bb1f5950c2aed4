import { type KeyObject, sign as signBytes } from 'node:crypto'
import type { Algorithm, SigningKey } from './keys.ts'

export type Header = Readonly<Record<string, unknown>>

/** RFC 9068 §2.1. */
export const accessTokenHeader: Header = { typ: 'at+jwt' }

/**
 * A compact JWS (RFC 7515 §7.1) with the key's `alg` and `kid`. Pass the same `header` object again
 * and again, a constant: its encoded form is remembered by identity.
 */
export const signJwt = async (
  key: SigningKey,
  claims: Readonly<Record<string, unknown>>,
  header: Header = accessTokenHeader,
): Promise<string> => {
  const input = `${encodedHeader(key, header)}.${encode(claims)}`
  const signature = await signatures[key.alg](Buffer.from(input), key.privateKey)
  return `${input}.${signature.toString('base64url')}`
}

/** One part of a JWT: an object as base64url of its JSON. */
export const encode = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url')

const encodedHeader = (key: SigningKey, header: Header): string => {
  const known = headers.get(key)?.get(header)
  if (known !== undefined) return known
  const encoded = encode({ alg: key.alg, kid: key.kid, ...header })
  if (!headers.has(key)) headers.set(key, new WeakMap())
  headers.get(key)?.set(header, encoded)
  return encoded
}

const headers = new WeakMap<SigningKey, WeakMap<Header, string>>()

/**
 * RSA takes long enough to go to the thread pool; for the others the way there costs more than the
 * signature. Both were measured to be faster than WebCrypto, hence than jose.
 */
const signatures: Record<Algorithm, (input: Buffer, key: KeyObject) => Buffer | Promise<Buffer>> = {
  RS256: (input, key) =>
    new Promise((resolve, reject) =>
      signBytes('sha256', input, key, (error, signature) =>
        error ? reject(error) : resolve(signature),
      ),
    ),
  ES256: (input, key) => concatenated(signBytes('sha256', input, key)),
  EdDSA: (input, key) => signBytes(null, input, key),
}

/**
 * The two integers of an ASN.1 signature on P-256, 32 bytes each (RFC 7518 §3.4). OpenSSL could write
 * them so itself (`dsaEncoding`), but takes as long again as for the signature.
 */
const concatenated = (der: Buffer): Buffer => {
  const raw = Buffer.alloc(64)
  const r = 4
  const s = r + (der[3] as number) + 2
  copyInteger(der.subarray(r, s - 2), raw.subarray(0, 32))
  copyInteger(der.subarray(s), raw.subarray(32))
  return raw
}

/** DER integers have no leading zeros, but one where the first bit is set. */
const copyInteger = (integer: Buffer, into: Buffer): void => {
  const digits = integer.subarray(-32)
  digits.copy(into, 32 - digits.length)
}
