import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { createForwarding } from '../http/forward.ts'
import { fetchHost, HarnessClosed } from '../http/hosts/fetch.ts'
import type { LogLine } from '../http/log.ts'
import type { HttpRequest } from '../http/message.ts'
import type { Misbehaviour } from '../http/misbehave.ts'
import type { Naming } from '../http/origin/reached-by.ts'
import { describeUnknownMisbehaviour } from '../http/tenant/active-misbehaviours.ts'
import type { ExchangeLogLimits } from '../http/tenant/exchange-log.ts'
import type { Origins } from '../http/tenant/tenant-context.ts'
import type { JournalOptions } from '../journal/file.ts'
import { isPostgresUrl, openStore } from '../journal/open-store.ts'
import { isShared, type SharedStore, type Store } from '../journal/store.ts'
import { misbehaviourNames } from '../misbehaviours/names.ts'
import { systemTimers, type Timers } from '../outbound/agenda.ts'
import { createOutbound, type OutboundOptions } from '../outbound/outbound.ts'
import { type Algorithm, generateSigningKey } from '../signing/keys.ts'
import { parseBase, parseHttpOrigin, pathOf } from '../wire/base-url.ts'
import { type Recording, type TenantCreated, TenantSeed } from '../wire/index.ts'
import { parseOption } from '../wire/schema-issues.ts'
import { signingAlgorithms } from '../wire/signing-algorithms.ts'
import type { EveryTenant } from './every-tenant.ts'
import { createSeats, type Seats } from './seats.ts'
import type { ClientSecrets } from './seeds.ts'
import { ownTenants } from './tenant-ownership.ts'
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
   * Base URLs of issuer and API, such as `https://app.lumoauth.dev`, optionally with a path: those that
   * `fetch` and MSW answer for, or, with sockets, those under which clients reach them.
   */
  origins?: Readonly<{ issuer?: string; api?: string }>
  /**
   * Further host names of the harness; `.example.com` means every subdomain. Approvals page and control
   * plane accept them, and URLs in answers use the host of the request. Loopback names need no entry,
   * unless `origins` name the seat.
   */
  allowHosts?: readonly string[]
  /**
   * Whether to use `X-Forwarded-Host`, `-Proto`, `-Port` and `-Prefix` of a proxy; the host must be
   * allowed. Default false.
   */
  trustProxy?: boolean
  /**
   * Whether pages of other origins may call issuer and API (CORS), as single-page applications do.
   * Default true. Never applies to the control plane, the approvals page and the consent page.
   */
  crossOrigin?: boolean
  /** Token for the control plane, at least 16 characters. Default: generated. */
  controlToken?: string
  /**
   * How client secrets and API keys are generated that a seed does not contain. `fresh`, the default:
   * at random. `fixed`: the same at every start and not secret (`not-secret-TENANT-NAME`), for
   * development on one machine.
   */
  clientSecrets?: ClientSecrets
  /**
   * Where tenants are persisted. A path of a journal file; keys and secrets are stored in `FILE.keys`.
   * Or `postgres://USER@HOST:PORT/DATABASE`, which several processes can share; this needs the package
   * `pg`. Default: in memory only.
   */
  journal?: string
  /** A store opened with `openStore`, in place of `journal`. Closing the harness closes it. */
  store?: Store
  /**
   * Origins of plain HTTP at which other processes of a shared store reach this one. Default: where it
   * listens, which other machines cannot reach while `host` is loopback.
   */
  reachedAt?: Readonly<Partial<Origins>>
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
  /**
   * What every tenant begins with, also those made later, unless its own seed says otherwise;
   * misbehaviours add up. A function is asked whenever a tenant is made.
   */
  everyTenant?: EveryTenantSeed | (() => EveryTenantSeed)
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
    /** The origin of the issuer and the control plane, such as `http://127.0.0.1:40123`. */
    issuer: string
    /** The origin of the API. */
    api: string
    /** The bearer token of the control plane. */
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
    /**
     * Creates a tenant.
     * @param options.replace whether a tenant of the same name is deleted first
     * @throws {TypeError} with one line per error in the seed
     * @throws {TypeError} for a name that a tenant has already, or an unknown misbehaviour
     */
    createTenant: (seed?: Seed, options?: { replace?: boolean }) => TestTenant
    /** Closes sockets, timers and journal. */
    close: () => Promise<void>
  }>

/**
 * Starts issuer, API and control plane.
 * @throws {TypeError} for an unknown or invalid option, with one line per error
 * @throws an error with a `code` such as `EADDRINUSE` when a port is not available
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
    throw new TypeError(
      'origins: expected different origins for issuer and API, because they share some paths',
    )
  }
  const misbehaviours = async () =>
    options.misbehaviours ?? (await import('../misbehaviours/catalogue.ts')).misbehaviours
  const seeds = (options.tenants ?? []).map((input, index) =>
    parseOption(`tenants.${index}`, TenantSeed, input),
  )
  const { everyTenant = {} } = options
  const every = () => readEveryTenant(everyTenant, options.misbehaviours)
  every()
  for (const seed of seeds) requireKnownMisbehaviours(seed, options.misbehaviours)
  const slugs = seeds.flatMap(({ tenant }) => tenant ?? [])
  const twice = slugs.find((slug, index) => slugs.indexOf(slug) !== index)
  if (twice !== undefined) throw new TypeError(`tenants: two tenants are called ${twice}`)
  // The thread pool generates the keys while the sockets load.
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
    everyTenant: every,
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
  let closed = false
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
    // A request that comes while the harness closes is refused, and the journal has no fault.
    onWarning: (message) => closed || (options.onWarning ?? console.warn)(message),
  })
  const listening = await sockets?.listenAll(seats, origins, { ...options, frontPages: true })
  if (listening) await sharedStore?.announce({ ...origins, ...options.reachedAt })
  Object.assign(origins, named)
  const inHand = (created: TenantCreated) =>
    testTenant(created, { ...registry, issuer: seats.issuer, controlToken })
  const createTenant: Harness['createTenant'] = (input = {}, { replace = false } = {}) => {
    if (sharedStore) {
      throw new TypeError(
        'createTenant: not available with a shared store, which checks names asynchronously; use `tenants`, or PUT /_harness/tenants/NAME',
      )
    }
    const seed = parseOption('tenant', TenantSeed, input)
    requireKnownMisbehaviours(seed, options.misbehaviours)
    if (seed.tenant !== undefined && registry.find(seed.tenant) !== undefined) {
      if (!replace) {
        throw new TypeError(
          `there is already a tenant ${seed.tenant}; createTenant(seed, { replace: true }) deletes it first`,
        )
      }
      registry.delete(seed.tenant)
    }
    return inHand(registry.create(seed))
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

  const refuseIfClosed = () => {
    if (closed) throw new HarnessClosed(origins.issuer)
  }
  const handle = async (request: Request): Promise<Response> => {
    refuseIfClosed()
    const seat = seatAt(origins, request.url)
    if (seat !== undefined) return fetchHost(seats[seat])(request)
    const { origin } = new URL(request.url)
    throw new TypeError(`expected ${origins.issuer} or ${origins.api}, received ${origin}`)
  }
  const close = async () => {
    closed = true
    ownership?.stop()
    for (const { ended } of registry.open.values()) ended.abort()
    await listening?.close()
    ownership?.forwarding.close()
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

/** What of a seed every tenant may begin with. */
export type EveryTenantSeed = Pick<Seed, 'policy' | 'dialect' | 'approver' | 'model' | 'misbehave'>

const readEveryTenant = (
  given: EveryTenantSeed | (() => EveryTenantSeed),
  known: HarnessOptions['misbehaviours'],
): EveryTenant => {
  const seed = parseOption('everyTenant', TenantSeed, typeof given === 'function' ? given() : given)
  requireKnownMisbehaviours(seed, known)
  return seed
}

const requireKnownMisbehaviours = (
  { misbehave }: Pick<TenantSeed, 'misbehave'>,
  known: readonly { name: string }[] = misbehaviourNames.map((name) => ({ name })),
): void => {
  for (const { name } of misbehave) {
    const why = describeUnknownMisbehaviour(name, known)
    if (why !== undefined) throw new TypeError(`misbehave: ${why}`)
  }
}

/** Creates a tenant, or describes it when another process has created it. */
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
    // Another process is creating it at this moment.
    await setTimeout(50)
  }
}

/** The seat whose base URL contains a URL, also after the well-known segment of RFC 8414 §3.1. */
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

/** A port; 0 for any free port. */
const Port = z.int().min(0).max(65_535)

/** Processes forward requests to one another over plain HTTP. */
const HttpOrigin = z.string().refine((it) => parseHttpOrigin(it) === it, {
  error: 'expected an origin of plain HTTP, such as http://10.0.0.7:4400',
})

/** Validation of the options before they are used. */
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
  reachedAt: z
    .strictObject({ issuer: HttpOrigin.optional(), api: HttpOrigin.optional() })
    .optional(),
  journalOptions: z.looseObject({}).optional(),
  exchangeLog: z.looseObject({}).optional(),
  recording: z.looseObject({}).optional(),
  algorithm: z.enum(signingAlgorithms).optional(),
  now: z.function().optional(),
  outbound: z.looseObject({}).optional(),
  timers: z.looseObject({}).optional(),
  tenants: z.array(z.unknown()).readonly().optional(),
  everyTenant: z.union([z.looseObject({}), z.function()]).optional(),
  misbehaviours: z.array(z.unknown()).readonly().optional(),
  log: z.function().optional(),
  onBug: z.function().optional(),
  onWarning: z.function().optional(),
} satisfies Record<keyof HarnessOptions, z.ZodType>)

const checkOptions = (options: HarnessOptions): void => {
  parseOption('createHarness', Options, options)
  if (options.reachedAt && !options.store && !isPostgresUrl(options.journal ?? '')) {
    throw new TypeError(
      'createHarness: reachedAt: expected a journal that processes share, postgres://…, or a store',
    )
  }
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

/** Throws as `fetch` does for an answer that never arrived. */
const toFetchResponse = (response: Response, signal: AbortSignal): Response => {
  if (response.type !== 'error') return response
  signal.throwIfAborted()
  const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  throw new TypeError('fetch failed', { cause })
}

/** Minimum length of a control token, so that it cannot be guessed: it gives access to every tenant. */
export const shortestControlToken = 16

const requireControlToken = (token: string): void => {
  if (token.length >= shortestControlToken) return
  throw new TypeError(
    `controlToken: expected at least ${shortestControlToken} characters, received ${token.length}`,
  )
}
