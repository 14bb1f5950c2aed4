import type { JsonWebKey } from 'node:crypto'
import { ApproverScript, type Seat } from '../../../server/wire/index.ts'
import { decode } from '../../language/decode.ts'
import type { Loaded } from '../../language/load.ts'
import { isObject } from '../../language/match.ts'
import type { Session } from '../../language/session.ts'
import { type OpenOptions, SkipScenario, type Target } from '../../language/target.ts'
import { openApiBefore } from '../mock/api.ts'
import type { Access, AgentAccess } from './access.ts'
import { Approver } from './approver.ts'
import { substituteControl } from './control-substitute.ts'
import { forgeToken } from './forge.ts'
import { Ledger } from './ledger.ts'
import { type Prefix, type Probed, probe } from './probe.ts'
import { RateLimitedFetch } from './rate-limited-fetch.ts'
import { applyRoles, assignRoles } from './roles.ts'
import { type Offer, skipReasons } from './skip-reasons.ts'
import type { Writing } from './target-file.ts'

export type RealOptions = Readonly<{
  allowWrites?: boolean
  signal?: AbortSignal
  /** Tells a person something they have to know or to do. */
  say?: (line: string) => void
  fetch?: typeof fetch
}>

/** A deployment that was found out about, ready for scenarios. */
export type RealTarget = Target &
  Readonly<{
    probed: Probed
    /** Requests sent and seconds waited so far. */
    usage: () => Readonly<{ requests: number; cleaning: number; waited: number }>
    /** What could not be put back, known once it is closed. */
    leftovers: readonly string[]
    /** The scenario under the prefixes there are, with the names of who is there. */
    placed: (scenario: Loaded) => Loaded
    /** What agents and people are called here, and the origins. */
    names: readonly string[]
  }>

/**
 * A real issuer with our API before it. Every task is completed when its scenario ends, or at the
 * latest when the target is closed.
 * @throws {Unreachable} where nothing can be checked
 */
export const real = async (access: Access, options: RealOptions = {}): Promise<RealTarget> => {
  const { file } = access
  const { allowWrites = false, signal = new AbortController().signal, say = () => {} } = options
  const http = new RateLimitedFetch({
    hosts: hostsOf(access),
    perMinute: file.limits.requests_per_minute,
    total: file.limits.requests,
    timeout: file.limits.timeout,
    wait: file.limits.wait,
    signal,
    ...(options.fetch && { fetch: options.fetch }),
  })
  const ledger = new Ledger(access.agents, (request) => http.send(request, { urgent: true }))
  const leftovers: string[] = []
  const noting = async (request: Request, owner: object): Promise<Response> => {
    let response: Response | undefined
    try {
      response = await http.send(request.clone())
      return response
    } finally {
      await ledger.note(request, response, owner)
    }
  }
  const probed = await probe(access, (request) => noting(request, ledger)).catch(async (error) => {
    await ledger.close()
    throw error
  })
  const { bases, prefixes, moved, introspector } = probed
  const audience = audienceOf(access, probed)
  const first = prefixes[0] ?? 'tenant'
  const { issuers } = probed
  const apis = [
    openApiBefore({
      base: bases[first],
      issuers,
      audience,
      client: introspector,
      fetch: http.fetch,
    }),
    openApiBefore({
      base: basesOf(access)[first],
      issuers: issuers.map((it) => replaceTenant(it, access)),
      audience: audience.map((it) => replaceTenant(it, access)),
      client: access.elsewhere?.apiClient,
      fetch: http.fetch,
    }),
  ] as const
  const namedApi =
    file.api.url?.replace(/\/+$/, '') ?? `${apiOrigin}/t/${file.issuer?.tenant ?? 'api'}`
  const apiFails = await describeApiFailure(probed, apis[0]([]))
  const longestWait = file.limits.wait
  const writes: ReadonlySet<Writing> = new Set(allowWrites ? file.writes : [])
  const people = access.users.filter((it) => probed.people.has(it.email))
  const approver = file.approver ?? (probed.lacks.has('approvals') ? 'none' : 'token')
  const players: readonly (readonly Player[])[] = [probed.agents, access.elsewhere?.agents ?? []]

  const castAt = (given: Parameters<typeof assignRoles>[0], index: number) => {
    const agents = players[index] ?? []
    if (agents.length === 0) {
      throw new SkipScenario('it takes another tenant, and the target names none (elsewhere: …)')
    }
    return assignRoles(given, agents, index === 0 ? people : [])
  }
  const offer: Offer = {
    lacks: probed.lacks,
    prefixes,
    apiFails,
    apiIsNamed: file.api.url !== undefined,
    approver,
    writes,
    longestWait,
    standardsOnly: file.issuer?.profile === 'oauth',
    cast: ({ tenants }) => tenants.map(({ given }, index) => castAt(given, index)),
  }
  const keys = async (): Promise<readonly JsonWebKey[]> => {
    const url = moved.get('/.well-known/jwks.json') ?? `${bases.tenant}/.well-known/jwks.json`
    const body: unknown = await (await http.fetch(url)).json()
    return isObject(body) && Array.isArray(body.keys) ? body.keys : []
  }

  const open = async (
    given: Parameters<Target['open']>[0],
    { tenant, index = 0 }: OpenOptions,
  ): Promise<Session> => {
    const cast = castAt(given, index)
    const [agent] = cast.agents
    const owner = {}
    const tokens = new Map(cast.users.map((it) => [it.email, it.token]))
    const decider = cast.users.find((it) => it.permissions.includes('jit.approve'))
    const person = new Approver({
      token: approver === 'token' ? decider?.token : undefined,
      patience: file.limits.person,
      signal,
      say,
    })
    if (given.approver !== undefined) person.follow(ApproverScript.parse(given.approver))
    const apiBase = index === 0 ? namedApi : replaceTenant(namedApi, access)
    const places = index === 0 ? bases : basesOf(access)
    const client = index === 0 ? introspector : access.elsewhere?.apiClient
    const send = async (request: Request) =>
      noting(
        await addClientCredentials(relocateRequest(request, places.tenant, moved), cast.agents),
        owner,
      )
    const control = substituteControl({
      tokenOf: (user) => (user === undefined ? decider?.token : tokens.get(user)),
      forge: async (order) => forgeToken(order, agent?.token ?? '', await keys()),
      script: (script) => person.follow(ApproverScript.parse(script)),
    })
    const ways: Readonly<Record<Seat, typeof fetch>> = {
      issuer: (input, init) => person.around(new Request(input, init), send),
      api: withBasePath(apiBase, apis[index === 0 ? 0 : 1](given.documents)),
      control,
    }
    let unable: string | undefined
    /** Whatever a step makes of the error: it was none of the issuer’s. */
    const heard: (way: typeof fetch) => typeof fetch = (way) => async (input, init) => {
      try {
        return await way(input, init)
      } catch (error) {
        if (error instanceof SkipScenario) unable ??= error.message
        throw error
      }
    }
    return {
      tenant: (index === 0 ? file.issuer?.tenant : access.elsewhere?.tenant) ?? tenant,
      urls: {
        issuer: new URL(places.tenant).origin,
        tenant: places.tenant,
        org: places.org,
        api: apiBase,
        apiOrigin: new URL(apiBase).origin,
      },
      agents: cast.agents.map(({ name, agent_id, client_id, client_secret }) => ({
        name,
        agent_id,
        client_id,
        client_secret,
      })),
      users: cast.users.map(({ email, token, permissions }) => ({
        id: subjectOf(token),
        email,
        permissions,
      })),
      ...(client === undefined ? {} : { apiClient: client }),
      userTokens: Object.fromEntries(tokens),
      fetch: (seat) => heard(ways[seat]),
      ...(offer.standardsOnly ? { unbound: new Set(['issuer'] as const) } : {}),
      unable: () => unable,
      close: async () => {
        await ledger.close(owner)
      },
    }
  }

  return {
    name: file.name ?? new URL(bases.tenant).host,
    capabilities: new Set(['approver', 'writes']),
    longestWait,
    cannot: (scenario) => skipReasons(scenario, offer),
    open,
    probed,
    leftovers,
    usage: () => ({ requests: http.sent, cleaning: http.urgent, waited: http.waited }),
    placed: (scenario) => applyPrefix(applyRoles(scenario, offer.cast), prefixes),
    names: [
      ...[new URL(bases.tenant).origin, new URL(namedApi).origin],
      ...[...probed.agents, ...access.users].flatMap((it) =>
        'email' in it ? [it.email] : [it.name, it.client_id, it.agent_id],
      ),
    ],
    close: async () => {
      leftovers.push(...(await ledger.close()))
    },
  }
}

/** Where our API seems to be. Nothing listens there: it is called, not connected to. */
const apiOrigin = 'https://documents.lumoauth.test'

/** Our API under another base: nothing is sent there. */
const withBasePath =
  (base: string, api: typeof fetch): typeof fetch =>
  (input, init) => {
    const request = new Request(input, init)
    const { url } = request
    return api(
      url.startsWith(base)
        ? new Request(`${apiOrigin}/t/api${url.slice(base.length)}`, request)
        : request,
    )
  }

type Player = AgentAccess & Readonly<{ token?: string }>

const basesOf = ({ file: { issuer }, elsewhere }: Access): Record<Prefix, string> => {
  const origin = issuer?.url.replace(/\/+$/, '')
  const tenant = encodeURIComponent(elsewhere?.tenant ?? '')
  return { tenant: `${origin}/t/${tenant}/api/v1`, org: `${origin}/orgs/${tenant}/api/v1` }
}

const replaceTenant = (text: string, { file, elsewhere }: Access): string =>
  text.replace(
    new RegExp(`/(t|orgs)/${encodeURIComponent(file.issuer?.tenant ?? '')}(?=/|$)`),
    `/$1/${encodeURIComponent(elsewhere?.tenant ?? '')}`,
  )

const hostsOf = ({ file: { issuer, hosts } }: Access): ReadonlySet<string> =>
  new Set([...(issuer === undefined ? [] : [new URL(issuer.url).origin]), ...hosts])

/** What tokens call our API: what the target says, else whatever its tokens name beside their issuer. */
const audienceOf = ({ file }: Access, { audience, metadata }: Probed): readonly string[] => {
  const said = file.api.audience
  if (said !== undefined) return [said].flat()
  const others = audience.filter((it) => it !== metadata?.issuer)
  return others.length > 0 ? others : audience
}

/** Tries our API with the token of an agent. */
const describeApiFailure = async (
  { metadata, introspector, agents: [agent], lacks }: Probed,
  api: typeof fetch,
): Promise<string | undefined> => {
  if (metadata === undefined) return lacks.get('metadata')
  if (introspector === undefined) {
    return `our API would not notice that a token was revoked: ${lacks.get('introspection')}`
  }
  const answer = await api(`${apiOrigin}/t/probe/v1/documents`, {
    headers: { authorization: `Bearer ${agent?.token}` },
  })
  return answer.ok
    ? undefined
    : `our API, which trusts the issuer’s metadata, keys and introspection, refuses the agent’s own token (${answer.status})`
}

const relocateRequest = (
  request: Request,
  base: string,
  moved: ReadonlyMap<string, string>,
): Request => {
  if (!request.url.startsWith(base)) return request
  const to = moved.get(request.url.slice(base.length))
  return to === undefined ? request : new Request(to, request)
}

/** What the target says of an agent's sign-in is added where a scenario leaves it out. */
const addClientCredentials = async (
  request: Request,
  agents: readonly AgentAccess[],
): Promise<Request> => {
  const type = request.headers.get('content-type') ?? ''
  if (request.method !== 'POST' || !type.startsWith('application/x-www-form')) return request
  if (agents.every((it) => it.scope === undefined && it.resource === undefined)) return request
  const text = await request.clone().text()
  const form = new URLSearchParams(text)
  const agent = agents.find((it) => it.client_id === form.get('client_id')) ?? agents[0]
  if (form.get('grant_type') !== 'client_credentials' || agent === undefined) return request
  for (const name of ['scope', 'resource'] as const) {
    const value = agent[name]
    if (value !== undefined && !form.has(name)) form.set(name, value)
  }
  return new Request(request, { body: form.toString() })
}

const subjectOf = (token: string): string => {
  const decoded = decode(token)
  const claims = isObject(decoded) ? decoded.claims : undefined
  return isObject(claims) ? String(claims.sub) : ''
}

/** Under the prefixes there are: a scenario for either one runs under the one there is. */
const applyPrefix = (scenario: Loaded, there: readonly Prefix[]): Loaded => {
  const fitting = scenario.prefixes.filter((it) => there.includes(it))
  return { ...scenario, prefixes: fitting.length > 0 ? fitting : there.slice(0, 1) }
}
