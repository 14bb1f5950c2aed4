import type { McpServer } from './event.ts'
import { refuse } from './refusal.ts'

/** Where a token is to be good: names for `aud`, and the MCP servers among them. */
export type Audience = Readonly<{ names: readonly string[]; servers: readonly McpServer[] }>

/**
 * How long a token for it may live; an MCP server says so itself (contract §3.2).
 * @throws {Refused} `access_denied` for a server that is not for this agent
 */
export const lifetimeAt = (
  audience: Audience | undefined,
  agentId: string | undefined,
  usual: number,
): number => {
  const servers = audience?.servers ?? []
  for (const { name, agents } of servers) {
    if (agents !== undefined && (agentId === undefined || !agents.includes(agentId))) {
      refuse({ error: 'access_denied', reason: `the MCP server ${name} is not for this client` })
    }
  }
  return servers.length === 0
    ? usual
    : Math.min(...servers.map(({ tokenLifetime }) => tokenLifetime))
}

/**
 * A token that is good in certain places is never made good elsewhere (TEX-13).
 * @throws {Refused} `invalid_target`
 */
export const narrowAudience = (
  held: readonly string[] | undefined,
  asked: Audience | undefined,
): readonly string[] | undefined => {
  if (asked === undefined) return held
  if (held !== undefined && !asked.names.every((name) => held.includes(name))) {
    refuse({ error: 'invalid_target', reason: `expected some of ${held.join(' ')}` })
  }
  return asked.names
}
