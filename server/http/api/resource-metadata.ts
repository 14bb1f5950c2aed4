import { knownTypes, type ProtectedResource } from '../../wire/index.ts'
import { type Answer, type Handlers, ok } from '../message.ts'
import { apiOf, issuerOf } from '../origin/issuer-urls.ts'
import type { TenantContext } from '../tenant/tenant-context.ts'

/** This API as a protected resource (RFC 9728): its identifier, and the URL of its metadata. */
export type ApiResource = Readonly<{
  metadataUrl: string
  document: () => ProtectedResource
}>

/**
 * The base URL of the API in this request: `API/t/TENANT`, or `API` alone, which uses the tenant of the
 * token.
 * @param named whether the path named the tenant
 */
export const apiResource = (context: TenantContext, named: boolean): ApiResource => {
  const resource = named ? apiOf(context) : context.origins.api
  return {
    metadataUrl: wellKnown(resource),
    document: () => ({
      resource,
      resource_name: 'Documents and reports',
      // The issuer identifier (RFC 9728 §2), from which clients derive the URL of its metadata.
      authorization_servers: [issuerOf(context)],
      bearer_methods_supported: ['header'],
      scopes_supported: ['read:documents'],
      authorization_details_types_supported: Object.keys(knownTypes),
    }),
  }
}

/** Between host and path (RFC 9728 §3.1). */
const wellKnown = (resource: string): string => {
  const { origin, pathname } = new URL(resource)
  return `${origin}/.well-known/oauth-protected-resource${pathname === '/' ? '' : pathname}`
}

export const resourceMetadataHandlers: Handlers<'resource.metadata', { resource: ApiResource }> = {
  'resource.metadata': ({ resource }): Answer => ({
    ...ok(resource.document()),
    headers: { 'cache-control': 'public, max-age=60' },
  }),
}
