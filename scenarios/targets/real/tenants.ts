import type { Given } from '../../language/format.ts'
import { openApiBefore } from '../foreign-issuer-api.ts'
import type { Access, AgentAccess, ClientSecret, PersonAccess } from './access.ts'
import type { Prefix } from './find-issuer.ts'
import type { Probed } from './probe.ts'

/** A tenant of a deployment, with our API. */
export type TargetTenant = Readonly<{
  name: string | undefined
  bases: Readonly<Record<Prefix, string>>
  /** The URL of the API at the issuer. */
  apiBase: string
  /** Our API with these documents; nothing listens at its URL. */
  openApi: (documents?: Given['documents']) => typeof fetch
  introspector: ClientSecret | undefined
  agents: readonly (AgentAccess & Readonly<{ token?: string }>)[]
  people: readonly PersonAccess[]
}>

/** Both tenants of a target. The second has no agents where the target names none. */
export const tenantsOf = (
  access: Access,
  probed: Probed,
  send: typeof fetch,
): readonly [TargetTenant, TargetTenant] => {
  const { file, elsewhere } = access
  const { bases, issuers, introspector } = probed
  const first = probed.prefixes[0] ?? 'tenant'
  const audience = audienceOf(access, probed)
  const apiBase =
    file.api.url?.replace(/\/+$/, '') ?? `${apiOrigin}/t/${file.issuer?.tenant ?? 'api'}`
  const rename = (text: string) => replaceTenant(text, access)
  const otherBases = basesElsewhere(access)
  return [
    {
      name: file.issuer?.tenant,
      bases,
      apiBase,
      openApi: openApiBefore({
        base: bases[first],
        issuers,
        audience,
        client: introspector,
        fetch: send,
      }),
      introspector,
      agents: probed.agents,
      people: access.users.filter((it) => probed.people.has(it.email)),
    },
    {
      name: elsewhere?.tenant,
      bases: otherBases,
      apiBase: rename(apiBase),
      openApi: openApiBefore({
        base: otherBases[first],
        issuers: issuers.map(rename),
        audience: audience.map(rename),
        client: elsewhere?.apiClient,
        fetch: send,
      }),
      introspector: elsewhere?.apiClient,
      agents: elsewhere?.agents ?? [],
      people: [],
    },
  ]
}

/** The URL of our API. Requests are function calls; no socket listens there. */
const apiOrigin = 'https://documents.lumoauth.test'

/** The URL of our API for a tenant. No request leaves the process. */
export const callApi = (
  { apiBase, openApi }: TargetTenant,
  documents?: Given['documents'],
): typeof fetch => {
  const api = openApi(documents)
  return (input, init) => {
    const request = new Request(input, init)
    const { url } = request
    return api(
      url.startsWith(apiBase)
        ? new Request(`${apiOrigin}/t/api${url.slice(apiBase.length)}`, request)
        : request,
    )
  }
}

/** Why our API rejects a valid agent token of the issuer, or undefined. */
export const describeApiFailure = async (
  { metadata, lacks, agents: [agent] }: Probed,
  { openApi, introspector }: TargetTenant,
): Promise<string | undefined> => {
  if (metadata === undefined) return lacks.get('metadata')
  if (introspector === undefined) {
    return `our API would not notice a revocation: ${lacks.get('introspection')}`
  }
  const answer = await openApi([])(`${apiOrigin}/t/probe/v1/documents`, {
    headers: { authorization: `Bearer ${agent?.token}` },
  })
  return answer.ok
    ? undefined
    : `our API, configured with the issuer’s metadata, keys and introspection, rejects the agent’s own token (${answer.status})`
}

/** The aud of our API: from the target file, else from the issuer's tokens. */
const audienceOf = ({ file }: Access, { audience, metadata }: Probed): readonly string[] => {
  const said = file.api.audience
  if (said !== undefined) return [said].flat()
  const others = audience.filter((it) => it !== metadata?.issuer)
  return others.length > 0 ? others : audience
}

const basesElsewhere = ({ file: { issuer }, elsewhere }: Access): Record<Prefix, string> => {
  const origin = issuer?.url.replace(/\/+$/, '')
  const tenant = encodeURIComponent(elsewhere?.tenant ?? '')
  return { tenant: `${origin}/t/${tenant}/api/v1`, org: `${origin}/orgs/${tenant}/api/v1` }
}

const replaceTenant = (text: string, { file, elsewhere }: Access): string =>
  text.replace(
    new RegExp(`/(t|orgs)/${encodeURIComponent(file.issuer?.tenant ?? '')}(?=/|$)`),
    `/$1/${encodeURIComponent(elsewhere?.tenant ?? '')}`,
  )
