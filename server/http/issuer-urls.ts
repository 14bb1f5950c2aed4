import type { TenantContext } from './tenant-context.ts'

/** The issuer's base path with the prefix of this request. URLs in answers use it (contract §7 row 1). */
export const basePath = (slug: string, requestPath: string): string =>
  `/${/^\/+(\.well-known\/[^/]+\/)?orgs\//.test(requestPath) ? 'orgs' : 't'}/${slug}/api/v1`

/** The parts of an issuer's URLs. */
type Issuer = Pick<TenantContext, 'tenant' | 'origins'>

/** The `iss` of tokens for this request (contract §7 row 15). */
export const issuerOf = ({ tenant, origins }: Issuer, requestPath = ''): string =>
  tenant.state.dialect.issuer === 'origin'
    ? origins.issuer
    : origins.issuer + basePath(tenant.slug, requestPath)

/** Every valid `iss` of this tenant's tokens. */
export const issuersOf = ({ tenant, origins }: Issuer): string[] => [
  `${origins.issuer}/t/${tenant.slug}/api/v1`,
  `${origins.issuer}/orgs/${tenant.slug}/api/v1`,
  ...(tenant.state.dialect.issuer === 'origin' ? [origins.issuer] : []),
]

/** Base URL of the API with the tenant in its path. */
export const apiOf = ({ origins, tenant }: Issuer): string => `${origins.api}/t/${tenant.slug}`

/** Every `aud` that names the API. */
export const apiAudience = (context: Issuer): string[] => [context.origins.api, apiOf(context)]
