import type { McpServer } from '../../issuer/event.ts'
import { refuse } from '../../issuer/refusal.ts'
import type { McpServerInfo } from '../../wire/index.ts'
import { errorAnswer } from '../errors.ts'
import { isoTime } from '../iso-time.ts'
import { type Answer, type Call, type Handlers, ok } from '../message.ts'
import { basePath, type Tenancy } from '../tenant-context.ts'
import type { IssuerContext } from './handlers.ts'
import { verifyOwn } from './oauth/access-token.ts'
import { bearerToken } from './oauth/bearer.ts'

export const mcpHandlers: Handlers<
  'mcp.servers.list' | 'mcp.servers.get' | 'mcp.challenge' | 'mcp.challenge.post',
  IssuerContext
> = {
  'mcp.servers.list': (call) => {
    mayManage(call)
    const servers = [...call.tenancy.tenant.state.mcpServers.values()].map(shown)
    const total = servers.length
    const pagination = { total, page: 1, limit: Math.max(50, total) }
    return ok({ servers, data: servers, pagination })
  },
  'mcp.servers.get': (call) => {
    mayManage(call)
    const { tenancy, request, params } = call
    const server = serverNamed(tenancy, params.serverId)
    const base = tenancy.origins.issuer + basePath(tenancy.tenant.slug, request.path)
    return ok({
      ...shown(server),
      discovery: {
        authorization_server_metadata: `${base}/.well-known/oauth-authorization-server`,
        protected_resource_metadata: resourceMetadataUrl(tenancy, server, request.path),
        www_authenticate_example: challenge(tenancy, server, request.path),
      },
    })
  },
  'mcp.challenge': (call) => challenged(call),
  'mcp.challenge.post': (call) => challenged(call),
}

/** @throws {Refused} `not_found` */
export const serverNamed = ({ tenant }: Tenancy, id = ''): McpServer =>
  tenant.state.mcpServers.get(id) ?? refuse({ error: 'not_found', what: `MCP server ${id}` })

export const resourceMetadataUrl = (
  { origins, tenant }: Tenancy,
  { id }: McpServer,
  requestPath: string,
): string =>
  `${origins.issuer}${basePath(tenant.slug, requestPath)}/.well-known/oauth-protected-resource/mcp/${encodeURIComponent(id)}`

const mayManage = ({ principal }: IssuerContext): void => {
  if (!principal().permissions.includes('settings.manage')) {
    refuse({ error: 'access_denied', reason: 'the permission settings.manage is missing' })
  }
}

const shown = (server: McpServer): McpServerInfo => ({
  id: server.id,
  server_id: server.id,
  name: server.name,
  description: server.description,
  resource_uri: server.resourceUri,
  endpoint_url: server.resourceUri,
  transport: 'http_streamable',
  auth_mode: 'oauth',
  status: 'active',
  scopes_supported: [...server.scopes],
  require_pkce: true,
  require_resource_param: true,
  token_lifetime: server.tokenLifetime,
  created_at: isoTime(server.createdAt),
})

/** What the server itself would say to this request (docs/mcp/resource-metadata.md). */
const challenged = async ({
  tenancy,
  request,
  params,
}: Pick<Call<'mcp.challenge'>, 'request' | 'params'> & IssuerContext): Promise<Answer> => {
  const server = serverNamed(tenancy, params.serverId)
  const refused = (status: number, error: string, says: string, more = '') =>
    errorAnswer(
      status,
      error,
      says,
      {},
      {
        'www-authenticate': challenge(tenancy, server, request.path, more),
      },
    )
  const jwt = bearerToken(request)
  if (jwt === undefined) return refused(401, 'missing_token', 'expected Authorization: Bearer')
  const live = await verifyOwn(tenancy, jwt, [server.resourceUri, server.id])
  if (live === undefined) {
    const says = 'the token is malformed, expired, revoked, or not for this server'
    return refused(401, 'invalid_token', says, `error="invalid_token", error_description="${says}"`)
  }
  const { scope = '' } = live.token
  const held = scope.split(' ').filter((it) => server.scopes.includes(it))
  if (server.scopes.length > 0 && held.length === 0) {
    const says = 'the token has none of the scopes of this server'
    return refused(
      403,
      'insufficient_scope',
      says,
      `error="insufficient_scope", error_description="${says}"`,
    )
  }
  return ok({ active: true, server_id: server.id, sub: live.token.sub, scope: held.join(' ') })
}

const challenge = (tenancy: Tenancy, server: McpServer, requestPath: string, error = '') => {
  const metadata = resourceMetadataUrl(tenancy, server, requestPath)
  const scope = server.scopes.join(' ')
  return `Bearer ${error === '' ? '' : `${error}, `}resource_metadata="${metadata}", scope="${scope}"`
}
