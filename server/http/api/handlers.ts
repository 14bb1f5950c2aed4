import type { ResourceServer } from '../../api/resource-server.ts'
import { peekJwt } from '../../signing/peek.ts'
import type { ApiRoute } from '../../wire/index.ts'
import type { Area, FindTenant, Routed } from '../core.ts'
import { bearerToken } from '../issuer/oauth/bearer.ts'
import type { Handlers, HttpRequest } from '../message.ts'
import { answerWith } from '../refusals.ts'
import type { TenantContext } from '../tenant-context.ts'
import { documentHandlers } from './documents.ts'
import { reportHandlers } from './reports.ts'

export type ApiContext = Readonly<{ tenant: ResourceServer }>

export const apiHandlers: Handlers<ApiRoute, ApiContext> = {
  ...documentHandlers,
  ...reportHandlers,
}

/**
 * Finds the tenant: named in the path; or whoever issued the token, as the token itself says (the
 * guard checks that afterwards); or the first tenant of the harness.
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

/** The documents API. It authenticates in its handlers, for what it asks depends on the document. */
export const apiArea: Area<ApiRoute, ApiContext> = {
  handlers: apiHandlers,
  authenticate: ({ context, params }: Routed<ApiRoute>): ApiContext => {
    if (context) return { tenant: context.api }
    const { tenant: slug } = params
    if (slug === undefined) {
      return answerWith(
        503,
        'temporarily_unavailable',
        'the harness has no tenant yet',
        {},
        { 'retry-after': '1' },
      )
    }
    return answerWith(404, 'tenant_not_found', `there is no tenant ${slug} here`)
  },
}

/** What a token says of its tenant, unverified. */
const readTenantOfToken = (request: HttpRequest): string | undefined => {
  const jwt = peekJwt(bearerToken(request))
  if (jwt === undefined) return undefined
  const { iss, tenant } = jwt.claims
  return /\/(?:t|orgs)\/([^/]+)\/api\/v1$/.exec(String(iss))?.[1] ?? String(tenant)
}
