import { InvalidToken } from '../signing/invalid-token.ts'
import type { FindKeys } from '../signing/key-set.ts'
import { type Verification, verifyAccessToken } from '../signing/verify.ts'
import { type AccessTokenClaims, type AuthorizationDetail, anyCovers } from '../wire/index.ts'
import { type ApiRefusal, refuse } from './refusal.ts'
import type { Requirement } from './requirement.ts'
import { createRevocation, type RevocationOptions } from './revocation.ts'

export type { Requirement } from './requirement.ts'

/** How a request says who it is. */
export type Credentials = Readonly<{
  /** The `Authorization` field; several joined by `, `. */
  authorization?: string | undefined
  /** There is a token in the query or in a form, too. Alone, such a token is ignored (OAuth 2.1 §5). */
  alsoElsewhere?: boolean
}>

/** Read anew at each request, so an object with getters follows a tenant whose settings change. */
export type GuardOptions = RevocationOptions &
  Pick<Verification, 'issuers' | 'leeway' | 'types' | 'keys'> &
  Readonly<{
    /** What this resource server is called in `aud` and in `locations`. */
    audience: string | readonly string[]
    /** The `tenant` claim of good tokens, where tenants share an issuer. Absent: not looked at. */
    tenant?: string
  }>

export type Guard = Readonly<{
  /**
   * Lets a request in: the claims of its token, narrowed to what the issuer says is left of them.
   * @throws {ApiRefused}
   */
  admit: (credentials: Credentials, requirement: Requirement) => Promise<AccessTokenClaims>
  /** Whether these claims, once admitted, are also enough for something else. */
  allows: (claims: AccessTokenClaims, requirement: Requirement) => boolean
}>

/** A guard whose two halves can be asked one after the other: is the token good, is it enough. */
export type TwoStepGuard = Guard &
  Readonly<{
    /**
     * The claims of a request's token, narrowed to what the issuer says is left of them.
     * @throws {ApiRefused}
     */
    authenticate: (credentials: Credentials) => Promise<AccessTokenClaims>
    /** @throws {ApiRefused} unless these claims, once authenticated, are enough */
    authorize: (claims: AccessTokenClaims, requirement: Requirement) => void
  }>

/** The door of a resource server (RFC 6750, RFC 9068). It knows nothing of HTTP frameworks. */
export const createGuard = (options: GuardOptions): TwoStepGuard => {
  const stillGood = createRevocation(options)
  const lack = (claims: AccessTokenClaims, requirement: Requirement) =>
    findLacking(claims, requirement, toList(options.audience))

  const authenticate = async (credentials: Credentials): Promise<AccessTokenClaims> => {
    const token = tokenOf(credentials)
    return stillGood(token, ofTenant(options.tenant, await verifyToken(token, options)))
  }
  const authorize = (claims: AccessTokenClaims, requirement: Requirement): void => {
    const lacks = lack(claims, requirement)
    if (lacks !== undefined) refuse(lacks)
  }

  return {
    authenticate,
    authorize,
    allows: (claims, requirement) => lack(claims, requirement) === undefined,
    admit: async (credentials, requirement) => {
      const claims = await authenticate(credentials)
      authorize(claims, requirement)
      return claims
    },
  }
}

/** The scheme is case-insensitive (RFC 9110 §11.1); another scheme is no credentials for us. */
const tokenOf = ({ authorization = '', alsoElsewhere = false }: Credentials): string => {
  const [, scheme, token = ''] = /^(\S+)(?: +(.*))?$/s.exec(authorization) ?? []
  if (scheme?.toLowerCase() !== 'bearer') return refuse({ error: 'missing_token' })
  if (alsoElsewhere || /,\s*bearer\s/i.test(token)) {
    return refuse({ error: 'invalid_request', says: 'expected the token once (RFC 6750 §2)' })
  }
  if (token === '') {
    return refuse({ error: 'invalid_request', says: 'expected a token after Bearer' })
  }
  return token
}

const verifyToken = async (token: string, options: GuardOptions): Promise<AccessTokenClaims> => {
  const { issuers, audience, now, leeway = 0, types = ['at+jwt'] } = options
  const keys: FindKeys = async (header) => {
    try {
      return await options.keys(header)
    } catch (cause) {
      if (cause instanceof InvalidToken) throw cause
      return refuse({ error: 'temporarily_unavailable', why: 'the keys cannot be had' }, cause)
    }
  }
  try {
    return await verifyAccessToken(token, { issuers, audience, keys, now: now(), leeway, types })
  } catch (thrown) {
    if (!(thrown instanceof InvalidToken)) throw thrown
    return refuse({ error: 'invalid_token', why: thrown.reason }, thrown)
  }
}

const ofTenant = (tenant: string | undefined, claims: AccessTokenClaims): AccessTokenClaims =>
  tenant === undefined || claims.tenant === tenant
    ? claims
    : refuse({ error: 'invalid_token', why: 'tenant' })

/**
 * What claims are not enough for. A scope is had by the `scope` claim only, a detail by
 * `authorization_details` only: neither stands in for the other, so a token with details is exactly
 * as wide as they and its scope say.
 * @throws {TypeError} for a requirement that is none
 */
const findLacking = (
  { scope = '', authorization_details: details = [] }: AccessTokenClaims,
  requirement: Requirement,
  here: readonly string[],
): ApiRefusal | undefined => {
  if ('scope' in requirement) {
    const held = scope.split(' ').filter((it) => it !== '')
    return requirement.scope.split(' ').every((it) => held.includes(it))
      ? undefined
      : { error: 'insufficient_scope', scope: requirement.scope }
  }
  if ('detail' in requirement) {
    return anyCovers(details.filter(isFor(here)), requirement.detail)
      ? undefined
      : { error: 'insufficient_authorization_details', required: requirement.detail }
  }
  if (requirement.token === 'any') return undefined
  throw new TypeError(
    "requirement: expected exactly one of { token: 'any' }, { scope }, { detail }",
  )
}

/** A detail that names places is good at these only (RFC 9396 §2.2, `locations`). */
const isFor =
  (here: readonly string[]) =>
  ({ locations }: AuthorizationDetail) =>
    locations === undefined || locations.some((place) => here.includes(place))

const toList = (value: string | readonly string[]): readonly string[] =>
  typeof value === 'string' ? [value] : value
