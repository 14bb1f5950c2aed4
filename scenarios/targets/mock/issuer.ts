import { apiEnvironment } from '../../../server/harness/api-environment.ts'
import { createHarness } from '../../../server/index.ts'
import { TenantSeed } from '../../../server/wire/index.ts'
import type { Session } from '../../language/session.ts'
import type { Target } from '../../language/target.ts'

/** Our issuer with a foreign API. */
export type IssuerBefore = Target &
  Readonly<{
    /** Base of the tenant whose tokens the API should accept. */
    issuer: string
    /** The configuration of the API. */
    environment: Readonly<Record<string, string>>
    /** The members that its tokens for the API have. */
    tokens: Readonly<{ iss: string; aud: string; alg: string }>
  }>

/**
 * Two tenants with agents, of which the API knows the first. Every request is approved.
 * @param port of the issuer; 0 for a free port
 */
export const openIssuerBefore = async (
  api: string,
  {
    port = 0,
    audience,
    cannot,
    fetch: call = (input, init) => fetch(input, init),
  }: {
    port?: number
    audience?: string | undefined
    cannot: NonNullable<Target['cannot']>
    /** The aud of the API. */
    fetch?: typeof fetch
  },
): Promise<IssuerBefore> => {
  const base = api.replace(/\/+$/, '')
  const { origin } = new URL(audience ?? base)
  const harness = await createHarness({ listen: true, port, origins: { api: origin } })
  const seed = (tenant: string) =>
    TenantSeed.parse({
      tenant,
      seed: 1,
      policy: { rules: [{ name: 'grants for a check', risk: 'low', decision: 'approve' }] },
    })
  const tenants = ['check', 'check-elsewhere'].map((name) => harness.createTenant(seed(name)))
  const here = tenants[0] as (typeof tenants)[number]

  const sessionIn = (index: number): Session => {
    const tenant = tenants[index] ?? here
    return {
      tenant: tenant.tenant,
      urls: {
        issuer: harness.issuer,
        tenant: tenant.urls.tenant,
        org: tenant.urls.org,
        api: base,
        apiOrigin: new URL(base).origin,
        control: `${harness.issuer}/_harness/tenants/${tenant.tenant}`,
      },
      agents: tenant.agents,
      users: tenant.users,
      apiClient: tenant.api_client,
      controlToken: harness.controlToken,
      fetch: (seat) => (seat === 'api' ? call : harness.fetch),
      unbound: new Set(['api']),
      close: async () => {},
    }
  }
  const { tenant, urls } = here
  return {
    name: new URL(base).host,
    capabilities: new Set(['control', 'approver', 'writes']),
    longestWait: 0,
    cannot,
    open: async (_, { index = 0 }) => sessionIn(index),
    close: () => harness.close(),
    issuer: urls.tenant,
    tokens: { iss: urls.tenant, aud: origin, alg: 'RS256' },
    environment: {
      LUMOAUTH_URL: harness.issuer,
      LUMOAUTH_TENANT: tenant,
      LUMOAUTH_ORG_ID: tenant,
      ...apiEnvironment(here, origin),
    },
  }
}
