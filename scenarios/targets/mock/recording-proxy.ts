import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createHarness, type TestTenant } from '../../../server/index.ts'
import { cloneMessage } from '../../../server/wire/clone-message.ts'
import { TenantSeed } from '../../../server/wire/index.ts'
import type { Given } from '../../language/format.ts'

/** One request as received and its answer as sent, unredacted. */
export type Seen = Readonly<{
  /** Start and end, in milliseconds of a monotonic clock. */
  at: number
  answeredAt: number
  seat: 'issuer' | 'api' | 'elsewhere'
  request: Readonly<{
    method: string
    url: string
    headers: Readonly<Record<string, string>>
    body: string
  }>
  answer: Readonly<{ status: number; headers: Readonly<Record<string, string>>; body: string }>
}>

/** Alters an answer before the agent receives it; `cut` closes the connection. */
export type Passing = (
  request: Request,
  answer: Response,
  seat: Seen['seat'],
) => Promise<Response | 'cut'>

/** A tenant behind the proxy, with its recorded exchanges. */
export type ProxyHandler = Readonly<{
  tenant: TestTenant
  seen: readonly Seen[]
  /** A foreign origin, which must receive no token. */
  elsewhere: string
  close: () => void
}>

export type RecordingProxy = AsyncDisposable &
  Readonly<{
    open: (given: Given, passing: Passing) => ProxyHandler
    /** Revokes a token as the tenant's first agent. */
    revoke: (play: ProxyHandler, token: string) => Promise<void>
  }>

/**
 * Issuer and API on their own sockets, behind a proxy that records and may alter every exchange;
 * and a third, foreign origin.
 */
export const openRecordingProxy = async (): Promise<RecordingProxy> => {
  const doors = { issuer: createServer(), api: createServer(), elsewhere: createServer() }
  await Promise.all(Object.values(doors).map(listen))
  const origins = { issuer: originOf(doors.issuer), api: originOf(doors.api) }
  const elsewhere = originOf(doors.elsewhere)
  const harness = await createHarness({ listen: false, origins })
  const plays = new Map<string, { seen: Seen[]; passing: Passing }>()

  const serve =
    (seat: Seen['seat']) => async (incoming: IncomingMessage, outgoing: ServerResponse) => {
      const at = performance.now()
      const origin = seat === 'elsewhere' ? elsewhere : origins[seat]
      const request = await requestOf(incoming, origin)
      const body = await cloneMessage(request).text()
      const play = plays.get(tenantOf(request) ?? '') ?? undefined
      const honest =
        seat === 'elsewhere'
          ? Response.json({ hello: 'from elsewhere' })
          : await harness.handle(cloneMessage(request))
      const answer = play === undefined ? honest : await play.passing(request, honest, seat)
      const cut = answer === 'cut' || answer.type === 'error'
      const text = cut ? '' : await answer.text().catch(() => undefined)
      play?.seen.push({
        at,
        answeredAt: performance.now(),
        seat,
        request: {
          method: request.method,
          url: request.url,
          headers: Object.fromEntries(request.headers),
          body,
        },
        answer: cut
          ? { status: 0, headers: {}, body: '' }
          : {
              status: answer.status,
              headers: Object.fromEntries(answer.headers),
              body: text ?? '',
            },
      })
      if (cut || text === undefined) {
        incoming.socket.destroy()
        return
      }
      outgoing.writeHead(answer.status, Object.fromEntries(answer.headers))
      outgoing.end(text)
    }
  for (const seat of ['issuer', 'api', 'elsewhere'] as const) {
    doors[seat].on('request', (incoming, outgoing) => {
      serve(seat)(incoming, outgoing).catch((error) => outgoing.destroy(error))
    })
  }

  return {
    open: (given, passing) => {
      const tenant = harness.createTenant(TenantSeed.parse(given))
      const seen: Seen[] = []
      plays.set(tenant.tenant, { seen, passing })
      const close = () => {
        plays.delete(tenant.tenant)
        tenant.delete()
      }
      return { tenant, seen, elsewhere, close }
    },
    revoke: async ({ tenant }, token) => {
      const [agent] = tenant.agents
      await harness.handle(
        new Request(`${tenant.urls.tenant}/oauth/revoke`, {
          method: 'POST',
          body: new URLSearchParams({
            token,
            client_id: agent?.client_id ?? '',
            client_secret: agent?.client_secret ?? '',
          }),
        }),
      )
    },
    [Symbol.asyncDispose]: async () => {
      await harness.close()
      await Promise.all(
        Object.values(doors).map(async (door) => {
          door.closeAllConnections()
          door.close()
        }),
      )
    },
  }
}

const listen = (server: Server) =>
  new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve())
  })

const originOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const requestOf = async (incoming: IncomingMessage, origin: string): Promise<Request> => {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  const { method = 'GET', url = '/', headers } = incoming
  const body = Buffer.concat(chunks)
  return new Request(origin + (url.startsWith('/') ? url : '/'), {
    method,
    headers: Object.entries(headers).flatMap(([name, value]): [string, string][] =>
      value === undefined || hopByHop.has(name) ? [] : [[name, [value].flat().join(', ')]],
    ),
    ...(body.length === 0 || method === 'GET' || method === 'HEAD' ? {} : { body }),
  })
}

const hopByHop = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'expect',
  'upgrade',
  'te',
])

/** The tenant named in a path, of either seat. */
const tenantOf = (request: Request): string | undefined =>
  /\/(?:t|orgs|tenants)\/([^/?]+)/.exec(new URL(request.url).pathname)?.[1]
