import type { McpServer } from '../event.ts'
import { refuse } from '../refusal.ts'

/** The requested audience of a token: names for `aud`, and the MCP servers among them. */
export type Audience = Readonly<{ names: readonly string[]; servers: readonly McpServer[] }>

/**
 * Maximum lifetime of a token for it; an MCP server may set its own (CONTRACT.md#mcp-tokens).
 * @throws {Refused} `access_denied` for a server that the agent may not use
 */
export const lifetimeAt = (
  audience: Audience | undefined,
  agentId: string | undefined,
  usual: number,
): number => {
  const servers = audience?.servers ?? []
  for (const { name, agents } of servers) {
    if (agents !== undefined && (agentId === undefined || !agents.includes(agentId))) {
      refuse({ error: 'access_denied', reason: `the client may not use the MCP server ${name}` })
    }
  }
  return servers.length === 0
    ? usual
    : Math.min(...servers.map(({ tokenLifetime }) => tokenLifetime))
}

/**
 * The audience of a derived token: a subset of the audience of the original (TEX-13).
 * @throws {Refused} `invalid_target`
 */
export const narrowAudience = (
  held: readonly string[] | undefined,
  asked: Audience | undefined,
): readonly string[] | undefined => {
  if (asked === undefined) return held
  if (held !== undefined && !asked.names.every((name) => held.includes(name))) {
    refuse({ error: 'invalid_target', reason: `expected a subset of ${held.join(' ')}` })
  }
  return asked.names
}
