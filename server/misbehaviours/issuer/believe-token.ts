import type { Seam } from '../../http/misbehave.ts'
import { issuersOf } from '../../http/origin/issuer-urls.ts'
import type { TenantContext } from '../../http/tenant/tenant-context.ts'
import { verifyAccessToken } from '../../signing/verify.ts'
import type { AccessTokenClaims } from '../../wire/index.ts'
import { type SkippableCheck, skipTokenCheck } from '../skip-token-check.ts'

/** Reads a token as valid. Throws or returns undefined where it does not. */
export type Believing = (
  jwt: string,
  seam: Seam,
) => AccessTokenClaims | undefined | Promise<AccessTokenClaims | undefined>

export const verificationOptions = (context: TenantContext) => ({
  issuers: issuersOf(context),
  keys: context.keys.findKeys,
  now: context.tenant.clock.now(),
  types: ['at+jwt', 'JWT'],
})

export const audienceOf = (context: TenantContext) => [
  ...issuersOf(context),
  context.origins.issuer,
]

export function skipIntrospectionCheck(oversight: SkippableCheck): Believing {
  return async (jwt, { context, others, routed }) => {
    const seen = await skipTokenCheck(oversight, jwt, context, others())
    if (seen === undefined) return undefined
    const introspected = routed.name === 'oauth.introspect'
    return verifyAccessToken(seen.token, {
      ...verificationOptions(context),
      ...seen.verification,
      ...(introspected ? {} : { audience: [...audienceOf(context), ...seen.audience] }),
    })
  }
}

/** @returns undefined for a token that is not accepted either */
export const verifyBelieved = async (
  believing: Believing,
  jwt: string | undefined | null,
  seam: Seam,
) => {
  try {
    return jwt ? await believing(jwt, seam) : undefined
  } catch {
    return undefined
  }
}
