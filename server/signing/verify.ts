import type { CryptoKey } from 'jose'
import { JWSSignatureVerificationFailed, JWTClaimValidationFailed, JWTExpired } from 'jose/errors'
import { compactVerify } from 'jose/jws/compact/verify'
import { AccessTokenClaims } from '../wire/index.ts'
import { readJson } from '../wire/json.ts'
import { InvalidToken, type InvalidTokenReason } from './invalid-token.ts'
import type { FindKeys } from './key-set.ts'

export type Verification = Readonly<{
  /** Compared exactly, including a trailing slash (AT-04). */
  issuers: readonly string[]
  /** `aud` must contain at least one of these. Absent: not checked, because the caller issued the token. */
  audience?: string | readonly string[]
  /** May reject when the keys are not available; that error is passed on unchanged. */
  keys: FindKeys
  /** Epoch seconds. */
  now: number
  /** Maximum difference of the clocks, in seconds. */
  leeway?: number
  /** Accepted `typ` headers, without `application/`. Add `JWT` for issuers that do not send `at+jwt`. */
  types?: readonly string[]
}>

/** Maximum length of a token. */
export const longestToken = 16_384

/**
 * Verifies an access token by RFC 9068 §4 and RFC 8725 and returns its claims. Ignores keys in the
 * token itself (`jwk`, `jku`, `x5u`, `x5c`; JWT-06).
 * @throws {InvalidToken}
 */
export const verifyAccessToken = async (
  jwt: string,
  { issuers, audience, keys, now, leeway = 0, types = usualTypes }: Verification,
): Promise<AccessTokenClaims> => {
  const before = verifiedTokens.get(jwt)
  const { header, payload } = before ?? readJwt(jwt)
  const { alg, kid } = readCheckedHeader(header, types)
  const candidates = await keys({ alg, kid })
  const isKnown = before !== undefined && candidates.includes(before.key)
  const key = isKnown ? before.key : await verifySignature(jwt, alg, candidates)
  const wrong = findInvalidReason(payload, { issuers, audience, now, leeway })
  if (wrong !== undefined) throw new InvalidToken(wrong)
  const claims = before?.claims ?? parseClaims(payload)
  if (!hasPlausibleTimes(claims, now, leeway)) throw new InvalidToken('claims')
  if (isKnown) return JSON.parse(before.text)
  const text = JSON.stringify(claims)
  remember(jwt, { header, payload, key, claims, text })
  return JSON.parse(text)
}

const usualTypes = ['at+jwt']

type Signed = Readonly<{
  header: Members
  payload: Members
  key: CryptoKey
  claims: AccessTokenClaims
  /** The claims, parsed for each caller, so that callers cannot change them for others. */
  text: string
}>

/**
 * Cache of tokens whose signature was verified with this key, newest last. A client sends its token
 * with every request, and verifying signatures took most of the time. Time, keys and expectations are
 * checked at each request.
 */
const verifiedTokens = new Map<string, Signed>()
const mostSigned = 1000

const remember = (jwt: string, it: Signed): void => {
  verifiedTokens.delete(jwt)
  verifiedTokens.set(jwt, it)
  const [oldest] = verifiedTokens.keys()
  if (verifiedTokens.size > mostSigned && oldest !== undefined) verifiedTokens.delete(oldest)
}

/** @throws {InvalidToken} */
const verifySignature = (jwt: string, alg: string, keys: readonly CryptoKey[]) =>
  firstThatVerifies(keys, (key) => compactVerify(jwt, key, { algorithms: [alg] }))

/**
 * The first key with which `verify` succeeds.
 * @throws {InvalidToken}
 */
export const firstThatVerifies = async (
  keys: readonly CryptoKey[],
  verify: (key: CryptoKey) => Promise<unknown>,
): Promise<CryptoKey> => {
  let refused = new InvalidToken('unknown_key')
  for (const key of keys) {
    try {
      await verify(key)
      return key
    } catch (cause) {
      refused = new InvalidToken(whyNot(cause), { cause })
      if (refused.reason === 'claims') break
    }
  }
  throw refused
}

/** jose rejects a weak key with a TypeError (RFC 7518 §3.3). */
const whyNot = (cause: unknown): InvalidTokenReason => {
  if (cause instanceof JWSSignatureVerificationFailed) return 'signature'
  if (cause instanceof JWTClaimValidationFailed || cause instanceof JWTExpired) return 'claims'
  return cause instanceof TypeError ? 'unknown_key' : 'malformed'
}

/** @throws {InvalidToken} */
const parseClaims = (payload: Members): AccessTokenClaims => {
  const claims = AccessTokenClaims.safeParse(payload)
  if (!claims.success) throw new InvalidToken('claims', { cause: claims.error })
  return claims.data
}

type Circumstances = Required<Pick<Verification, 'issuers' | 'now' | 'leeway'>> &
  Readonly<{ audience: Verification['audience'] | undefined }>

/** Checks the claims of RFC 7519 §4.1 against the current time and expectations. */
const findInvalidReason = (
  payload: Members,
  { issuers, audience, now, leeway }: Circumstances,
): InvalidTokenReason | undefined => {
  const { iss, aud, nbf, exp } = payload
  if (!issuers.some((it) => it === iss)) return 'issuer'
  if (
    audience !== undefined &&
    ![aud].flat().some((it) => [audience].flat().includes(it as string))
  )
    return 'audience'
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= now + leeway)) return 'not_yet_valid'
  if (typeof exp === 'number' && exp <= now - leeway) return 'expired'
  return undefined
}

/**
 * Parses a compact JWS and accepts only its canonical form. Does not verify the signature.
 * @throws {InvalidToken}
 */
export const readJwt = (jwt: string): { header: Members; payload: Members } => {
  if (jwt.length > longestToken) throw new InvalidToken('too_large')
  const parts = jwt.split('.')
  if (parts.length !== 3) throw new InvalidToken('malformed')
  const [head, body, signature] = parts.map(decodeCanonical) as [Buffer, Buffer, Buffer]
  if (signature.length === 0) throw new InvalidToken('signature')
  return { header: parseMembers(head), payload: parseMembers(body) }
}

const readCheckedHeader = ({ alg, kid, typ, ...others }: Members, types: readonly string[]) => {
  if (typeof alg !== 'string' || alg.toLowerCase() === 'none') throw new InvalidToken('algorithm')
  if ('crit' in others || 'b64' in others || 'zip' in others)
    throw new InvalidToken('critical_header')
  if (typeof typ !== 'string' || !matchesType(types, typ)) throw new InvalidToken('type')
  if (typeof kid !== 'string' || kid.length > longestKid) throw new InvalidToken('unknown_key')
  return { alg, kid }
}

const longestKid = 256

/** Media types are case-insensitive, and `application/` may be omitted (RFC 7515 §4.1.9). */
const matchesType = (types: readonly string[], typ: string) => {
  const type = typ.toLowerCase().replace(/^application\//, '')
  return types.some((accepted) => accepted.toLowerCase() === type)
}

/** Accepts only the canonical spelling of the bytes, so that a token has exactly one spelling (JWT-15). */
const decodeCanonical = (part: string): Buffer => {
  const bytes = Buffer.from(part, 'base64url')
  if (bytes.toString('base64url') !== part) throw new InvalidToken('malformed')
  return bytes
}

export type Members = Readonly<Record<string, unknown>>

const parseMembers = (bytes: Buffer): Members => {
  const text = textOf(bytes)
  const value = json(text)
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new InvalidToken('malformed')
  if (keysWritten(text) !== keysRead(value)) throw new InvalidToken('duplicate_member')
  return value as Members
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const textOf = (bytes: Buffer) => {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new InvalidToken('malformed', { cause })
  }
}
const json = (text: string): unknown => {
  try {
    return readJson(text)
  } catch (cause) {
    throw new InvalidToken('malformed', { cause })
  }
}

/**
 * With duplicate keys the last one wins (RFC 7515 §4), but another reader may use the first, so
 * duplicates are rejected. In valid JSON a string before a colon is a key, and parsing keeps one of
 * each name.
 */
const keysWritten = (text: string): number => {
  let count = 0
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"[ \t\r\n]*(:)?/g)) if (colon) count++
  return count
}
const keysRead = (value: unknown): number => {
  if (value === null || typeof value !== 'object') return 0
  const below = Object.values(value).reduce<number>((sum, member) => sum + keysRead(member), 0)
  return Array.isArray(value) ? below : below + Object.keys(value).length
}

/** Rejects times in milliseconds and times far in the future (JWT-12). */
const hasPlausibleTimes = ({ iat, exp }: AccessTokenClaims, now: number, leeway: number) =>
  iat <= now + leeway + farAhead && exp > iat && exp - iat <= longestLifetime

const farAhead = 60
const longestLifetime = 366 * 86_400
