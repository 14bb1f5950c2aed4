import { z } from 'zod'
import type { Seat } from '../../../server/wire/index.ts'
import { Journal, TenantCreated } from '../../../server/wire/index.ts'
import { capabilities } from '../../language/capabilities.ts'
import { frozenAt } from '../../language/format.ts'
import type { Target } from '../../language/target.ts'

export type ControlPlaneOptions = Readonly<{
  name: string
  /** Origin of the issuer and of its control plane. */
  issuer: string
  controlToken: string
  /** Base URLs and fetch of each seat. */
  ways: Readonly<Record<Seat, typeof fetch>>
  close?: () => Promise<void>
}>

/** A harness. The `given` of a scenario is set up over its control plane. */
export const controlPlaneTarget = ({
  name,
  issuer,
  controlToken,
  ways,
  close,
}: ControlPlaneOptions): Target => {
  const control = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await ways.control(`${issuer}/_harness/tenants${path}`, {
      method,
      headers: {
        authorization: `Bearer ${controlToken}`,
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
    name,
    capabilities: new Set(capabilities),
    longestWait: 0,

    open: async (given, { tenant, seed }) => {
      const answer = await control('PUT', `/${tenant}`, { clock: frozenAt, ...given, seed })
      const { data: made, error } = TenantCreated.safeParse(answer)
      if (made === undefined) {
        throw new Error(`a new tenant does not match its schema: ${z.prettifyError(error)}`)
      }
      const api = bare(made.urls.api)
      return {
        tenant: made.tenant,
        urls: {
          issuer,
          tenant: bare(made.urls.tenant),
          org: bare(made.urls.org),
          api,
          apiOrigin: new URL(api).origin,
          control: `${issuer}/_harness/tenants/${made.tenant}`,
        },
        agents: made.agents,
        users: made.users,
        apiClient: made.api_client,
        controlToken,
        fetch: (seat) => ways[seat],
        decidedBy: async () => {
          const journal = await control('GET', `/${made.tenant}/journal?type=permission.requested`)
          return Decisions.parse(journal).entries.map(({ request }) => request.explanation.rule)
        },
        journal: async (after) => {
          const page = await control('GET', `/${made.tenant}/journal?after=${after}`)
          return Journal.parse(page).entries
        },
        close: async () => {
          await control('DELETE', `/${made.tenant}`)
        },
      }
    },

    close: async () => close?.(),
  }
}

const Decisions = z.object({
  entries: z.array(
    z.object({ request: z.object({ explanation: z.object({ rule: z.string() }) }) }),
  ),
})

const bare = (url: string): string => url.replace(/\/+$/, '')
