import { randomBytes } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { catalogue } from './catalogue.ts'
import { systemTimers, type Timers } from './http/agenda.ts'
import { apiHandlers, openApi, tenancyOfCall } from './http/api.ts'
import { consoleHandlers, openConsole, secured } from './http/console.ts'
import { controlHandlers, openControl } from './http/control.ts'
import { type Core, createCore, type Inner, type Routed } from './http/core.ts'
import { errorAnswer } from './http/errors.ts'
import { fetchHost, HarnessClosed } from './http/fetch.ts'
import { issuerHandlers, openIssuer } from './http/issuer.ts'
import { type LogLine, logged } from './http/log.ts'
import type { Answer, HttpRequest } from './http/message.ts'
import { type Misbehaviour, whyUnknown } from './http/misbehave.ts'
import { nodeHost } from './http/node.ts'
import { openApiHandlers, openOpenApi } from './http/openapi.ts'
import { createOutbound, type Outbound, type OutboundOptions } from './http/outbound.ts'
import { limited } from './http/rate-limit.ts'
import { answeringFrom } from './http/recorded.ts'
import { inOpenAiForm, modelHandlers, openModel } from './http/scripted-model.ts'
import type { Origins, Tenancy } from './http/tenancy.ts'
import { JournalUnusable } from './journal-unusable.ts'
import { type Algorithm, generateSigningKey } from './signing/keys.ts'
import type { Store } from './store.ts'
import { createTenancies } from './tenancies.ts'
import { type TestTenant, testTenant } from './test-tenant.ts'
import {
  isModelPath,
  type Recording,
  type RouteName,
  type TenantCreated,
  TenantSeed,
} from './wire/index.ts'

/** What a tenant begins with; all of it has defaults. */
export type Seed = (typeof TenantSeed)['_zod']['input']

export type HarnessOptions = Readonly<{
  /**
   * Whether to listen on sockets; otherwise requests are handed in by `fetch` or MSW. Default: it
   * does, unless `origins` are given.
   */
  listen?: boolean
  /** Where to listen; loopback unless said otherwise. */
  host?: string
  /** Port of the issuer and the control plane; 0 for any free one. */
  port?: number
  /** Port of the API; 0 for any free one. */
  apiPort?: number
  /**
   * What issuer and API are called, such as `https://app.lumoauth.dev`: the origins `fetch` and MSW
   * answer for; or, while listening, what others reach the sockets by.
   */
  origins?: Readonly<Partial<Origins>>
  /** Guards the control plane. Absent: a fresh one. */
  controlToken?: string
  /**
   * A file that keeps what happens, so that it survives the process; keys and secrets stand beside
   * it in `FILE.keys`. Absent: memory only.
   */
  journal?: string
  /** Answers of a real issuer, which its tenants here are answered with. */
  recording?: Recording
  /** How tokens are signed; RS256 as LumoAuth does. */
  algorithm?: Algorithm
  /** Epoch seconds, for tenants on the system's clock. */
  now?: () => number
  /** Where callbacks and pushed signals may go, and how they get there; default this machine only. */
  outbound?: OutboundOptions
  /** How real time passes, for whoever waits for it. */
  timers?: Timers
  /** Tenants to begin with; the first also answers for API calls that name none. */
  tenants?: readonly Seed[]
  /** Defects that can be switched on; default all there are. */
  misbehaviours?: readonly Misbehaviour[]
  /** Hears of every answer of issuer and API. */
  log?: (line: LogLine) => void
  /** Hears of bugs of the harness itself. */
  onBug?: (bug: unknown, request: HttpRequest) => void
  /** Hears what is wrong with the journal: what was dropped at the start, and that it cannot be written. */
  onWarning?: (message: string) => void
}>

export type Harness = AsyncDisposable &
  Readonly<{
    /** Origins, such as `http://127.0.0.1:40123`. */
    issuer: string
    api: string
    controlToken: string
    /** The tenants it began with, in the order of the options. */
    tenants: readonly TestTenant[]
    /**
     * A `fetch` that reaches the seats, in-process when nothing listens. Every other origin is left
     * to the global `fetch`.
     */
    fetch: typeof fetch
    /** One request to whichever seat its URL names, without a socket. */
    handle: (request: Request) => Promise<Response>
    /**
     * The seats for servers of your own: `createServer(listeners.issuer)`, or
     * `app.use(listeners.issuer)` in an Express app. Each wants the root of an origin.
     */
    listeners: Readonly<{ issuer: RequestListener; api: RequestListener }>
    /** @throws {ZodError} for a seed that does not fit */
    createTenant: (seed?: Seed) => TestTenant
    close: () => Promise<void>
  }>

/**
 * Issuer, API and control plane, ready to be asked.
 * @throws an error with `code` `EADDRINUSE` or the like when a port cannot be had
 */
export const createHarness = async (options: HarnessOptions = {}): Promise<Harness> => {
  const { journal, algorithm = 'RS256', onWarning = console.warn } = options
  const store = journal === undefined ? undefined : await openStore(journal, algorithm)
  if (store?.warning !== undefined) onWarning(store.warning)
  try {
    return await composed(options, algorithm, store)
  } catch (failed) {
    await store?.close().catch(() => {})
    throw failed
  }
}

const composed = async (
  options: HarnessOptions,
  algorithm: Algorithm,
  store: Store | undefined,
): Promise<Harness> => {
  const { listen = options.origins === undefined } = options
  const { controlToken = randomBytes(24).toString('base64url') } = options
  const named = originsOf(options.origins)
  const origins: Origins = {
    issuer: 'https://issuer.lumoauth.test',
    api: 'https://api.lumoauth.test',
    ...named,
  }
  if (origins.issuer === origins.api) {
    throw new TypeError('issuer and API need an origin each: they share some paths')
  }
  const misbehaviours = async () => options.misbehaviours ?? (await catalogue())
  const seeds = (options.tenants ?? []).map((input) => TenantSeed.parse(input))
  for (const { name } of seeds.flatMap(({ misbehave }) => misbehave)) {
    const why = whyUnknown(name, await misbehaviours())
    if (why !== undefined) throw new TypeError(why)
  }
  // The keys are made on the thread pool while the sockets load.
  const [signingKey, platformKey, sockets] = await Promise.all([
    store?.signingKey ?? generateSigningKey(algorithm),
    store?.platformKey ?? generateSigningKey('ES256'),
    listen ? import('./sockets.ts') : undefined,
  ])
  const tenancies = createTenancies({
    origins,
    signingKey,
    platformKey,
    misbehaviours,
    now: options.now,
    outbound: afterwards(createOutbound(options.outbound), store),
    timers: options.timers ?? systemTimers,
    issuer: () => seats.issuer,
    store,
  })
  const seats = createSeats(tenancies, controlToken, origins, options, store)
  const { log } = options
  const doors: Seats =
    log === undefined
      ? seats
      : { issuer: logged('issuer', seats.issuer, log), api: logged('api', seats.api, log) }
  const listening = await sockets?.listenAll(doors, origins, options)
  Object.assign(origins, named)
  const inHand = (created: TenantCreated) =>
    testTenant(created, { ...tenancies, issuer: seats.issuer, controlToken })
  const createTenant = (seed: Seed = {}) => inHand(tenancies.create(TenantSeed.parse(seed)))
  const tenants = seeds.map((seed) =>
    inHand(tenancies.restore(seed.tenant ?? '', seed.misbehave) ?? tenancies.create(seed)),
  )
  for (const slug of store?.slugs ?? []) if (!tenancies.find(slug)) tenancies.restore(slug)
  await store?.durable()

  let closed = false
  const refuseIfClosed = () => {
    if (closed) throw new HarnessClosed(origins.issuer)
  }
  const handle = async (request: Request): Promise<Response> => {
    refuseIfClosed()
    const { origin } = new URL(request.url)
    if (origin === origins.issuer) return fetchHost(doors.issuer)(request)
    if (origin === origins.api) return fetchHost(doors.api)(request)
    throw new TypeError(`expected ${origins.issuer} or ${origins.api}, not ${origin}`)
  }
  const close = async () => {
    closed = true
    for (const { ended } of tenancies.open.values()) ended.abort()
    await listening?.close()
    await store?.close()
  }
  return {
    issuer: origins.issuer,
    api: origins.api,
    controlToken,
    tenants,
    handle,
    listeners: { issuer: nodeHost(doors.issuer), api: nodeHost(doors.api) },
    fetch: async (input, init) => {
      const { origin } = new URL(input instanceof Request ? input.url : input)
      if (origin !== origins.issuer && origin !== origins.api) return globalThis.fetch(input, init)
      refuseIfClosed()
      if (listen) return globalThis.fetch(input, init)
      const request = new Request(input, init)
      return received(await handle(request), request.signal)
    },
    createTenant,
    close,
    [Symbol.asyncDispose]: close,
  }
}

const originsOf = (named: Partial<Origins> = {}): Partial<Origins> =>
  Object.fromEntries(
    Object.entries(named).map(([seat, url]) => {
      if (URL.canParse(url) && /^https?:\/\/[^/]+\/?$/.test(url)) return [seat, new URL(url).origin]
      throw new TypeError(`origins.${seat}: expected an origin such as https://example.com`)
    }),
  )

/** What `fetch` does with an answer that never came. */
const received = (response: Response, signal: AbortSignal): Response => {
  if (response.type !== 'error') return response
  signal.throwIfAborted()
  const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  throw new TypeError('fetch failed', { cause })
}

/** The doors of a harness. The control plane stands on the issuer's origin. */
export type Seats = Readonly<{ issuer: Core; api: Core }>

const createSeats = (
  tenancies: ReturnType<typeof createTenancies>,
  controlToken: string,
  origins: Origins,
  { onBug: hears = reportBug, onWarning = console.warn, recording: recorded }: HarnessOptions,
  store: Store | undefined,
): Seats => {
  const onBug = (bug: unknown, request: HttpRequest) => {
    if (!(bug instanceof JournalUnusable)) hears(bug, request)
  }
  const find = tenancyOfCall(tenancies.open)
  const live = createCore({
    handlers: issuerHandlers,
    open: openIssuer(find),
    around: recording(find, tenancies.open),
    onBug,
  })
  const issuer = recorded === undefined ? live : answeringFrom(recorded, live, () => origins.issuer)
  const api = createCore({
    handlers: apiHandlers,
    open: openApi(find),
    around: recording(find, tenancies.open),
    onBug,
  })
  const control = createCore({
    handlers: controlHandlers,
    open: openControl(tenancies, controlToken, () => origins.issuer),
    around: recording(find, tenancies.open),
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
  const about = createCore({
    handlers: openApiHandlers,
    open: openOpenApi(origins, tenancies.version),
    onBug,
  })
  const isPage = /^\/+(?:console|approve)(?:\/|$)/
  const isControl = /^\/+(?:_harness|healthz)(?:\/|$)/
  const isAbout = /^\/+(?:openapi\.json|docs)$/
  const byPath: Core = (request) => {
    if (isModelPath(request.path)) return model(request)
    if (isControl.test(request.path)) return control(request)
    if (isAbout.test(request.path)) return about(request)
    return isPage.test(request.path) ? page(request) : issuer(request)
  }
  if (store === undefined) return { issuer: byPath, api }
  const onFailure = once(onWarning)
  return { issuer: durable(byPath, store, onFailure), api: durable(api, store, onFailure) }
}

/** No answer leaves before what it says is on the disk; nothing is promised that cannot be kept. */
const durable =
  (core: Core, store: Store, onFailure: (message: string) => void): Core =>
  async (request) => {
    try {
      if (request.method !== 'GET' && request.method !== 'HEAD') store.refuseIfFailed()
      const answer = await core(request)
      await store.durable()
      return answer
    } catch (failed) {
      if (!(failed instanceof JournalUnusable)) throw failed
      onFailure(`${failed.message}; nothing is decided any more until it is started again`)
      return errorAnswer(
        503,
        'temporarily_unavailable',
        'the journal cannot be written: nothing was decided',
        {},
        { 'retry-after': '60' },
      )
    }
  }

/** Nor does a callback or a signal. */
const afterwards = (outbound: Outbound, store: Store | undefined): Outbound =>
  store === undefined
    ? outbound
    : {
        ...outbound,
        post: async (...message) => {
          await store.durable()
          return outbound.post(...message)
        },
      }

const once = (say: (message: string) => void) => {
  let said = false
  return (message: string) => {
    if (!said) say(message)
    said = true
  }
}

/** Loaded only by whoever keeps a journal. */
const openStore = async (path: string, algorithm: Algorithm): Promise<Store> =>
  (await import('./store.ts')).Store.open(path, algorithm)

/** The one seam around every answer: misbehaves when told to, and records what went over the wire. */
const recording =
  <N extends RouteName>(
    find: (routed: Routed<N>) => Tenancy | undefined,
    open: ReadonlyMap<string, Tenancy>,
  ) =>
  async (routed: Routed<N>, answer: Inner): Promise<Answer> => {
    const tenancy = find(routed)
    const { seat } = routed.route
    if (tenancy === undefined) return answer()
    const { journal } = tenancy.tenant
    const before = journal.last
    const others = () => [...open.values()].filter((it) => it !== tenancy)
    const { name: route, request } = routed
    const counted: Inner =
      seat === 'issuer'
        ? (change) => limited(tenancy, route, request, () => answer(change))
        : answer
    const answered = await tenancy.misbehaving.around(routed, counted, tenancy, others)
    // The control plane is no seat: a defect may concern what it asks, but nothing of it is recorded.
    if (seat === 'control') return answered
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
