import type { JWK } from 'jose'
import { ApproverScript, type Seat } from '../../../server/wire/index.ts'
import { peekJwt } from '../../language/decode.ts'
import type { Given } from '../../language/format.ts'
import { isObject } from '../../language/match.ts'
import type { Session } from '../../language/session.ts'
import { type SkipReason, SkipScenario } from '../../language/target.ts'
import type { AgentAccess, PersonAccess } from './access.ts'
import { addClientCredentials, relocateRequest } from './adapt-request.ts'
import { Approver, type ApproverOptions } from './approver.ts'
import { substituteControl } from './control-substitute.ts'
import { forgeToken } from './forge.ts'
import type { Roles } from './roles.ts'
import { callApi, type TargetTenant } from './tenants.ts'

export type SessionOptions = Readonly<{
  given: Given
  /** Agents and users of the target for those of the scenario. */
  cast: Roles<AgentAccess & Readonly<{ token?: string }>, PersonAccess>
  /** Endpoints by their path below the base. */
  moved: ReadonlyMap<string, string>
  /** Whether the approver's token may be used. */
  decides: boolean
  /** Whether the issuer is checked against standards only. */
  standardsOnly: boolean
  approver: Omit<ApproverOptions, 'token'>
  /** Sends a request to the issuer, and records what it creates. */
  send: (request: Request) => Promise<Response>
  /** Reads from the issuer. */
  fetch: typeof fetch
  close: () => Promise<void>
}>

/** The session of one scenario with a tenant of a deployment. */
export const openSession = (
  tenant: TargetTenant,
  slug: string,
  { given, cast, moved, decides, standardsOnly, approver, send, fetch, close }: SessionOptions,
): Session => {
  const { bases, apiBase, introspector } = tenant
  const decider = cast.users.find((it) => it.permissions.includes('jit.approve'))
  const person = new Approver({ ...approver, token: decides ? decider?.token : undefined })
  if (given.approver !== undefined) person.follow(ApproverScript.parse(given.approver))
  const tokens = new Map(cast.users.map((it) => [it.email, it.token]))
  const adapt = async (request: Request) =>
    send(await addClientCredentials(relocateRequest(request, bases.tenant, moved), cast.agents))
  const ways: Readonly<Record<Seat, typeof globalThis.fetch>> = {
    issuer: (input, init) => person.around(new Request(input, init), adapt),
    api: callApi(tenant, given.documents),
    control: substituteControl({
      tokenOf: (user) => (user === undefined ? decider?.token : tokens.get(user)),
      forge: async (order) =>
        forgeToken(order, cast.agents[0]?.token ?? '', await keysOf(bases.tenant, moved, fetch)),
      script: (script) => person.follow(ApproverScript.parse(script)),
    }),
  }
  let unable: SkipReason | undefined
  /** The error was not caused by the issuer. */
  const noteSkips =
    (way: typeof globalThis.fetch): typeof globalThis.fetch =>
    async (input, init) => {
      try {
        return await way(input, init)
      } catch (error) {
        if (error instanceof SkipScenario) unable ??= error.skip
        throw error
      }
    }
  return {
    tenant: tenant.name ?? slug,
    urls: {
      issuer: new URL(bases.tenant).origin,
      tenant: bases.tenant,
      org: bases.org,
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
      id: String(peekJwt(token)?.claims.sub ?? ''),
      email,
      permissions,
    })),
    ...(introspector === undefined ? {} : { apiClient: introspector }),
    userTokens: Object.fromEntries(tokens),
    fetch: (seat) => noteSkips(ways[seat]),
    ...(standardsOnly ? { unbound: new Set(['issuer'] as const) } : {}),
    unable: () => unable,
    close,
  }
}

const keysOf = async (
  base: string,
  moved: ReadonlyMap<string, string>,
  read: typeof fetch,
): Promise<readonly JWK[]> => {
  const path = '/.well-known/jwks.json'
  const body: unknown = await (await read(moved.get(path) ?? base + path)).json()
  return isObject(body) && Array.isArray(body.keys) ? body.keys : []
}
