import { randomBytes } from 'node:crypto'
import { fetchHost, HarnessClosed } from '../http/hosts/fetch.ts'
import type { LogLine } from '../http/log.ts'
import type { HttpRequest } from '../http/message.ts'
import type { Misbehaviour } from '../http/misbehave.ts'
import { describeUnknownMisbehaviour } from '../http/tenant/active-misbehaviours.ts'
import type { ExchangeLogLimits } from '../http/tenant/exchange-log.ts'
import type { Origins } from '../http/tenant-context.ts'
import type { JournalOptions } from '../journal/file.ts'
import type { Store } from '../journal/store.ts'
import { systemTimers, type Timers } from '../outbound/agenda.ts'
import { createOutbound, type Outbound, type OutboundOptions } from '../outbound/outbound.ts'
import { type Algorithm, generateSigningKey } from '../signing/keys.ts'
import { type Recording, type TenantCreated, TenantSeed } from '../wire/index.ts'
import { createSeats, type Seats } from './seats.ts'
import { createTenantRegistry } from './tenant-registry.ts'
import { type TestTenant, testTenant } from './test-tenant.ts'

/** The seed of a tenant. Every member has a default. */
export type Seed = (typeof TenantSeed)['_zod']['input']

/** The options of `createHarness`. All are optional. */
export type HarnessOptions = Readonly<{
  /**
   * Whether to listen on sockets. Otherwise requests arrive through `fetch` or MSW. Default: true,
   * unless `origins` are given.
   */
  listen?: boolean
  /** Host to listen on. Default: loopback. */
  host?: string
  /** Port of the issuer and the control plane; 0 for any free port. */
  port?: number
  /** Port of the API; 0 for any free port. */
  apiPort?: number
  /**
   * Origins of issuer and API, such as `https://app.lumoauth.dev`: those that `fetch` and MSW answer
   * for, or, with sockets, those under which clients reach them.
   */
  origins?: Readonly<Partial<Origins>>
  /** Token for the control plane, at least 16 characters. Default: generated. */
  controlToken?: string
  /**
   * Path of a journal file that persists all tenants; keys and secrets are stored in `FILE.keys`.
   * Default: in memory only.
   */
  journal?: string
  /** Maximum size of the journal, and what its compaction keeps. */
  journalOptions?: JournalOptions
  /** Maximum number and bytes of stored exchanges per tenant. */
  exchangeLog?: ExchangeLogLimits
  /** Recorded answers of a real issuer, with which its tenants are answered. */
  recording?: Recording
  /** Signature algorithm of tokens. Default RS256, as at LumoAuth. */
  algorithm?: Algorithm
  /** Current time in epoch seconds, for tenants on the system clock. */
  now?: () => number
  /**
   * Allowed destinations of callbacks and pushed signals, and how to send them. Default: this machine
   * only.
   */
  outbound?: OutboundOptions
  /** Timers in real time, for waiting requests and deliveries. */
  timers?: Timers
  /** Initial tenants. The first also answers API calls that name no tenant. */
  tenants?: readonly Seed[]
  /** Misbehaviours that can be switched on. Default: all. */
  misbehaviours?: readonly Misbehaviour[]
  /** Called with every answer of issuer and API. */
  log?: (line: LogLine) => void
  /** Called with internal errors of the harness. */
  onBug?: (bug: unknown, request: HttpRequest) => void
  /**
   * Called with warnings about the journal: what was dropped at the start, that it is nearly full, that
   * it cannot be written.
   */
  onWarning?: (message: string) => void
}>

/** A running harness: issuer, API and control plane. Close it to release its ports and timers. */
export type Harness = AsyncDisposable &
  Readonly<{
    /** Origins, such as `http://127.0.0.1:40123`. */
    issuer: string
    api: string
    controlToken: string
    /** The initial tenants, in the order of the options. */
    tenants: readonly TestTenant[]
    /**
     * A `fetch` that sends requests for the seats to them, in-process when there are no sockets. It
     * passes other origins to the global `fetch`.
     */
    fetch: typeof fetch
    /** Handles one request in the seat of its URL, without a socket. */
    handle: (request: Request) => Promise<Response>
    /** The seats as functions. `expressApps` of `lumoauth-harness/express` makes Express apps of them. */
    seats: Seats
    /** @throws {ZodError} for an invalid seed */
    createTenant: (seed?: Seed) => TestTenant
    close: () => Promise<void>
  }>

/**
 * Starts issuer, API and control plane.
 * @throws an error with a `code` such as `EADDRINUSE` when a port is not available
 */
export const createHarness = async (options: HarnessOptions = {}): Promise<Harness> => {
  const { journal, journalOptions, algorithm = 'RS256', onWarning = console.warn } = options
  const store =
    journal === undefined
      ? undefined
      : await (await import('../journal/store.ts')).Store.open(
          journal,
          algorithm,
          journalOptions,
          onWarning,
        )
  try {
    return await composeHarness(options, algorithm, store)
  } catch (failed) {
    await store?.close().catch(() => {})
    throw failed
  }
}

const composeHarness = async (
  options: HarnessOptions,
  algorithm: Algorithm,
  store: Store | undefined,
): Promise<Harness> => {
  const { listen = options.origins === undefined } = options
  const { controlToken = randomBytes(24).toString('base64url') } = options
  requireControlToken(controlToken)
  const named = originsOf(options.origins)
  const origins: Origins = {
    issuer: 'https://issuer.lumoauth.test',
    api: 'https://api.lumoauth.test',
    ...named,
  }
  if (origins.issuer === origins.api) {
    throw new TypeError(
      'origins: expected different origins for issuer and API, because they share some paths',
    )
  }
  const misbehaviours = async () =>
    options.misbehaviours ?? (await import('../misbehaviours/catalogue.ts')).misbehaviours
  const seeds = (options.tenants ?? []).map((input) => TenantSeed.parse(input))
  for (const { name } of seeds.flatMap(({ misbehave }) => misbehave)) {
    const why = describeUnknownMisbehaviour(name, await misbehaviours())
    if (why !== undefined) throw new TypeError(why)
  }
  // The thread pool generates the keys while the sockets load.
  const [signingKey, platformKey, sockets] = await Promise.all([
    store?.signingKey ?? generateSigningKey(algorithm),
    store?.platformKey ?? generateSigningKey('ES256'),
    listen ? import('../http/hosts/listen.ts') : undefined,
  ])
  const registry = createTenantRegistry({
    origins,
    signingKey,
    platformKey,
    misbehaviours,
    now: options.now,
    exchangeLog: options.exchangeLog,
    outbound: keepFirst(createOutbound(options.outbound), store),
    timers: options.timers ?? systemTimers,
    issuer: () => seats.issuer,
    store,
  })
  const seats: Seats = createSeats({
    registry,
    controlToken,
    origins,
    store,
    recording: options.recording,
    log: options.log,
    onBug: options.onBug,
    onWarning: options.onWarning ?? console.warn,
  })
  const listening = await sockets?.listenAll(seats, origins, options)
  Object.assign(origins, named)
  const inHand = (created: TenantCreated) =>
    testTenant(created, { ...registry, issuer: seats.issuer, controlToken })
  const createTenant = (seed: Seed = {}) => inHand(registry.create(TenantSeed.parse(seed)))
  const tenants = seeds.map((seed) =>
    inHand(registry.restore(seed.tenant ?? '', seed.misbehave) ?? registry.create(seed)),
  )
  for (const slug of store?.slugs ?? []) if (!registry.find(slug)) registry.restore(slug)
  await store?.durable()

  let closed = false
  const refuseIfClosed = () => {
    if (closed) throw new HarnessClosed(origins.issuer)
  }
  const handle = async (request: Request): Promise<Response> => {
    refuseIfClosed()
    const { origin } = new URL(request.url)
    if (origin === origins.issuer) return fetchHost(seats.issuer)(request)
    if (origin === origins.api) return fetchHost(seats.api)(request)
    throw new TypeError(`expected ${origins.issuer} or ${origins.api}, received ${origin}`)
  }
  const close = async () => {
    closed = true
    for (const { ended } of registry.open.values()) ended.abort()
    await listening?.close()
    await store?.close()
  }
  return {
    issuer: origins.issuer,
    api: origins.api,
    controlToken,
    tenants,
    handle,
    seats,
    fetch: async (input, init) => {
      const { origin } = new URL(input instanceof Request ? input.url : input)
      if (origin !== origins.issuer && origin !== origins.api) return globalThis.fetch(input, init)
      refuseIfClosed()
      if (listen) return globalThis.fetch(input, init)
      const request = new Request(input, init)
      return toFetchResponse(await handle(request), request.signal)
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

/** Throws as `fetch` does for an answer that never arrived. */
const toFetchResponse = (response: Response, signal: AbortSignal): Response => {
  if (response.type !== 'error') return response
  signal.throwIfAborted()
  const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  throw new TypeError('fetch failed', { cause })
}

/** Delays callbacks and signals until the events they report are stored. */
const keepFirst = (outbound: Outbound, store: Store | undefined): Outbound =>
  store === undefined
    ? outbound
    : {
        ...outbound,
        post: async (...message) => {
          await store.durable()
          return outbound.post(...message)
        },
      }

/** Minimum length of a control token, so that it cannot be guessed: it gives access to every tenant. */
export const shortestControlToken = 16

const requireControlToken = (token: string): void => {
  if (token.length >= shortestControlToken) return
  throw new TypeError(
    `controlToken: expected at least ${shortestControlToken} characters, received ${token.length}`,
  )
}
