import { InvalidToken } from '../signing/invalid-token.ts'
import type { FindKeys } from '../signing/key-set.ts'
import { type Verification, verifyAccessToken } from '../signing/verify.ts'
import { type AccessTokenClaims, type AuthorizationDetail, anyCovers } from '../wire/index.ts'
import { type ApiRefusal, refuse } from './refusal.ts'
import type { Requirement } from './requirement.ts'
import { createRevocation, type RevocationOptions } from './revocation.ts'

export type { Requirement } from './requirement.ts'

/** The credentials of a request. */
export type Credentials = Readonly<{
  /** The `Authorization` field; several fields are joined by `, `. */
  authorization?: string | undefined
  /** Whether the query or a form has a token as well. A token only there is ignored (OAuth 2.1 §5). */
  alsoElsewhere?: boolean
}>

/** Read at each request, so an object with getters can follow a tenant whose settings change. */
export type GuardOptions = RevocationOptions &
  Pick<Verification, 'issuers' | 'leeway' | 'types' | 'keys'> &
  Readonly<{
    /** The names of this resource server in `aud` and in `locations`. */
    audience: string | readonly string[]
    /** Required `tenant` claim, for tenants that share an issuer. Absent: not checked. */
    tenant?: string
  }>

export type Guard = Readonly<{
  /**
   * Admits a request: returns the claims of its token, narrowed to what introspection still grants.
   * @throws {ApiRefused}
   */
  admit: (credentials: Credentials, requirement: Requirement) => Promise<AccessTokenClaims>
  /** Whether admitted claims also meet another requirement. */
  allows: (claims: AccessTokenClaims, requirement: Requirement) => boolean
}>

/** A guard in two steps: whether the token is valid, and whether it is sufficient. */
export type TwoStepGuard = Guard &
  Readonly<{
    /**
     * The claims of a request's token, narrowed to what introspection still grants.
     * @throws {ApiRefused}
     */
    authenticate: (credentials: Credentials) => Promise<AccessTokenClaims>
    /** @throws {ApiRefused} unless these authenticated claims meet the requirement */
    authorize: (claims: AccessTokenClaims, requirement: Requirement) => void
  }>

/** The guard of a resource server (RFC 6750, RFC 9068), independent of HTTP frameworks. */
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

/** The scheme is case-insensitive (RFC 9110 §11.1). Another scheme counts as no token. */
const tokenOf = ({ authorization = '', alsoElsewhere = false }: Credentials): string => {
  const [, scheme, token = ''] = /^(\S+)(?: +(.*))?$/s.exec(authorization) ?? []
  if (scheme?.toLowerCase() !== 'bearer') return refuse({ error: 'missing_token' })
  if (alsoElsewhere || /,\s*bearer\s/i.test(token)) {
    return refuse({ error: 'invalid_request', says: 'expected exactly one token (RFC 6750, 2)' })
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
      return refuse(
        { error: 'temporarily_unavailable', why: 'the keys of the issuer are not available' },
        cause,
      )
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
 * Whether claims are insufficient for a requirement. Only the `scope` claim meets a scope, only
 * `authorization_details` meets a detail; neither replaces the other, so a token with details is
 * exactly as wide as its details and scope.
 * @throws {TypeError} for an invalid requirement
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

/** A detail with `locations` is valid only there (RFC 9396 §2.2). */
const isFor =
  (here: readonly string[]) =>
  ({ locations }: AuthorizationDetail) =>
    locations === undefined || locations.some((place) => here.includes(place))

const toList = (value: string | readonly string[]): readonly string[] =>
  typeof value === 'string' ? [value] : value
