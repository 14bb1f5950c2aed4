import type { TenantContext } from './tenant-context.ts'

/** The base path of the issuer as this caller spells it; URLs in answers follow it (contract §7 row 1). */
export const basePath = (slug: string, requestPath: string): string =>
  `/${/^\/+(\.well-known\/[^/]+\/)?orgs\//.test(requestPath) ? 'orgs' : 't'}/${slug}/api/v1`

/** The `iss` of what this caller gets (contract §7 row 15). */
export const issuerOf = ({ tenant, origins }: TenantContext, requestPath = ''): string =>
  tenant.state.dialect.issuer === 'origin'
    ? origins.issuer
    : origins.issuer + basePath(tenant.slug, requestPath)

/** Every `iss` this tenant's tokens may carry. */
export const issuersOf = ({ tenant, origins }: TenantContext): string[] => [
  `${origins.issuer}/t/${tenant.slug}/api/v1`,
  `${origins.issuer}/orgs/${tenant.slug}/api/v1`,
  ...(tenant.state.dialect.issuer === 'origin' ? [origins.issuer] : []),
]
