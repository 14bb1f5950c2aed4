import { jwtVerify } from 'jose/jwt/verify'
import { InvalidToken } from './invalid-token.ts'
import type { FindKeys } from './key-set.ts'
import { firstThatVerifies, type Members, readJwt } from './verify.ts'

export type AssertionRules = Readonly<{
  keys: FindKeys
  algorithms: readonly string[]
  issuers: readonly string[]
  /** Expected audience: exactly one of these (rfc7523bis §4). Absent: not checked. */
  audiences?: readonly string[]
  subject?: string
  /** Epoch seconds. */
  now: number
  /** Maximum lifetime of an assertion from now, in seconds. */
  longest: number
}>

/** Claims of a verified assertion. */
export type Assertion = Members & Readonly<{ iss: string; exp: number }>

/**
 * Verifies a JWT that identifies its signer: of a client (RFC 7523 §3), of a platform for its workload,
 * or an ID token of our own. Rejects access tokens (JWT-11).
 * @throws {InvalidToken}
 */
export const verifyAssertion = async (
  jwt: string,
  { keys, algorithms, issuers, audiences, subject, now, longest }: AssertionRules,
): Promise<Assertion> => {
  const { header, payload } = readJwt(jwt)
  const { alg, kid, typ = 'JWT' } = header
  if (!isAssertion(typ)) throw new InvalidToken('type')
  if ('crit' in header || 'b64' in header || 'zip' in header) {
    throw new InvalidToken('critical_header')
  }
  if (typeof alg !== 'string' || !algorithms.includes(alg)) throw new InvalidToken('algorithm')
  if (kid !== undefined && typeof kid !== 'string') throw new InvalidToken('unknown_key')
  await firstThatVerifies(await keys({ alg, kid }), (key) =>
    jwtVerify(jwt, key, {
      algorithms: [alg],
      issuer: [...issuers],
      ...(subject === undefined ? {} : { subject }),
      currentDate: new Date(now * 1000),
      clockTolerance: skew,
      requiredClaims: ['exp', 'sub'],
    }),
  )
  const { aud, exp } = payload as Assertion
  if (audiences !== undefined && !isSole(aud, audiences)) throw new InvalidToken('audience')
  if (exp > now + longest) throw new InvalidToken('claims')
  return payload as Assertion
}

/** Seconds by which the clock of a client may be ahead of ours. */
const skew = 5

const isAssertion = (typ: unknown): boolean =>
  typeof typ === 'string' && /^(application\/)?(jwt|client-authentication\+jwt)$/i.test(typ)

const isSole = (aud: unknown, accepted: readonly string[]): boolean => {
  const [only, ...others] = [aud].flat()
  return typeof only === 'string' && others.length === 0 && accepted.includes(only)
}
