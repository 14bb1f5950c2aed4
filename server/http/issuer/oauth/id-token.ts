import type { Token } from '../../../issuer/event.ts'
import { peekJwt } from '../../../signing/peek.ts'
import { type Header, signJwt } from '../../../signing/sign.ts'
import { verifyAssertion } from '../../../signing/verify-assertion.ts'
import { issuerOf, issuersOf } from '../../origin/issuer-urls.ts'
import type { TenantContext } from '../../tenant/tenant-context.ts'
import { userClaims } from './user-claims.ts'

const header: Header = { typ: 'JWT' }
const lifetime = 3600

/** An ID token for the signed-in user (OpenID Connect Core §2). `sid` is the id of the grant. */
export const idToken = (
  context: TenantContext,
  token: Token,
  requestPath: string,
): Promise<string> => {
  const { state } = context.tenant
  const grant = state.grants.get(token.grantId ?? '')?.grant
  const user = state.users.get(token.userId ?? '')
  return signJwt(
    context.keys.current,
    {
      iss: issuerOf(context, requestPath),
      sub: token.sub,
      aud: token.clientId,
      iat: token.issuedAt,
      exp: token.issuedAt + lifetime,
      auth_time: grant?.givenAt,
      sid: token.grantId,
      ...(grant?.nonce === undefined ? {} : { nonce: grant.nonce }),
      ...(user === undefined ? {} : userClaims(user, grant?.scope)),
    },
    header,
  )
}

/** The grant and the client of one of our ID tokens, also an expired one if `expired`; undefined for any other text. */
export const readIdToken = async (
  context: TenantContext,
  jwt: string,
  { expired = false }: Readonly<{ expired?: boolean }> = {},
): Promise<{ grantId: string; clientId: string; expiresAt: number } | undefined> => {
  const now = context.tenant.clock.now()
  try {
    const { sid, aud, exp } = await verifyAssertion(jwt, {
      keys: context.keys.findKeys,
      algorithms: context.keys.all.map(({ alg }) => alg),
      issuers: issuersOf(context),
      now: expired ? Math.min(now, Number(peekJwt(jwt)?.claims.exp) - 1) : now,
      longest: lifetime,
    })
    return { grantId: String(sid), clientId: String(aud), expiresAt: exp }
  } catch {
    return undefined
  }
}
