import type { Origins, TenantContext } from '../tenant/tenant-context.ts'

/**
 * The issuer's base path with the prefix of this request. URLs in answers use it
 * (CONTRACT.md#base-paths).
 */
export const basePath = (slug: string, requestPath: string): string =>
  `/${/^\/+(\.well-known\/[^/]+\/)?orgs\//.test(requestPath) ? 'orgs' : 't'}/${slug}/api/v1`

/** The parts of an issuer's URLs. */
type Issuer = Pick<TenantContext, 'tenant' | 'origins'>

/** The `iss` of tokens for this request (CONTRACT.md#issuer-identifier). */
export const issuerOf = ({ tenant, origins }: Issuer, requestPath = ''): string =>
  tenant.state.dialect.issuer === 'origin'
    ? origins.issuer
    : origins.issuer + basePath(tenant.slug, requestPath)

/** Every valid `iss` of this tenant's tokens. */
export const issuersOf = ({ tenant, origins }: Issuer): string[] =>
  namesOf(origins, 'issuer').flatMap((origin) => [
    `${origin}/t/${tenant.slug}/api/v1`,
    `${origin}/orgs/${tenant.slug}/api/v1`,
    ...(tenant.state.dialect.issuer === 'origin' ? [origin] : []),
  ])

/** The origin of this request first, then the configured one and all others in use. */
export const namesOf = (origins: Origins, seat: 'issuer' | 'api'): string[] => {
  const { configured, aliases } = origins
  const others = [
    ...(configured === undefined ? [] : [configured[seat]]),
    ...(aliases?.[seat] ?? []),
  ]
  return others.length === 0 ? [origins[seat]] : [...new Set([origins[seat], ...others])]
}

/**
 * Every `aud` with which a client assertion may name this authorization server (RFC 7523 §3, RFC 9126
 * §2).
 */
export const assertionAudiences = (context: Issuer): string[] => {
  const issuers = issuersOf(context)
  if (context.tenant.state.dialect.assertion_audience === 'issuer') return issuers
  const bases = issuers.filter((it) => it.endsWith('/api/v1'))
  return [...issuers, ...bases.flatMap((base) => [`${base}/oauth/token`, `${base}/oauth/par`])]
}

/** Base URL of the API with the tenant in its path. */
export const apiOf = ({ origins, tenant }: Issuer): string => `${origins.api}/t/${tenant.slug}`

/** Every `aud` that names the API. */
export const apiAudience = ({ origins, tenant }: Issuer): string[] =>
  namesOf(origins, 'api').flatMap((origin) => [origin, `${origin}/t/${tenant.slug}`])
