import { cloneMessage } from '../../../server/wire/clone-message.ts'
import type { Given } from '../../language/format.ts'
import type { Loaded } from '../../language/load.ts'
import type { Target } from '../../language/target.ts'
import type { Access } from './access.ts'
import type { Prefix } from './find-issuer.ts'
import { Ledger } from './ledger.ts'
import { type Probed, probe } from './probe.ts'
import { RateLimitedFetch } from './rate-limited-fetch.ts'
import { applyRoles, assignRoles } from './roles.ts'
import { openSession } from './session.ts'
import { type Offer, skipReasons } from './skip-reasons.ts'
import { describeApiFailure, type TargetTenant, tenantsOf } from './tenants.ts'

export type RealOptions = Readonly<{
  allowWrites?: boolean
  signal?: AbortSignal
  /** Shows a person a message. */
  say?: (line: string) => void
  fetch?: typeof fetch
}>

/** A probed deployment, ready for scenarios. */
export type RealTarget = Target &
  Readonly<{
    probed: Probed
    /** Number of requests sent, and seconds waited. */
    usage: () => Readonly<{ requests: number; cleaning: number; waited: number }>
    /** What could not be cleaned up, known after closing. */
    leftovers: readonly string[]
    /** The scenario with the prefixes and names of the deployment. */
    placed: (scenario: Loaded) => Loaded
    /** Names of agents and users at the deployment, and its origins. */
    names: readonly string[]
  }>

/**
 * A real issuer with our API. Every task is completed when its scenario ends, at the latest when
 * the target is closed.
 * @throws {Unreachable} where nothing can be checked
 */
export const real = async (access: Access, options: RealOptions = {}): Promise<RealTarget> => {
  const { file } = access
  const { allowWrites = false, signal = new AbortController().signal, say = () => {} } = options
  const { limits } = file
  const http = new RateLimitedFetch({
    hosts: hostsOf(access),
    perMinute: limits.requests_per_minute,
    total: limits.requests,
    timeout: limits.timeout,
    wait: limits.wait,
    signal,
    onWait: (seconds) =>
      say(`waiting ${seconds} s for Retry-After, or for limits: { requests_per_minute: … }`),
    ...(options.fetch && { fetch: options.fetch }),
  })
  const ledger = new Ledger(access.agents, (request) => http.send(request, { urgent: true }))
  const send = async (request: Request, owner: object): Promise<Response> => {
    let response: Response | undefined
    try {
      response = await http.send(cloneMessage(request))
      return response
    } finally {
      await ledger.note(request, response, owner)
    }
  }
  const probed = await probe(access, (request) => send(request, ledger)).catch(async (error) => {
    await ledger.close()
    throw error
  })
  const tenants = tenantsOf(access, probed, http.fetch)
  const [here] = tenants
  const offer: Offer = {
    lacks: probed.lacks,
    prefixes: probed.prefixes,
    apiFails: await describeApiFailure(probed, here),
    apiIsNamed: file.api.url !== undefined,
    approver: file.approver ?? (probed.lacks.has('approvals') ? 'none' : 'token'),
    writes: new Set(allowWrites ? file.writes : []),
    longestWait: limits.wait,
    standardsOnly: file.issuer?.profile === 'oauth',
    cast: (scenario) => scenario.tenants.map(({ given }, index) => castIn(tenants[index], given)),
  }
  const leftovers: string[] = []

  return {
    name: file.name ?? new URL(here.bases.tenant).host,
    capabilities: new Set(['approver', 'writes']),
    longestWait: limits.wait,
    cannot: (scenario) => skipReasons(scenario, offer),
    open: async (given, { tenant: slug, index = 0 }) => {
      const tenant = tenants[index] ?? here
      const owner = {}
      return openSession(tenant, slug, {
        given,
        cast: castIn(tenants[index], given),
        moved: probed.moved,
        decides: offer.approver === 'token',
        standardsOnly: offer.standardsOnly,
        approver: { patience: limits.person, signal, say },
        send: (request) => send(request, owner),
        fetch: http.fetch,
        close: async () => {
          await ledger.close(owner)
        },
      })
    },
    probed,
    leftovers,
    usage: () => ({ requests: http.sent, cleaning: http.urgent, waited: http.waited }),
    placed: (scenario) => applyPrefix(applyRoles(scenario, offer.cast), probed.prefixes),
    names: [
      new URL(here.bases.tenant).origin,
      new URL(here.apiBase).origin,
      ...probed.agents.flatMap((it) => [it.name, it.client_id, it.agent_id]),
      ...access.users.map((it) => it.email),
    ],
    close: async () => {
      leftovers.push(...(await ledger.close()))
    },
  }
}

/** The roles in a tenant of the target. */
const castIn = (tenant: TargetTenant | undefined, given: Given) =>
  assignRoles(given, tenant?.agents ?? [], tenant?.people ?? [])

const hostsOf = ({ file: { issuer, hosts } }: Access): ReadonlySet<string> =>
  new Set([...(issuer === undefined ? [] : [new URL(issuer.url).origin]), ...hosts])

/** With the existing prefixes: a scenario for both runs under the existing one. */
const applyPrefix = (scenario: Loaded, there: readonly Prefix[]): Loaded => {
  const fitting = scenario.prefixes.filter((it) => there.includes(it))
  return { ...scenario, prefixes: fitting.length > 0 ? fitting : there.slice(0, 1) }
}
