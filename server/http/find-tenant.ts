import { peekJwt } from '../signing/peek.ts'
import { bearerToken } from './authorization-field.ts'
import type { FindTenant } from './core.ts'
import type { HttpRequest } from './message.ts'
import type { TenantContext } from './tenant-context.ts'

/**
 * Finds the tenant: named in the path; or whoever issued the token, as the token itself says (the
 * guard checks that afterwards); or the first tenant of the harness.
 */
export const findTenantOfCall =
  (
    open: ReadonlyMap<string, TenantContext>,
    first: () => string | undefined = () => open.keys().next().value,
  ): FindTenant =>
  ({ request, params }) => {
    if (params.tenant !== undefined) return open.get(params.tenant)
    return open.get(readTenantOfToken(request) ?? '') ?? open.get(first() ?? '')
  }

/** The tenants that a call may be about: the first that exists is the one. */
export const slugsOfCall =
  (first: () => string | undefined) =>
  (request: HttpRequest, params: Readonly<Record<string, string>>): readonly string[] => {
    if (params.tenant !== undefined) return [params.tenant]
    const candidates = [readTenantOfToken(request), readTenantOfModelKey(request), first()]
    return candidates.filter((it) => it !== undefined)
  }

/** What the key of a scripted model says of its tenant. */
export const readTenantOfModelKey = (request: HttpRequest): string | undefined =>
  /^sk-(.+)-[0-9a-f]{32}$/.exec(bearerToken(request) ?? '')?.[1]

/** What a token says of its tenant, unverified. */
const readTenantOfToken = (request: HttpRequest): string | undefined => {
  const jwt = peekJwt(bearerToken(request))
  if (jwt === undefined) return undefined
  const { iss, tenant } = jwt.claims
  return /\/(?:t|orgs)\/([^/]+)\/api\/v1$/.exec(String(iss))?.[1] ?? String(tenant)
}
