import type { Origins, TenantContext } from './tenant-context.ts'

/** The base path of the issuer as this caller spells it; URLs in answers follow it (contract §7 row 1). */
export const basePath = (slug: string, requestPath: string): string =>
  `/${/^\/+(\.well-known\/[^/]+\/)?orgs\//.test(requestPath) ? 'orgs' : 't'}/${slug}/api/v1`

/** What the URLs of an issuer are made of. */
type Issuer = Pick<TenantContext, 'tenant' | 'origins'>

/** The `iss` of what this caller gets (contract §7 row 15). */
export const issuerOf = ({ tenant, origins }: Issuer, requestPath = ''): string =>
  tenant.state.dialect.issuer === 'origin'
    ? origins.issuer
    : origins.issuer + basePath(tenant.slug, requestPath)

/** Every `iss` this tenant's tokens may carry. */
export const issuersOf = ({ tenant, origins }: Issuer): string[] =>
  namesOf(origins, 'issuer').flatMap((origin) => [
    `${origin}/t/${tenant.slug}/api/v1`,
    `${origin}/orgs/${tenant.slug}/api/v1`,
    ...(tenant.state.dialect.issuer === 'origin' ? [origin] : []),
  ])

/** The origin of this request first, then the configured one and every other that was used. */
export const namesOf = (origins: Origins, seat: 'issuer' | 'api'): string[] => {
  const { configured, aliases } = origins
  const others = [
    ...(configured === undefined ? [] : [configured[seat]]),
    ...(aliases?.[seat] ?? []),
  ]
  return others.length === 0 ? [origins[seat]] : [...new Set([origins[seat], ...others])]
}

/** Every name by which a client assertion may call this authorization server (RFC 7523 §3, RFC 9126 §2). */
export const assertionAudiences = (context: Issuer): string[] => {
  const issuers = issuersOf(context)
  if (context.tenant.state.dialect.assertion_audience === 'issuer') return issuers
  const bases = issuers.filter((it) => it.endsWith('/api/v1'))
  return [...issuers, ...bases.flatMap((base) => [`${base}/oauth/token`, `${base}/oauth/par`])]
}

/** The API as it is called when the tenant is named in its path. */
export const apiOf = ({ origins, tenant }: Issuer): string => `${origins.api}/t/${tenant.slug}`

/** Every `aud` by which a token is meant for the API. */
export const apiAudience = ({ origins, tenant }: Issuer): string[] =>
  namesOf(origins, 'api').flatMap((origin) => [origin, `${origin}/t/${tenant.slug}`])
