import { z } from 'zod'

/** One MCP server in the list of `GET B/mcp/servers` (CONTRACT.md#mcp-server-list). */
export const McpServerInfo = z
  .looseObject({
    /** Position of the server in the tenant, from 1. `server_id` identifies it. */
    id: z.int().positive(),
    server_id: z.string(),
    name: z.string(),
    description: z.string(),
    resource_uri: z.url(),
    endpoint_url: z.url(),
    transport: z.enum(['http_streamable', 'http_sse', 'stdio']),
    auth_mode: z.enum(['oauth', 'none']),
    status: z.string(),
    scopes_supported: z.array(z.string()),
    require_pkce: z.boolean(),
    require_resource_param: z.boolean(),
    token_lifetime: z.int().min(60).max(86_400),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'McpServerInfo' })
export type McpServerInfo = z.infer<typeof McpServerInfo>

/** Answer of `GET B/mcp/servers`. */
export const McpServerList = z
  .object({
    servers: z.array(McpServerInfo),
    data: z.array(McpServerInfo),
    pagination: z.looseObject({ total: z.int(), page: z.int(), limit: z.int() }),
  })
  .meta({ id: 'McpServerList' })
export type McpServerList = z.infer<typeof McpServerList>

/** One MCP server with the URLs an MCP client needs for authorization. */
export const McpServerDetails = McpServerInfo.extend({
  discovery: z.object({
    authorization_server_metadata: z.url(),
    protected_resource_metadata: z.url(),
    www_authenticate_example: z.string(),
  }),
}).meta({ id: 'McpServerDetails' })
export type McpServerDetails = z.infer<typeof McpServerDetails>

/** Answer of `B/mcp/{serverId}/challenge` to a token that is valid for the server. */
export const McpAdmitted = z
  .object({ active: z.literal(true), server_id: z.string(), sub: z.string(), scope: z.string() })
  .meta({ id: 'McpAdmitted' })
export type McpAdmitted = z.infer<typeof McpAdmitted>
