import { knownTypes, type ServerMetadata } from '../wire/index.ts'
import type { IssuerContext } from './issuer.ts'
import { type Handlers, ok } from './message.ts'
import { supportedGrants } from './oauth.ts'
import { basePath, issuerOf, type Tenancy } from './tenancy.ts'

const publicly = { 'cache-control': 'public, max-age=60', 'access-control-allow-origin': '*' }

export const discoveryHandlers: Handlers<
  'discovery.oauth' | 'discovery.openid' | 'discovery.jwks',
  IssuerContext
> = {
  'discovery.oauth': ({ tenancy, request }) => ({
    ...ok(metadata(tenancy, request.path)),
    headers: publicly,
  }),
  'discovery.openid': ({ tenancy, request }) => ({
    ...ok({
      ...metadata(tenancy, request.path),
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [tenancy.keys.current.alg],
    }),
    headers: publicly,
  }),
  'discovery.jwks': ({ tenancy }) => ({ ...ok(tenancy.keys.jwks()), headers: publicly }),
}

/** RFC 8414 §2. Only what is really there is advertised. */
const metadata = (tenancy: Tenancy, requestPath: string): ServerMetadata => {
  const { tenant, origins } = tenancy
  const base = origins.issuer + basePath(tenant.slug, requestPath)
  const scopes = [...tenant.state.agents.values()].flatMap(({ capabilities }) => capabilities)
  return {
    issuer: issuerOf(tenancy, requestPath),
    token_endpoint: `${base}/oauth/token`,
    jwks_uri: `${base}/.well-known/jwks.json`,
    introspection_endpoint: `${base}/oauth/introspect`,
    revocation_endpoint: `${base}/oauth/revoke`,
    scopes_supported: [...new Set(scopes)],
    response_types_supported: ['code'],
    grant_types_supported: [...supportedGrants],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    revocation_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    authorization_details_types_supported: Object.keys(knownTypes),
  }
}
