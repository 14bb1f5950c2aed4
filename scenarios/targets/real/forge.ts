import {
  base64url,
  CompactSign,
  type CryptoKey,
  exportSPKI,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose'
import type { ForgeToken } from '../../../server/wire/index.ts'
import { peekJwt } from '../../language/decode.ts'
import { SkipScenario } from '../../language/target.ts'

type Members = Readonly<Record<string, unknown>>

/**
 * A token that an attacker can forge from a real one without the issuer's key: unsigned, signed by
 * a foreign key, or by HMAC with the public key (JWT-02).
 * @throws {SkipScenario} where the real token is not a JWT, or cannot be imitated
 */
export const forgeToken = async (
  { claims, header, key }: Pick<ForgeToken, 'claims' | 'header' | 'key'>,
  real: string,
  keys: readonly JWK[],
): Promise<string> => {
  const jwt = peekJwt(real)
  if (jwt === undefined) {
    throw new SkipScenario('the issuer’s tokens are not JWTs, so none can be forged')
  }
  const payload = JSON.stringify(mergeMembers(jwt.claims, claims))
  const headerWith = (alg: string) => mergeMembers({ ...jwt.header, alg }, header)
  switch (key) {
    case 'none': {
      const parts = [JSON.stringify(headerWith('none')), payload, '']
      return parts.map((part) => base64url.encode(part)).join('.')
    }
    case 'hmac': {
      const published = keys.find((it) => it.kid === jwt.header.kid) ?? keys[0]
      if (published === undefined) throw new SkipScenario('the issuer’s key is not published')
      return sign(payload, headerWith('HS256'), await pemOf(published, jwt.header.alg))
    }
    case 'foreign': {
      const { alg, privateKey } = await foreignKey(String(jwt.header.alg))
      return sign(payload, headerWith(alg), privateKey)
    }
    case 'own':
      throw new SkipScenario('forging a token with the issuer’s key needs a control plane')
  }
}

/** jose rejects a header whose `alg` does not match the key. */
const sign = async (payload: string, header: Members, key: CryptoKey | Uint8Array) => {
  const jws = new CompactSign(new TextEncoder().encode(payload))
  return await jws
    .setProtectedHeader({ ...header, alg: String(header.alg) })
    .sign(key)
    .catch((error: Error) => {
      throw new SkipScenario(`a token with this header cannot be forged: ${error.message}`)
    })
}

/** A public key in PEM. */
const pemOf = async (jwk: JWK, alg: unknown): Promise<Uint8Array> => {
  const key = await importJWK(jwk, jwk.alg ?? String(alg))
  return new TextEncoder().encode(`${await exportSPKI(key as CryptoKey)}\n`)
}

/**
 * The attacker's key for an algorithm; an RSA key where none can be generated, such as for HS256.
 */
const foreignKey = async (wanted: string) => {
  const alg = /^([RP]S(256|384|512)|ES(256|384|512)|EdDSA|Ed25519)$/.test(wanted) ? wanted : 'RS256'
  const pair = foreignKeys.get(alg) ?? generateKeyPair(alg)
  foreignKeys.set(alg, pair)
  return { alg, privateKey: (await pair).privateKey }
}

const foreignKeys = new Map<string, ReturnType<typeof generateKeyPair>>()

/** Null removes a member. */
const mergeMembers = (from: Members, by: Members): Members =>
  Object.fromEntries(Object.entries({ ...from, ...by }).filter(([, value]) => value !== null))
