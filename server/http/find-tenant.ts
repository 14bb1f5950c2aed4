import { peekJwt } from '../signing/peek.ts'
import { bearerToken } from './authorization-field.ts'
import type { FindTenant } from './core.ts'
import type { HttpRequest } from './message.ts'
import type { TenantContext } from './tenant-context.ts'

/**
 * Finds the tenant: by the path; else by the unverified token (the guard verifies it afterwards); else
 * the first tenant of the harness.
 */
export const findTenantOfCall =
  (open: ReadonlyMap<string, TenantContext>): FindTenant =>
  ({ request, params }) => {
    if (params.tenant !== undefined) return open.get(params.tenant)
    const named = open.get(readTenantOfToken(request) ?? '')
    if (named) return named
    const [first] = open.values()
    return first
  }

/** The tenant in an unverified token. */
const readTenantOfToken = (request: HttpRequest): string | undefined => {
  const jwt = peekJwt(bearerToken(request))
  if (jwt === undefined) return undefined
  const { iss, tenant } = jwt.claims
  return /\/(?:t|orgs)\/([^/]+)\/api\/v1$/.exec(String(iss))?.[1] ?? String(tenant)
}
