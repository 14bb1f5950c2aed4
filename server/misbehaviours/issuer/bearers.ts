import { bearerToken } from '../../http/authorization-field.ts'
import type { Routed } from '../../http/core.ts'
import { issuerContext } from '../../http/issuer/context.ts'
import { type Act, misbehavioursOf } from '../../http/misbehave.ts'
import { issuersOf } from '../../http/origin/issuer-urls.ts'
import type { TenantContext } from '../../http/tenant/tenant-context.ts'
import type { Token } from '../../issuer/event.ts'
import type { State } from '../../issuer/state.ts'
import { signJwt } from '../../signing/sign.ts'
import { verifyAccessToken } from '../../signing/verify.ts'
import type { AccessTokenClaims, IssuerRoute } from '../../wire/index.ts'
import { withMistake } from '../mislead-rules.ts'
import {
  audienceOf,
  type Believing,
  skipIntrospectionCheck,
  verificationOptions,
  verifyBelieved,
} from './believe-token.ts'

/** Misbehaviours of the issuer's bearer token verification. */
export const bearerMisbehaviours = misbehavioursOf('issuer', {
  'issuer-accepts-expired-bearer': {
    says: 'The issuer accepts an expired token.',
    breaks: 'AT-06',
    act: admitToken(skipIntrospectionCheck('expiry')),
  },
  'issuer-accepts-revoked-bearer': {
    says: 'The issuer accepts a revoked token.',
    breaks: 'THR-01',
    act: admitToken((jwt, { context }) =>
      verifyAccessToken(jwt, { ...verificationOptions(context), audience: audienceOf(context) }),
    ),
  },
  'issuer-accepts-unsigned-bearer': {
    says: 'The issuer accepts a token with alg none.',
    breaks: 'JWT-01',
    act: admitToken(skipIntrospectionCheck('unsigned')),
  },
  'issuer-accepts-hmac-bearer': {
    says: 'The issuer accepts a token signed by HS256 with the public key.',
    breaks: 'JWT-02',
    act: admitToken(skipIntrospectionCheck('hmac')),
  },
  'issuer-ignores-aud': {
    says: 'The issuer accepts a token whose aud is the API.',
    breaks: 'AT-05',
    act: admitToken(skipIntrospectionCheck('audience')),
  },
  'issuer-ignores-tenant': {
    says: 'The issuer accepts a token of another tenant.',
    breaks: 'JWT-09',
    act: admitToken(skipIntrospectionCheck('tenant')),
  },
})

/** Accepts an invalid bearer token as if it were a valid one of this tenant. */
function admitToken(believing: Believing): Act {
  return (seam) =>
    seam.answer({
      context: async (honest) => {
        try {
          return await honest()
        } catch (refused) {
          const { context, routed } = seam
          const claims = await verifyBelieved(believing, bearerToken(routed.request), seam)
          if (claims === undefined) throw refused
          const alive = await reviveToken(context, claims)
          const headers = { ...routed.request.headers, authorization: `Bearer ${alive.jwt}` }
          const request = { ...routed.request, headers }
          const call = { ...(routed as Routed<IssuerRoute>), request, context: alive.context }
          return { ...(await issuerContext(call)), context }
        }
      },
    })
}

/** A valid token with these claims, and the tenant context as if it had been issued. */
const reviveToken = async (context: TenantContext, claims: AccessTokenClaims) => {
  const { tenant, keys } = context
  const now = tenant.clock.now()
  const token: Token = {
    kind: claims.agent_id === undefined ? 'user' : 'agent',
    jti: claims.jti,
    sub: claims.sub,
    clientId: claims.client_id,
    issuedAt: now,
    expiresAt: now + 60,
    ...(claims.agent_id === undefined ? { userId: claims.sub } : { agentId: claims.agent_id }),
    ...(claims.scope === undefined ? {} : { scope: claims.scope }),
  }
  const jwt = await signJwt(keys.current, {
    ...claims,
    iss: issuersOf(context)[0],
    aud: audienceOf(context),
    tenant: tenant.slug,
    iat: token.issuedAt,
    exp: token.expiresAt,
  })
  const state = (real: State) => ({
    ...real,
    tokens: new Map(real.tokens).set(token.jti, { token }),
  })
  return { jwt, context: withMistake(context, { state }) }
}
