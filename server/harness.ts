import { randomBytes } from 'node:crypto'
import { apiHandlers, openApi, tenancyOfCall } from './http/api.ts'
import { consoleHandlers, openConsole, secured } from './http/console.ts'
import { controlHandlers, openControl } from './http/control.ts'
import { type Core, createCore, type Inner, type Routed } from './http/core.ts'
import { fetchHost } from './http/fetch.ts'
import { issuerHandlers, openIssuer } from './http/issuer.ts'
import type { Answer, HttpRequest } from './http/message.ts'
import type { Misbehaviour } from './http/misbehave.ts'
import { inOpenAiForm, modelHandlers, openModel } from './http/scripted-model.ts'
import type { Origins, Tenancy } from './http/tenancy.ts'
import { type Algorithm, generateSigningKey } from './signing/keys.ts'
import { createTenancies } from './tenancies.ts'
import { type RouteName, type TenantCreated, TenantSeed } from './wire/index.ts'

type Seed = (typeof TenantSeed)['_zod']['input']

export type HarnessOptions = Readonly<{
  /** Whether to listen on sockets. Without, requests are handed in by `fetch` or MSW. */
  listen?: boolean
  /** Where to listen; loopback unless said otherwise. */
  host?: string
  /** Port of the issuer and the control plane; 0 for any free one. */
  port?: number
  /** Port of the API; 0 for any free one. */
  apiPort?: number
  /** The origins of issuer and API when there are no sockets. */
  origins?: Readonly<{ issuer: string; api: string }>
  /** Guards the control plane. Absent: a fresh one. */
  controlToken?: string
  /** How tokens are signed; RS256 as LumoAuth does. */
  algorithm?: Algorithm
  /** Epoch seconds, for tenants on the system's clock. */
  now?: () => number
  /** Tenants to begin with; the first also answers for API calls that name none. */
  tenants?: readonly Seed[]
  /** Defects that can be switched on; default all there are. */
  misbehaviours?: readonly Misbehaviour[]
  /** Hears of bugs of the harness itself. */
  onBug?: (bug: unknown, request: HttpRequest) => void
}>

export type Harness = AsyncDisposable &
  Readonly<{
    /** Origins, such as `http://127.0.0.1:40123`. */
    issuer: string
    api: string
    controlToken: string
    /** The tenants it began with, in the order of the options. */
    tenants: readonly TenantCreated[]
    /** Reaches the seats: in-process when nothing listens, the global `fetch` otherwise. */
    fetch: typeof fetch
    /** One request to whichever seat its URL names, without a socket. */
    handle: (request: Request) => Promise<Response>
    /** @throws {ZodError} for a seed that does not fit */
    createTenant: (seed?: Seed) => TenantCreated
    close: () => Promise<void>
  }>

/**
 * Issuer, API and control plane, ready to be asked.
 * @throws an error with `code` `EADDRINUSE` or the like when a port cannot be had
 */
export const createHarness = async (options: HarnessOptions = {}): Promise<Harness> => {
  const { listen = true, controlToken = randomBytes(24).toString('base64url') } = options
  const origins: Origins = {
    issuer: 'https://issuer.lumoauth.test',
    api: 'https://api.lumoauth.test',
    ...options.origins,
  }
  // The key is made on the thread pool while Express loads.
  const [signingKey, sockets] = await Promise.all([
    generateSigningKey(options.algorithm ?? 'RS256'),
    listen ? import('./sockets.ts') : undefined,
  ])
  const tenancies = createTenancies({
    origins,
    signingKey,
    misbehaviours: async () => options.misbehaviours ?? (await catalogue()),
    now: options.now,
    issuer: () => seats.issuer,
  })
  const seats = createSeats(tenancies, controlToken, origins, options)
  const listening = await sockets?.listenAll(seats, origins, options)
  const tenants = (options.tenants ?? []).map((seed) => tenancies.create(TenantSeed.parse(seed)))

  let closed = false
  const handle = async (request: Request): Promise<Response> => {
    if (closed) throw new TypeError('the harness is closed')
    const { origin } = new URL(request.url)
    if (origin === origins.issuer) return fetchHost(seats.issuer)(request)
    if (origin === origins.api) return fetchHost(seats.api)(request)
    throw new TypeError(`expected ${origins.issuer} or ${origins.api}, not ${origin}`)
  }
  const close = async () => {
    closed = true
    for (const { ended } of tenancies.open.values()) ended.abort()
    await listening?.close()
  }
  return {
    issuer: origins.issuer,
    api: origins.api,
    controlToken,
    tenants,
    handle,
    fetch: listen
      ? globalThis.fetch
      : async (input, init) => received(await handle(new Request(input, init))),
    createTenant: (seed = {}) => tenancies.create(TenantSeed.parse(seed)),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Loaded when somebody misbehaves for the first time: it is no part of a start. */
const catalogue = async () => (await import('./http/misbehaviours.ts')).misbehaviours

/** What `fetch` does with an answer that never came. */
const received = (response: Response): Response => {
  if (response.type !== 'error') return response
  const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  throw new TypeError('fetch failed', { cause })
}

/** The doors of a harness. The control plane stands on the issuer's origin. */
export type Seats = Readonly<{ issuer: Core; api: Core }>

const createSeats = (
  tenancies: ReturnType<typeof createTenancies>,
  controlToken: string,
  origins: Origins,
  { onBug = reportBug }: HarnessOptions,
): Seats => {
  const issuer = createCore({
    handlers: issuerHandlers,
    open: openIssuer(tenancies.find),
    around: recording(({ params }) => tenancies.find(params.tenant ?? ''), tenancies.open),
    onBug,
  })
  const find = tenancyOfCall(tenancies.open)
  const api = createCore({
    handlers: apiHandlers,
    open: openApi(find),
    around: recording(find, tenancies.open),
    onBug,
  })
  const control = createCore({
    handlers: controlHandlers,
    open: openControl(tenancies, controlToken, () => origins.issuer),
    onBug,
  })
  const page = createCore({
    handlers: consoleHandlers,
    open: openConsole(tenancies, controlToken, () => origins.issuer),
    around: secured,
    onBug,
  })
  const model = createCore({
    handlers: modelHandlers,
    open: openModel(tenancies.find),
    around: inOpenAiForm,
    onBug,
  })
  const isModel = /^\/+_harness\/(?:tenants\/[^/]+\/)?llm\//
  const isPage = /^\/+console(?:\/|$)/
  const isControl = /^\/+(?:_harness|healthz)(?:\/|$)/
  return {
    issuer: (request) => {
      if (isModel.test(request.path)) return model(request)
      if (isControl.test(request.path)) return control(request)
      return isPage.test(request.path) ? page(request) : issuer(request)
    },
    api,
  }
}

/** The one seam around every answer: misbehaves when told to, and records what went over the wire. */
const recording =
  <N extends RouteName>(
    find: (routed: Routed<N>) => Tenancy | undefined,
    open: ReadonlyMap<string, Tenancy>,
  ) =>
  async (routed: Routed<N>, answer: Inner): Promise<Answer> => {
    const tenancy = find(routed)
    const { seat } = routed.route
    if (tenancy === undefined || seat === 'control') return answer()
    const { journal } = tenancy.tenant
    const before = journal.last
    const others = () => [...open.values()].filter((it) => it !== tenancy)
    const answered = await tenancy.misbehaving.around(routed, answer, tenancy, others)
    const { name: route, request } = routed
    tenancy.exchanges.record({
      at: tenancy.tenant.clock.now(),
      seat,
      route,
      request,
      answer: answered,
      meanwhile: [before, journal.last],
    })
    return answered
  }

const reportBug = (bug: unknown, { method, path }: HttpRequest) => {
  console.error(`bug while answering ${method} ${path}:`, bug)
}
