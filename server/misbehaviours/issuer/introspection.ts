import { type Act, misbehavioursOf } from '../../http/misbehave.ts'
import { peekJwt } from '../../signing/peek.ts'
import { verifyAccessToken } from '../../signing/verify.ts'
import { encodeBasic } from '../../wire/basic-credentials.ts'
import { alterSuccess, membersOf, withMembers } from '../alter-answer.ts'
import { misleadRules } from '../mislead-rules.ts'
import { acceptSecrets } from './accept-secrets.ts'
import {
  type Believing,
  skipIntrospectionCheck,
  verificationOptions,
  verifyBelieved,
} from './believe-token.ts'

/** Misbehaviours of introspection and revocation. */
export const introspectionMisbehaviours = misbehavioursOf('issuer', {
  'issuer-introspects-revoked': {
    says: 'A revoked token is active at introspection.',
    breaks: 'REV-04',
    routes: ['oauth.introspect'],
    act: alterIntrospection(async (jwt, { context }) => {
      const claims = await verifyAccessToken(jwt, verificationOptions(context))
      return context.tenant.state.tokens.get(claims.jti)?.revokedAt === undefined
        ? undefined
        : claims
    }),
  },
  'issuer-introspects-expired': {
    says: 'An expired token is active at introspection.',
    breaks: 'INT-03',
    routes: ['oauth.introspect'],
    act: alterIntrospection(skipIntrospectionCheck('expiry')),
  },
  'issuer-introspects-forged': {
    says: 'Introspection does not check signatures.',
    breaks: 'INT-03',
    routes: ['oauth.introspect'],
    act: alterIntrospection(skipIntrospectionCheck('signature')),
  },
  'issuer-introspects-other-tenants': {
    says: "Another tenant's token is active at introspection.",
    breaks: 'THR-03',
    routes: ['oauth.introspect'],
    act: alterIntrospection(skipIntrospectionCheck('tenant')),
  },
  'issuer-introspects-for-any-caller': {
    says: 'Introspection needs no client authentication.',
    breaks: 'INT-01',
    routes: ['oauth.introspect'],
    act: acceptSecrets(({ request, tenant }) => {
      const [clientId = ''] = tenant.state.clients.keys()
      const authorization = encodeBasic({ id: clientId, secret: 'anything' })
      return { ...request, headers: { ...request.headers, authorization } }
    }),
  },
  'issuer-introspects-for-others': {
    says: 'Introspection answers active for tokens that are neither the client’s own nor for its audience.',
    breaks: 'INT-06',
    routes: ['oauth.introspect'],
    act: alterIntrospection(async (jwt, { context }) => {
      const claims = await verifyAccessToken(jwt, verificationOptions(context))
      const record = context.tenant.state.tokens.get(claims.jti)
      return record === undefined || record.revokedAt !== undefined ? undefined : claims
    }),
  },
  'issuer-explains-inactive': {
    says: 'Introspection says why a token is inactive.',
    breaks: 'INT-02',
    routes: ['oauth.introspect'],
    act: alterSuccess((answer) =>
      membersOf(answer).active === false
        ? withMembers(answer, { reason: 'the token has been revoked or has expired' })
        : answer,
    ),
  },
  'issuer-introspects-without-details': {
    says: 'Introspection omits authorization_details.',
    breaks: 'RAR-15',
    routes: ['oauth.introspect'],
    act: alterSuccess((answer) => withMembers(answer, { authorization_details: undefined })),
  },
  'issuer-forgets-revocation': {
    says: 'Revocation answers 200, and the token stays active.',
    breaks: 'REV-04',
    routes: ['oauth.revoke'],
    act: misleadRules(() => ({ events: () => [] })),
  },
  'issuer-refuses-unknown-revocation': {
    says: 'Revoking an unknown token gets an error.',
    breaks: 'REV-02',
    routes: ['oauth.revoke'],
    act: async ({ answer, routed: { request }, context: { tenant } }) => {
      const before = tenant.journal.last
      const answered = await answer()
      const known = peekJwt(new URLSearchParams(request.body).get('token') ?? '') !== undefined
      if (answered.status !== 200 || tenant.journal.last > before || known) return answered
      return { status: 404, body: { error: 'not_found', error_description: 'no such token' } }
    },
  },
})

/** Introspection that answers active for inactive tokens. */
function alterIntrospection(believing: Believing): Act {
  return alterSuccess(async (answer, seam) => {
    const { request } = seam.routed
    if (membersOf(answer).active !== false) return answer
    const claims = await verifyBelieved(
      believing,
      new URLSearchParams(request.body).get('token'),
      seam,
    )
    if (claims === undefined) return answer
    return { ...answer, body: { active: true, token_type: 'Bearer', ...claims } }
  })
}
