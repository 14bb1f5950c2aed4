import type { McpServer } from '../../../issuer/event.ts'
import { allScopes } from '../../../issuer/oauth/clients.ts'
import {
  assertionAlgorithms,
  authMethods,
  grantTypes,
  knownTypes,
  type ProtectedResource,
  type ServerMetadata,
} from '../../../wire/index.ts'
import { type Answer, type Handlers, ok } from '../../message.ts'
import { apiOf, basePath, issuerOf } from '../../origin/issuer-urls.ts'
import type { TenantContext } from '../../tenant/tenant-context.ts'
import type { IssuerContext } from '../context.ts'
import { serverNamed } from '../mcp.ts'

export const discoveryHandlers: Handlers<
  | 'discovery.oauth'
  | 'discovery.openid'
  | 'discovery.jwks'
  | 'discovery.resource'
  | 'discovery.resource.mcp',
  IssuerContext
> = {
  'discovery.oauth': ({ context, request }) => publicResponse(metadata(context, request.path)),
  'discovery.openid': ({ context, request }) =>
    publicResponse({
      ...metadata(context, request.path),
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [context.keys.current.alg],
      claims_supported: [
        ...['iss', 'sub', 'aud', 'exp', 'iat', 'auth_time', 'nonce', 'sid'],
        ...['name', 'given_name', 'family_name', 'picture', 'updated_at', 'email'],
        ...['email_verified'],
      ],
      claims_parameter_supported: false,
      request_parameter_supported: false,
      request_uri_parameter_supported: false,
    }),
  'discovery.jwks': ({ context }) => publicResponse(context.keys.jwks()),
  'discovery.resource': ({ context, request }) => {
    const [server, ...others] = context.tenant.state.mcpServers.values()
    if (server === undefined) return publicResponse(apiResource(context, request.path))
    const documents = [server, ...others].map((it) => mcpResource(context, it, request.path))
    return publicResponse(others.length === 0 ? documents[0] : documents)
  },
  'discovery.resource.mcp': ({ context, request, params }) =>
    publicResponse(mcpResource(context, serverNamed(context, params.serverId), request.path)),
}

/** Every origin may read it, and caches it for a minute. */
const publicResponse = (body: unknown): Answer => ({
  ...ok(body),
  headers: { 'cache-control': 'public, max-age=60', 'access-control-allow-origin': '*' },
})

/** RFC 8414 §2. Lists only what is implemented. */
const metadata = (context: TenantContext, requestPath: string): ServerMetadata => {
  const { tenant, origins } = context
  const base = origins.issuer + basePath(tenant.slug, requestPath)
  const methods = authMethods.filter((method) => method !== 'none')
  const algorithms = [...assertionAlgorithms]
  return {
    issuer: issuerOf(context, requestPath),
    authorization_endpoint: `${base}/oauth/authorize`,
    token_endpoint: `${base}/oauth/token`,
    userinfo_endpoint: `${base}/oauth/userinfo`,
    jwks_uri: `${base}/.well-known/jwks.json`,
    registration_endpoint: `${base}/connect/register`,
    introspection_endpoint: `${base}/oauth/introspect`,
    revocation_endpoint: `${base}/oauth/revoke`,
    end_session_endpoint: `${base}/oauth/logout`,
    pushed_authorization_request_endpoint: `${base}/oauth/par`,
    device_authorization_endpoint: `${base}/oauth/device_authorization`,
    backchannel_authentication_endpoint: `${base}/oauth/bc-authorize`,
    backchannel_token_delivery_modes_supported: ['poll'],
    backchannel_user_code_parameter_supported: false,
    scopes_supported: allScopes(tenant.state),
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: [...grantTypes],
    token_endpoint_auth_methods_supported: [...authMethods],
    token_endpoint_auth_signing_alg_values_supported: algorithms,
    introspection_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_signing_alg_values_supported: algorithms,
    revocation_endpoint_auth_methods_supported: [...authMethods],
    revocation_endpoint_auth_signing_alg_values_supported: algorithms,
    code_challenge_methods_supported: ['S256'],
    authorization_details_types_supported: Object.keys(knownTypes),
    authorization_response_iss_parameter_supported: true,
    resource_indicators_supported: true,
    client_id_metadata_document_supported: false,
  }
}

/** RFC 9728 §2. */
const mcpResource = (
  context: TenantContext,
  { resourceUri, name, scopes }: McpServer,
  requestPath: string,
): ProtectedResource => ({
  resource: resourceUri,
  resource_name: name,
  authorization_servers: [authorizationServer(context, requestPath)],
  bearer_methods_supported: ['header'],
  scopes_supported: [...scopes],
})

const apiResource = (context: TenantContext, requestPath: string): ProtectedResource => ({
  resource: apiOf(context),
  resource_name: 'Documents and reports',
  authorization_servers: [authorizationServer(context, requestPath)],
  bearer_methods_supported: ['header'],
  scopes_supported: ['read:documents'],
  authorization_details_types_supported: Object.keys(knownTypes),
})

/** LumoAuth sends the URL of its metadata; RFC 9728 requires the issuer identifier. */
const authorizationServer = (context: TenantContext, requestPath: string) => {
  const { tenant, origins } = context
  return tenant.state.dialect.authorization_servers === 'issuer'
    ? issuerOf(context, requestPath)
    : `${origins.issuer}${basePath(tenant.slug, requestPath)}/.well-known/oauth-authorization-server`
}
