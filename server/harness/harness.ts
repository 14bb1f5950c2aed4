import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { createForwarding } from '../http/forward.ts'
import { fetchHost, HarnessClosed } from '../http/hosts/fetch.ts'
import type { LogLine } from '../http/log.ts'
import type { HttpRequest } from '../http/message.ts'
import type { Misbehaviour } from '../http/misbehave.ts'
import type { Naming } from '../http/reached-by.ts'
import { describeUnknownMisbehaviour } from '../http/tenant/active-misbehaviours.ts'
import type { ExchangeLogLimits } from '../http/tenant/exchange-log.ts'
import type { Origins } from '../http/tenant-context.ts'
import type { JournalOptions } from '../journal/file.ts'
import { openStore } from '../journal/open-store.ts'
import { isShared, type SharedStore, type Store } from '../journal/store.ts'
import { systemTimers, type Timers } from '../outbound/agenda.ts'
import { createOutbound, type OutboundOptions } from '../outbound/outbound.ts'
import { type Algorithm, generateSigningKey } from '../signing/keys.ts'
import { parseBase, pathOf } from '../wire/base-url.ts'
import { type Recording, type TenantCreated, TenantSeed } from '../wire/index.ts'
import { parseOption } from '../wire/schema-issues.ts'
import { signingAlgorithms } from '../wire/signing-algorithms.ts'
import { createSeats, type Seats } from './seats.ts'
import type { ClientSecrets } from './seeds.ts'
import { ownTenants } from './tenant-ownership.ts'
import { createTenantRegistry } from './tenant-registry.ts'
import { type TestTenant, testTenant } from './test-tenant.ts'

/** What a tenant begins with; all of it has defaults. */
export type Seed = (typeof TenantSeed)['_zod']['input']

/** The options of `createHarness`. All are optional. */
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
   * What issuer and API are called, such as `https://app.lumoauth.dev`, perhaps with a path in front: the
   * URLs `fetch` and MSW answer for; or, while listening, what others reach the sockets by.
   */
  origins?: Readonly<{ issuer?: string; api?: string }>
  /**
   * Host names by which the harness may be reached beside its own; `.example.com` stands for every
   * subdomain. Approvals page and control plane answer under them, and URLs in answers follow the caller.
   * Loopback names are followed without being listed, unless `origins` name the seat.
   */
  allowHosts?: readonly string[]
  /**
   * Believes `X-Forwarded-Host`, `-Proto`, `-Port` and `-Prefix` of a proxy in front; the host must be
   * allowed. Default false.
   */
  trustProxy?: boolean
  /**
   * Whether pages of other origins may call issuer and API (CORS), as single-page applications do.
   * Default true. The control plane, the approvals page and the consent page are never among them.
   */
  crossOrigin?: boolean
  /** Guards the control plane; at least 16 characters. Absent: a fresh one. */
  controlToken?: string
  /**
   * How client secrets and API keys are made that a seed does not give. `fresh`, the default: at random.
   * `fixed`: the same at every start, and no secret (`not-secret-TENANT-NAME`), for development on one machine.
   */
  clientSecrets?: ClientSecrets
  /**
   * Where what happens is kept, so that it survives the process. A file: keys and secrets stand beside
   * it in `FILE.keys`. Or `postgres://USER@HOST:PORT/DATABASE`, which any number of processes share;
   * it takes the package `pg`. Absent: memory only.
   */
  journal?: string
  /** A store that `openStore` opened, in place of `journal`; the harness closes it. */
  store?: Store
  /**
   * Origins at which the other processes of a shared store reach this one. Default: where it listens,
   * which other machines do not reach while `host` is loopback.
   */
  reachedAt?: Readonly<Partial<Origins>>
  /** How large the journal may become, and what its compaction keeps. */
  journalOptions?: JournalOptions
  /** How much of the exchanges each tenant keeps: their number, and bytes. */
  exchangeLog?: ExchangeLogLimits
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
  /** Hears what is wrong with the journal: what was dropped at the start, that it is nearly full, that it cannot be written. */
  onWarning?: (message: string) => void
}>

/** A running harness: issuer, API and control plane. Close it to free its ports and timers. */
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
    /** The seats without a host. `expressApps` of `lumoauth-harness/express` makes Express apps of them. */
    seats: Seats
    /** @throws {TypeError} one line for each thing that is wrong with the seed */
    createTenant: (seed?: Seed) => TestTenant
    close: () => Promise<void>
  }>

/**
 * Issuer, API and control plane, ready to be asked.
 * @throws {TypeError} for an option that is unknown or cannot be used, one line for each
 * @throws an error with `code` `EADDRINUSE` or the like when a port cannot be had
 */
export const createHarness = async (options: HarnessOptions = {}): Promise<Harness> => {
  checkOptions(options)
  const { journal, journalOptions, algorithm = 'RS256', onWarning = console.warn } = options
  const store =
    options.store ??
    (journal === undefined
      ? undefined
      : await openStore(journal, { ...journalOptions, algorithm, onWarning }))
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
    aliases: { issuer: new Set(), api: new Set() },
  }
  const naming: Naming = {
    allowHosts: (options.allowHosts ?? []).map((it) => it.toLowerCase()),
    trustProxy: options.trustProxy ?? false,
    fixed: { issuer: named.issuer !== undefined, api: named.api !== undefined },
  }
  if (origins.issuer === origins.api) {
    throw new TypeError('issuer and API need an origin each: they share some paths')
  }
  const misbehaviours = async () =>
    options.misbehaviours ?? (await import('../misbehaviours/catalogue.ts')).misbehaviours
  const seeds = (options.tenants ?? []).map((input, index) =>
    parseOption(`tenants.${index}`, TenantSeed, input),
  )
  for (const { name } of seeds.flatMap(({ misbehave }) => misbehave)) {
    const why = describeUnknownMisbehaviour(name, await misbehaviours())
    if (why !== undefined) throw new TypeError(why)
  }
  // The keys are made on the thread pool while the sockets load.
  const [signingKey, platformKey, sockets] = await Promise.all([
    store?.signingKey ?? generateSigningKey(algorithm),
    store?.platformKey ?? generateSigningKey('ES256'),
    listen ? import('../http/hosts/listen.ts') : undefined,
  ])
  const timers = options.timers ?? systemTimers
  const sharedStore = store && isShared(store) ? store : undefined
  const registry = createTenantRegistry({
    origins,
    signingKey,
    platformKey,
    misbehaviours,
    now: options.now,
    exchangeLog: options.exchangeLog,
    outbound: createOutbound(options.outbound),
    timers,
    clientSecrets: options.clientSecrets,
    issuer: () => seats.issuer,
    store,
    sharedStore,
  })
  const ownership =
    sharedStore &&
    ownTenants({
      store: sharedStore,
      forwarding: createForwarding(sharedStore.forwardKey, randomBytes(9).toString('base64url')),
      timers,
      find: registry.find,
      slugs: registry.slugs,
      open: registry.reopen,
      drop: registry.drop,
    })
  let first: string | undefined
  const seats: Seats = createSeats({
    registry,
    controlToken,
    origins,
    store,
    ownership,
    first: sharedStore && (() => first),
    recording: options.recording,
    crossOrigin: options.crossOrigin,
    naming,
    log: options.log,
    onBug: options.onBug,
    onWarning: options.onWarning ?? console.warn,
  })
  const listening = await sockets?.listenAll(seats, origins, { ...options, frontPages: true })
  if (listening) await sharedStore?.announce({ ...origins, ...options.reachedAt })
  Object.assign(origins, named)
  const inHand = (created: TenantCreated) =>
    testTenant(created, { ...registry, issuer: seats.issuer, controlToken })
  const createTenant = (seed: Seed = {}) => {
    if (sharedStore) {
      throw new TypeError(
        'createTenant: a store that processes share takes time to say whether a name is free; use `tenants`, or PUT /_harness/tenants/NAME',
      )
    }
    return inHand(registry.create(parseOption('tenant', TenantSeed, seed)))
  }
  const begin = (seed: TenantSeed) =>
    sharedStore
      ? beginShared(registry, sharedStore, seed)
      : (registry.restore(seed.tenant ?? '', seed.misbehave) ?? registry.create(seed))
  const tenants: TestTenant[] = []
  for (const seed of seeds) tenants.push(inHand(await begin(seed)))
  first = tenants[0]?.tenant
  for (const slug of store?.slugs() ?? []) if (!registry.find(slug)) registry.restore(slug)
  await store?.durable()

  let closed = false
  const refuseIfClosed = () => {
    if (closed) throw new HarnessClosed(origins.issuer)
  }
  const handle = async (request: Request): Promise<Response> => {
    refuseIfClosed()
    const seat = seatAt(origins, request.url)
    if (seat !== undefined) return fetchHost(seats[seat])(request)
    const { origin } = new URL(request.url)
    throw new TypeError(`expected ${origins.issuer} or ${origins.api}, not ${origin}`)
  }
  const close = async () => {
    closed = true
    ownership?.stop()
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
      const url = input instanceof Request ? input.url : String(input)
      if (seatAt(origins, url) === undefined) return globalThis.fetch(input, init)
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

/** Begins a tenant, unless another process has begun it: then it is described as it is there. */
const beginShared = async (
  registry: ReturnType<typeof createTenantRegistry>,
  store: SharedStore,
  seed: TenantSeed,
): Promise<TenantCreated> => {
  for (;;) {
    const claimed = await registry.claim(seed)
    if (claimed) return registry.create(claimed)
    const { tenant: slug = '' } = seed
    const kept = await store.look(slug)
    if (kept) return registry.describe(slug, kept)
    // Another process is beginning it at this moment.
    await setTimeout(50)
  }
}

/** The seat whose base a URL is below, also behind the well-known part of RFC 8414 §3.1. */
const seatAt = (origins: Origins, url: string): 'issuer' | 'api' | undefined => {
  const { origin, pathname } = new URL(url)
  const below = pathname.replace(/^\/+\.well-known\/[^/]+(?=\/|$)/, '')
  return (['issuer', 'api'] as const)
    .filter((seat) => {
      const path = pathOf(origins[seat])
      const isBelow = (at: string) => path === '' || at === path || at.startsWith(`${path}/`)
      return origin === new URL(origins[seat]).origin && (isBelow(pathname) || isBelow(below))
    })
    .sort((a, b) => pathOf(origins[b]).length - pathOf(origins[a]).length)[0]
}

/** A port, or 0 for any free one. */
const Port = z.int().min(0).max(65_535)

/** Everything that can be told of an option before it is used. */
const Options = z.strictObject({
  listen: z.boolean().optional(),
  host: z.string().optional(),
  port: Port.optional(),
  apiPort: Port.optional(),
  origins: z.strictObject({ issuer: z.string().optional(), api: z.string().optional() }).optional(),
  controlToken: z.string().optional(),
  clientSecrets: z.enum(['fresh', 'fixed']).optional(),
  crossOrigin: z.boolean().optional(),
  allowHosts: z.array(z.string()).readonly().optional(),
  trustProxy: z.boolean().optional(),
  journal: z.string().optional(),
  store: z.looseObject({}).optional(),
  reachedAt: z.looseObject({}).optional(),
  journalOptions: z.looseObject({}).optional(),
  exchangeLog: z.looseObject({}).optional(),
  recording: z.looseObject({}).optional(),
  algorithm: z.enum(signingAlgorithms).optional(),
  now: z.function().optional(),
  outbound: z.looseObject({}).optional(),
  timers: z.looseObject({}).optional(),
  tenants: z.array(z.unknown()).readonly().optional(),
  misbehaviours: z.array(z.unknown()).readonly().optional(),
  log: z.function().optional(),
  onBug: z.function().optional(),
  onWarning: z.function().optional(),
} satisfies Record<keyof HarnessOptions, z.ZodType>)

const checkOptions = (options: HarnessOptions): void => {
  parseOption('createHarness', Options, options)
}

const originsOf = (
  named: HarnessOptions['origins'] = {},
): Readonly<{ issuer?: string; api?: string }> =>
  Object.fromEntries(
    Object.entries(named).map(([seat, url]) => {
      const base = parseBase(url)
      if (base !== undefined) return [seat, base]
      throw new TypeError(
        `origins.${seat}: expected an origin such as https://example.com, perhaps with a path`,
      )
    }),
  )

/** What `fetch` does with an answer that never came. */
const toFetchResponse = (response: Response, signal: AbortSignal): Response => {
  if (response.type !== 'error') return response
  signal.throwIfAborted()
  const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  throw new TypeError('fetch failed', { cause })
}

/** Characters that a control token has at least, so that it cannot be guessed: it opens every tenant. */
export const shortestControlToken = 16

const requireControlToken = (token: string): void => {
  if (token.length >= shortestControlToken) return
  throw new TypeError(
    `controlToken: expected at least ${shortestControlToken} characters, received ${token.length}`,
  )
}
