import { z } from 'zod'
import type { Misbehaviours, Seat } from '../../server/wire/index.ts'
import { TenantCreated } from '../../server/wire/index.ts'
import { frozenAt } from '../runner/format.ts'
import type { Target } from './target.ts'

/** How the mock is reached: real HTTP, MSW’s interception, or a function call. */
export const hosts = ['express', 'msw', 'fetch'] as const
export type Host = (typeof hosts)[number]

/** All seats ours, under one of the hosts. */
export const mock = async (host: Host): Promise<Target> => {
  const { createHarness } = await import('../../server/index.ts')
  const harness = await createHarness({ listen: host === 'express' })
  const { ways, stop } = await waysOf(host, harness)

  const control = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await ways.control(`${harness.issuer}/_harness/tenants${path}`, {
      method,
      headers: {
        authorization: `Bearer ${harness.controlToken}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok)
      throw new Error(`${method} /_harness/tenants${path} answered ${response.status}: ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }

  return {
    name: host,
    capabilities: new Set(['control', 'virtual_time', 'approver', 'writes']),
    longestWait: 0,

    open: async (given, { tenant, seed }) => {
      const answer = await control('POST', '', { clock: frozenAt, ...given, tenant, seed })
      const { data: made, error } = TenantCreated.safeParse(answer)
      if (made === undefined) {
        throw new Error(`a new tenant is not as its schema says: ${z.prettifyError(error)}`)
      }
      return {
        tenant: made.tenant,
        urls: {
          issuer: harness.issuer,
          tenant: bare(made.urls.tenant),
          org: bare(made.urls.org),
          api: bare(made.urls.api),
          apiOrigin: harness.api,
          control: `${harness.issuer}/_harness/tenants/${made.tenant}`,
        },
        agents: made.agents,
        users: made.users,
        apiClient: made.api_client,
        controlToken: harness.controlToken,
        fetch: (seat) => ways[seat],
        decidedBy: async () => {
          const journal = await control('GET', `/${made.tenant}/journal?type=permission.requested`)
          return Decisions.parse(journal).entries.map(({ request }) => request.explanation.rule)
        },
        close: async () => {
          await control('DELETE', `/${made.tenant}`)
        },
      }
    },

    close: async () => {
      stop()
      await harness.close()
    },
  }
}

const Decisions = z.object({
  entries: z.array(
    z.object({ request: z.object({ explanation: z.object({ rule: z.string() }) }) }),
  ),
})

/** The defects that the mock can be told to have. */
export const knownMisbehaviours = async (): Promise<Misbehaviours['known']> => {
  const { misbehaviours } = await import('../../server/http/misbehaviours.ts')
  return misbehaviours.map(({ name, seat, says, breaks, routes }) => ({
    name,
    seat,
    says,
    breaks,
    ...(routes === undefined ? {} : { routes: [...routes] }),
  }))
}

type Harness = Awaited<ReturnType<typeof import('../../server/index.ts').createHarness>>
type Ways = Readonly<Record<Seat, typeof fetch>>

/** MSW serves issuer and API only; the control plane is then reached by a function call. */
const waysOf = async (host: Host, harness: Harness): Promise<{ ways: Ways; stop: () => void }> => {
  const global: typeof fetch = (input, init) => fetch(input, init)
  if (host !== 'msw') {
    const way = host === 'express' ? global : harness.fetch
    return { ways: { issuer: way, api: way, control: way }, stop: () => {} }
  }
  const { setupServer } = await import('msw/node')
  const { createHandlers } = await import('../../server/http/msw.ts')
  const server = setupServer(...createHandlers(harness))
  server.listen({ onUnhandledFrame: 'error' })
  return {
    ways: { issuer: global, api: global, control: harness.fetch },
    stop: () => server.close(),
  }
}

const bare = (url: string): string => url.replace(/\/+$/, '')
