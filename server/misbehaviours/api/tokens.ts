import { bearerToken } from '../../http/authorization-field.ts'
import { type Act, misbehavioursOf } from '../../http/misbehave.ts'
import { apiAudience, issuersOf } from '../../http/origin/issuer-urls.ts'
import type { TenantContext } from '../../http/tenant/tenant-context.ts'
import type { AccessTokenClaims } from '../../wire/index.ts'
import { type SkippableCheck, skipTokenCheck } from '../skip-token-check.ts'
import { guardOf, withGuard } from './mislead-guard.ts'

/** Misbehaviours of the API's token verification. */
export const apiTokenMisbehaviours = misbehavioursOf('api', {
  'api-accepts-any-token': {
    says: 'The API accepts any text after Bearer.',
    breaks: 'JWT-05',
    act: withGuard((honest, { routed, context }) => ({
      ...honest,
      admit: async (credentials, requirement) =>
        bearerToken(routed.request) === undefined
          ? honest.admit(credentials, requirement)
          : anonymousClaims(context),
    })),
  },
  'api-accepts-no-token': {
    says: 'The API accepts a request without a token.',
    breaks: 'BRR-04',
    act: withGuard((honest, { routed, context }) => ({
      ...honest,
      admit: async (credentials, requirement) =>
        routed.request.headers.authorization === undefined
          ? anonymousClaims(context)
          : honest.admit(credentials, requirement),
    })),
  },
  'api-accepts-token-in-query': {
    says: 'The API accepts a token in the query.',
    breaks: 'BRR-03',
    act: async ({ answer, routed: { request } }) => {
      const token = request.query.get('access_token')
      if (token === null || request.headers.authorization !== undefined) return answer()
      const query = new URLSearchParams(request.query)
      query.delete('access_token')
      const headers = { ...request.headers, authorization: `Bearer ${token}` }
      return answer({ request: { ...request, query, headers } })
    },
  },
  'api-accepts-expired': {
    says: 'The API accepts an expired token.',
    breaks: 'AT-06',
    act: skipGuardCheck('expiry'),
  },
  'api-accepts-forged': {
    says: 'The API accepts a token signed by a foreign key.',
    breaks: 'JWT-05',
    act: skipGuardCheck('signature'),
  },
  'api-accepts-unsigned': {
    says: 'The API accepts a token with alg none.',
    breaks: 'JWT-01',
    act: skipGuardCheck('unsigned'),
  },
  'api-accepts-hmac': {
    says: 'The API accepts a token signed by HS256 with the public key.',
    breaks: 'JWT-02',
    act: skipGuardCheck('hmac'),
  },
  'api-ignores-typ': {
    says: 'The API accepts a token with another typ, such as a security event token.',
    breaks: 'AT-01',
    act: skipGuardCheck('type'),
  },
  'api-ignores-aud': {
    says: 'The API accepts a token with the aud of another resource server.',
    breaks: 'AT-05',
    act: skipGuardCheck('audience'),
  },
  'api-ignores-tenant': {
    says: 'The API accepts a token of another tenant.',
    breaks: 'JWT-09',
    act: skipGuardCheck('tenant'),
  },
  'api-ignores-revocation': {
    says: 'The API accepts a revoked token until exp.',
    breaks: 'THR-01',
    act: withGuard((_honest, { context }) => guardOf(context, { revocation: 'expiry' })),
  },
  'api-remembers-introspection': {
    says: 'The API introspects a token once and caches the answer without limit.',
    breaks: 'INT-04',
    begin: () => {
      const good = new Set<string>()
      return withGuard((honest, { routed, context }) => ({
        ...honest,
        admit: async (credentials, requirement) => {
          const token = bearerToken(routed.request) ?? ''
          if (good.has(token)) {
            return guardOf(context, { revocation: 'expiry' }).admit(credentials, requirement)
          }
          const claims = await honest.admit(credentials, requirement)
          good.add(token)
          return claims
        },
      }))
    },
  },
})

function skipGuardCheck(oversight: SkippableCheck): Act {
  return withGuard((honest, { routed, context, others }) => ({
    ...honest,
    admit: async (credentials, requirement) => {
      const seen = await skipTokenCheck(oversight, bearerToken(routed.request), context, others())
      if (seen === undefined) return honest.admit(credentials, requirement)
      const { now, ...verification } = seen.verification
      const guard = guardOf(context, {
        ...verification,
        tenant: seen.tenant,
        ...(now === undefined ? {} : { now: () => now }),
        audience: [...apiAudience(context), ...seen.audience],
      })
      return guard.admit({ ...credentials, authorization: `Bearer ${seen.token}` }, requirement)
    },
  }))
}

const anonymousClaims = (context: TenantContext): AccessTokenClaims => {
  const now = context.tenant.clock.now()
  return {
    iss: issuersOf(context)[0] ?? '',
    sub: 'a-stranger',
    aud: context.origins.api,
    client_id: 'a-stranger',
    iat: now,
    exp: now + 60,
    jti: 'a-stranger',
  }
}
