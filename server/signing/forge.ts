import { createHmac, createPrivateKey, sign } from 'node:crypto'
import type { CryptoKey, JWK } from 'jose'
import { encode as base64url } from 'jose/base64url'
import { exportSPKI } from 'jose/key/export'
import { importJWK } from 'jose/key/import'
import { generateSigningKey, type SigningKey } from './keys.ts'

/** How a forged token is signed. `ForgeToken.key` of the control plane describes the values. */
export type Forgery = 'own' | 'foreign' | 'none' | 'hmac'

type Members = Readonly<Record<string, unknown>>

/**
 * Makes a forged token, for tests of token verification. The given header members replace the usual
 * ones; null removes one. jose refuses to write such headers, so only this file signs without jose.
 */
export const forgeJwt = async (
  key: SigningKey,
  forgery: Forgery,
  claims: Members,
  header: Members = {},
): Promise<string> => {
  const members = { typ: 'at+jwt', kid: key.kid, ...header }
  switch (forgery) {
    case 'own':
      return forgeSigned(key, claims, members)
    case 'foreign':
      return forgeSigned(await generateSigningKey(key.alg, key.kid), claims, members)
    case 'none':
      return forgeUnsigned(claims, members)
    case 'hmac':
      return forgeByHmac(key.publicJwk, claims, members)
  }
}

/** Signs with the key's own algorithm, whatever the header says. */
export const forgeSigned = (key: SigningKey, claims: Members, header: Members): string => {
  const input = signingInput({ alg: key.alg, ...header }, claims)
  const digest = key.alg.startsWith('Ed') ? null : 'sha256'
  const privateKey = createPrivateKey({ key: { ...key.privateJwk }, format: 'jwk' })
  const signature = sign(digest, Buffer.from(input), {
    key: privateKey,
    dsaEncoding: 'ieee-p1363',
  })
  return `${input}.${base64url(signature)}`
}

/** JWT-01. */
export const forgeUnsigned = (claims: Members, header: Members): string =>
  `${signingInput({ alg: 'none', ...header }, claims)}.`

/** JWT-02: the public key, as PEM, is used as the secret. */
export const forgeByHmac = async (
  publicJwk: JWK,
  claims: Members,
  header: Members,
): Promise<string> => {
  const input = signingInput({ alg: 'HS256', ...header }, claims)
  return `${input}.${await hmac(publicJwk, input)}`
}

/** Whether a token was signed by `forgeByHmac`. */
export const isForgedByHmac = async (publicJwk: JWK, jwt: string): Promise<boolean> => {
  const [head, claims, signature] = jwt.split('.')
  return signature === (await hmac(publicJwk, `${head}.${claims}`))
}

const hmac = async (publicJwk: JWK, input: string): Promise<string> => {
  const key = await importJWK(publicJwk, publicJwk.alg ?? usualAlgorithm(publicJwk))
  const pem = await exportSPKI(key as CryptoKey)
  return createHmac('sha256', `${pem}\n`).update(input).digest('base64url')
}

/** The PEM of a key is the same for all its algorithms. */
const usualAlgorithm = ({ kty, crv }: JWK): string =>
  kty === 'RSA'
    ? 'RS256'
    : kty === 'OKP'
      ? 'Ed25519'
      : ({ 'P-384': 'ES384', 'P-521': 'ES512' }[crv ?? ''] ?? 'ES256')

/** The two signed parts. A member with undefined or null is omitted from the header. */
const signingInput = (header: Members, claims: Members): string => {
  const members = Object.entries(header).filter(
    ([, value]) => value !== undefined && value !== null,
  )
  return [Object.fromEntries(members), claims]
    .map((part) => base64url(JSON.stringify(part)))
    .join('.')
}
