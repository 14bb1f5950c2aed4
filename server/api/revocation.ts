import {
  type AccessTokenClaims,
  type AuthorizationDetail,
  type Dialect,
  isNoWiderThanAny,
} from '../wire/index.ts'
import { refuse } from './refusal.ts'

/** The members of an introspection answer that are used. All but `active` may be absent (RFC 7662 §2.2). */
export type IntrospectionView = Readonly<{
  active: boolean
  jti?: string | undefined
  exp?: number | undefined
  scope?: string | undefined
  authorization_details?: readonly AuthorizationDetail[] | undefined
}>

/** How a guard detects revoked tokens. */
export type RevocationOptions = Readonly<{
  /**
   * - `introspection`: the issuer is asked at each request; a revocation has immediate effect, and a
   * request without an answer is rejected
   * - `signals`: `isRevoked` evaluates received signals; a revocation has effect once its signal is
   * received
   * - `expiry`: revocations are not detected: a revoked token is valid until it expires
   */
  revocation: Dialect['revocation']
  /** Rejects when the issuer cannot be asked. */
  introspect?: (token: string) => Promise<IntrospectionView>
  /**
   * Seconds for which an introspection answer is cached: the longest delay of a revocation. Default 0:
   * no cache.
   */
  cache?: number
  isRevoked?: (claims: AccessTokenClaims) => boolean
  /** Epoch seconds. */
  now: () => number
}>

/**
 * @returns a function that narrows the claims of a verified token to what is still granted
 * @throws {ApiRefused} from that function: the token is revoked, or its state is unknown
 */
export const createRevocation = (options: RevocationOptions) => {
  const remembered = new IntrospectionCache()

  const introspected = async (token: string, claims: AccessTokenClaims) => {
    const { introspect, cache = 0, now } = options
    if (introspect === undefined) throw new TypeError('introspection needs a way to introspect')
    const known = cache > 0 ? remembered.get(token, now()) : undefined
    const view = known ?? (await introspectToken(introspect, token))
    if (known === undefined && cache > 0) {
      remembered.set(token, view, Math.min(now() + cache, claims.exp))
    }
    return isAlive(view, claims, now())
      ? narrowClaims(claims, view)
      : refuseRevoked('introspection')
  }

  return async (token: string, claims: AccessTokenClaims): Promise<AccessTokenClaims> => {
    switch (options.revocation) {
      case 'introspection':
        return introspected(token, claims)
      case 'signals':
        return options.isRevoked?.(claims) ? refuseRevoked('signal') : claims
      case 'expiry':
        return claims
    }
  }
}

const refuseRevoked = (by: string) => refuse({ error: 'invalid_token', why: `revoked, by ${by}` })

const introspectToken = async (
  introspect: (token: string) => Promise<IntrospectionView>,
  token: string,
) => {
  try {
    return await introspect(token)
  } catch (cause) {
    return refuse({ error: 'temporarily_unavailable', why: 'introspection failed' }, cause)
  }
}

/** Ignores an answer about another token. */
const isAlive = ({ active, jti, exp }: IntrospectionView, claims: AccessTokenClaims, now: number) =>
  active && (jti === undefined || jti === claims.jti) && (exp === undefined || now < exp)

/**
 * What both the token and the introspection answer grant. Details in the answer alone count, because a
 * token may omit them (RFC 9396 §9.1); details in the token alone do not.
 */
const narrowClaims = (claims: AccessTokenClaims, view: IntrospectionView): AccessTokenClaims => {
  const { scope: _, authorization_details: __, ...others } = claims
  const scope = intersectScopes(claims.scope, view.scope)
  const details = intersectDetails(claims.authorization_details, view.authorization_details)
  return {
    ...others,
    ...(scope !== undefined && { scope }),
    ...(details !== undefined && { authorization_details: details }),
  }
}

const intersectScopes = (token: string | undefined, answer: string | undefined) => {
  if (token === undefined || answer === undefined) return token ?? answer
  const alive = answer.split(' ')
  return token
    .split(' ')
    .filter((scope) => alive.includes(scope))
    .join(' ')
}

const intersectDetails = (
  token: readonly AuthorizationDetail[] | undefined,
  answer: readonly AuthorizationDetail[] | undefined,
): AuthorizationDetail[] | undefined => {
  if (answer === undefined) return token && []
  if (token === undefined) return [...answer]
  return [
    ...token.filter((detail) => isNoWiderThanAny(answer, detail)),
    ...answer.filter((detail) => isNoWiderThanAny(token, detail)),
  ]
}

/**
 * A cache of introspection answers with a maximum age; the oldest is deleted first. Stored as text and
 * parsed for each reader, so that readers cannot change it.
 */
class IntrospectionCache {
  readonly #answers = new Map<string, Readonly<{ text: string; until: number }>>()
  #size = 0

  get(token: string, now: number): IntrospectionView | undefined {
    const answer = this.#answers.get(token)
    return answer !== undefined && now < answer.until ? JSON.parse(answer.text) : undefined
  }

  set(token: string, view: IntrospectionView, until: number): void {
    const text = JSON.stringify(view)
    this.#delete(token)
    this.#answers.set(token, { text, until })
    this.#size += token.length + text.length
    while (this.#answers.size > mostAnswers || this.#size > largestSize) {
      const [oldest = ''] = this.#answers.keys()
      this.#delete(oldest)
    }
  }

  #delete(token: string): void {
    const answer = this.#answers.get(token)
    if (answer === undefined) return
    this.#answers.delete(token)
    this.#size -= token.length + answer.text.length
  }
}

const mostAnswers = 10_000

/** Maximum characters of all tokens and answers together. */
const largestSize = 32 * 1024 * 1024
