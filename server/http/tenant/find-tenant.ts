import { peekJwt } from '../../signing/peek.ts'
import { bearerToken } from '../authorization-field.ts'
import type { FindTenant } from '../core.ts'
import type { HttpRequest } from '../message.ts'
import type { TenantContext } from './tenant-context.ts'

/**
 * Finds the tenant: by the path; else by the unverified token (the guard verifies it afterwards); else
 * the first tenant of the harness.
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

/** The possible tenants of a call; the first that exists is used. */
export const slugsOfCall =
  (first: () => string | undefined) =>
  (request: HttpRequest, params: Readonly<Record<string, string>>): readonly string[] => {
    if (params.tenant !== undefined) return [params.tenant]
    const candidates = [readTenantOfToken(request), readTenantOfModelKey(request), first()]
    return candidates.filter((it) => it !== undefined)
  }

/** The API key of a scripted model, as OpenAI's clients or Google's send it. */
export const modelKeyIn = (request: HttpRequest): string | undefined =>
  bearerToken(request) ?? request.headers['x-goog-api-key'] ?? request.query.get('key') ?? undefined

/** The tenant in the API key of a scripted model. */
export const readTenantOfModelKey = (request: HttpRequest): string | undefined =>
  /^sk-(.+)-[0-9a-f]{32}$/.exec(modelKeyIn(request) ?? '')?.[1]

/** The tenant in an unverified token. */
const readTenantOfToken = (request: HttpRequest): string | undefined => {
  const jwt = peekJwt(bearerToken(request))
  if (jwt === undefined) return undefined
  const { iss, tenant } = jwt.claims
  return /\/(?:t|orgs)\/([^/]+)\/api\/v1$/.exec(String(iss))?.[1] ?? String(tenant)
}
