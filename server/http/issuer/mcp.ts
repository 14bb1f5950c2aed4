import type { McpServer } from '../../issuer/event.ts'
import { refuse } from '../../issuer/refusal.ts'
import { formatChallenge } from '../../wire/auth-params.ts'
import type { ErrorCode } from '../../wire/error-codes.ts'
import type { McpServerInfo } from '../../wire/index.ts'
import { bearerToken } from '../authorization-field.ts'
import { errorAnswer } from '../errors.ts'
import { isoTime } from '../iso-time.ts'
import { type Answer, type Call, type Handlers, ok } from '../message.ts'
import { basePath } from '../origin/issuer-urls.ts'
import type { TenantContext } from '../tenant/tenant-context.ts'
import type { IssuerContext } from './context.ts'
import { verifyOwn } from './oauth/access-token.ts'

export const mcpHandlers: Handlers<
  'mcp.servers.list' | 'mcp.servers.get' | 'mcp.challenge' | 'mcp.challenge.post',
  IssuerContext
> = {
  'mcp.servers.list': (call) => {
    mayManage(call)
    const servers = [...call.context.tenant.state.mcpServers.values()].map((it) =>
      toServerInfo(call.context, it),
    )
    const total = servers.length
    const pagination = { total, page: 1, limit: Math.max(50, total) }
    return ok({ servers, data: servers, pagination })
  },
  'mcp.servers.get': (call) => {
    mayManage(call)
    const { context, request, params } = call
    const server = serverNamed(context, params.serverId)
    const base = context.origins.issuer + basePath(context.tenant.slug, request.path)
    return ok({
      ...toServerInfo(context, server),
      discovery: {
        authorization_server_metadata: `${base}/.well-known/oauth-authorization-server`,
        protected_resource_metadata: resourceMetadataUrl(context, server, request.path),
        www_authenticate_example: challenge(context, server, request.path),
      },
    })
  },
  'mcp.challenge': (call) => challengeRequest(call),
  'mcp.challenge.post': (call) => challengeRequest(call),
}

/** @throws {Refused} `not_found` */
export const serverNamed = ({ tenant }: TenantContext, id = ''): McpServer =>
  tenant.state.mcpServers.get(id) ?? refuse({ error: 'not_found', what: `MCP server ${id}` })

export const resourceMetadataUrl = (
  { origins, tenant }: TenantContext,
  { id }: McpServer,
  requestPath: string,
): string =>
  `${origins.issuer}${basePath(tenant.slug, requestPath)}/.well-known/oauth-protected-resource/mcp/${encodeURIComponent(id)}`

const mayManage = ({ principal }: IssuerContext): void => {
  if (!principal().permissions.includes('settings.manage')) {
    refuse({ error: 'access_denied', reason: 'the permission settings.manage is missing' })
  }
}

const toServerInfo = ({ tenant }: TenantContext, server: McpServer): McpServerInfo => ({
  id: [...tenant.state.mcpServers.keys()].indexOf(server.id) + 1,
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

/** The answer of the MCP server to this request (docs/mcp/resource-metadata.md). */
const challengeRequest = async ({
  context,
  request,
  params,
}: Pick<Call<'mcp.challenge'>, 'request' | 'params'> & IssuerContext): Promise<Answer> => {
  const server = serverNamed(context, params.serverId)
  const refused = (
    status: number,
    error: ErrorCode,
    says: string,
    more: Readonly<Record<string, string>> = {},
  ) =>
    errorAnswer(
      status,
      error,
      says,
      {},
      {
        'www-authenticate': challenge(context, server, request.path, more),
      },
    )
  const jwt = bearerToken(request)
  if (jwt === undefined) return refused(401, 'missing_token', 'expected Authorization: Bearer')
  const live = await verifyOwn(context, jwt, [server.resourceUri, server.id])
  if (live === undefined) {
    const says = 'the token is malformed, expired, revoked, or not for this server'
    return refused(401, 'invalid_token', says, { error: 'invalid_token', error_description: says })
  }
  const { scope = '' } = live.token
  const held = scope.split(' ').filter((it) => server.scopes.includes(it))
  if (server.scopes.length > 0 && held.length === 0) {
    const says = 'the token has none of the scopes of this server'
    const error = 'insufficient_scope'
    return refused(403, error, says, { error, error_description: says })
  }
  return ok({ active: true, server_id: server.id, sub: live.token.sub, scope: held.join(' ') })
}

const challenge = (
  context: TenantContext,
  server: McpServer,
  requestPath: string,
  error: Readonly<Record<string, string>> = {},
) =>
  formatChallenge('Bearer', {
    ...error,
    resource_metadata: resourceMetadataUrl(context, server, requestPath),
    scope: server.scopes.join(' '),
  })
