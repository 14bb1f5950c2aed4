import type { McpServer } from '../../../issuer/event.ts'
import type { Audience } from '../../../issuer/oauth/audience.ts'
import { refuse } from '../../../issuer/refusal.ts'
import { apiAudience, issuersOf, namesOf } from '../../origin/issuer-urls.ts'
import type { TenantContext } from '../../tenant/tenant-context.ts'

type Wanted = Readonly<{
  resource?: readonly string[] | undefined
  audience?: readonly string[] | undefined
}>

/**
 * The audience of a token, by `resource` (RFC 8707) and `audience` (RFC 8693 §2.1).
 * @returns undefined when the request names none: then the audience is this issuer and the API
 * @throws {Refused} `invalid_target` for an unknown audience
 */
export const audienceOf = (
  context: TenantContext,
  { resource = [], audience = [] }: Wanted,
  /** Whether any other `https` resource may be named as well. */
  takesOthers = false,
): Audience | undefined => {
  if (resource.length + audience.length === 0) return undefined
  for (const uri of resource) {
    if (!URL.canParse(uri) || uri.includes('#')) {
      refuse({
        error: 'invalid_target',
        reason: 'resource: expected an absolute URI without fragment',
      })
    }
  }
  const targets = [...new Set([...resource, ...audience])].map(
    (name) =>
      targetNamed(context, name) ??
      (takesOthers && resource.includes(name) && name.startsWith('https://')
        ? { name }
        : unknown(name)),
  )
  return {
    names: targets.map((target) => target.name),
    servers: targets.flatMap((target) => ('server' in target ? (target.server ?? []) : [])),
  }
}

const targetNamed = (
  context: TenantContext,
  name: string,
): { name: string; server?: McpServer } | undefined => {
  const { origins, tenant } = context
  const { mcpServers, dialect } = tenant.state
  const server =
    mcpServers.get(name) ?? [...mcpServers.values()].find((it) => it.resourceUri === name)
  if (server) {
    return { name: dialect.mcp_audience === 'server_id' ? server.id : server.resourceUri, server }
  }
  const agent = [...tenant.state.agents.values()].find((it) => [it.id, it.clientId].includes(name))
  if (agent && !agent.resourceServer) return { name }
  const ours = [...issuersOf(context), ...namesOf(origins, 'issuer'), ...apiAudience(context)]
  return ours.includes(name) ? { name } : undefined
}

const unknown = (name: string) =>
  refuse({
    error: 'invalid_target',
    reason: `unknown resource or audience: ${name.slice(0, 200).replace(/[^!#-[\]-~]/g, '?')}`,
  })
