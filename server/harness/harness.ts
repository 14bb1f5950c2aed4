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
import { misbehaviourNames } from '../misbehaviours/names.ts'
import { systemTimers, type Timers } from '../outbound/agenda.ts'
import { createOutbound, type Outbound, type OutboundOptions } from '../outbound/outbound.ts'
import { type Algorithm, generateSigningKey } from '../signing/keys.ts'
import { type Recording, type TenantCreated, TenantSeed } from '../wire/index.ts'
import type { EveryTenant } from './every-tenant.ts'
import { createSeats, type Seats } from './seats.ts'
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
   * What issuer and API are called, such as `https://app.lumoauth.dev`: the origins `fetch` and MSW
   * answer for; or, while listening, what others reach the sockets by.
   */
  origins?: Readonly<Partial<Origins>>
  /** Guards the control plane; at least 16 characters. Absent: a fresh one. */
  controlToken?: string
  /**
   * A file that keeps what happens, so that it survives the process; keys and secrets stand beside
   * it in `FILE.keys`. Absent: memory only.
   */
  journal?: string
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
  /**
   * What every tenant begins with, also those made later, unless its own seed says otherwise;
   * misbehaviours add up. A function is asked whenever a tenant is made.
   */
  everyTenant?: EveryTenantSeed | (() => EveryTenantSeed)
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
    /**
     * @param options.replace whether a tenant of the same name is deleted first
     * @throws {ZodError} for a seed that does not fit
     * @throws {TypeError} for a name that a tenant has already, or an unknown misbehaviour
     */
    createTenant: (seed?: Seed, options?: { replace?: boolean }) => TestTenant
    close: () => Promise<void>
  }>

/**
 * Issuer, API and control plane, ready to be asked.
 * @throws an error with `code` `EADDRINUSE` or the like when a port cannot be had
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
    throw new TypeError('issuer and API need an origin each: they share some paths')
  }
  const misbehaviours = async () =>
    options.misbehaviours ?? (await import('../misbehaviours/catalogue.ts')).misbehaviours
  const seeds = (options.tenants ?? []).map((input) => TenantSeed.parse(input))
  const { everyTenant = {} } = options
  const every = () => readEveryTenant(everyTenant, options.misbehaviours)
  every()
  for (const seed of seeds) requireKnownMisbehaviours(seed, options.misbehaviours)
  const slugs = seeds.flatMap(({ tenant }) => tenant ?? [])
  const twice = slugs.find((slug, index) => slugs.indexOf(slug) !== index)
  if (twice !== undefined) throw new TypeError(`tenants: two tenants are called ${twice}`)
  // The keys are made on the thread pool while the sockets load.
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
    everyTenant: every,
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
  const createTenant: Harness['createTenant'] = (input = {}, { replace = false } = {}) => {
    const seed = TenantSeed.parse(input)
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
    throw new TypeError(`expected ${origins.issuer} or ${origins.api}, not ${origin}`)
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

/** What of a seed every tenant may begin with. */
export type EveryTenantSeed = Pick<Seed, 'policy' | 'dialect' | 'approver' | 'model' | 'misbehave'>

const readEveryTenant = (
  given: EveryTenantSeed | (() => EveryTenantSeed),
  known: HarnessOptions['misbehaviours'],
): EveryTenant => {
  const seed = TenantSeed.parse(typeof given === 'function' ? given() : given)
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

const originsOf = (named: Partial<Origins> = {}): Partial<Origins> =>
  Object.fromEntries(
    Object.entries(named).map(([seat, url]) => {
      if (URL.canParse(url) && /^https?:\/\/[^/]+\/?$/.test(url)) return [seat, new URL(url).origin]
      throw new TypeError(`origins.${seat}: expected an origin such as https://example.com`)
    }),
  )

/** What `fetch` does with an answer that never came. */
const toFetchResponse = (response: Response, signal: AbortSignal): Response => {
  if (response.type !== 'error') return response
  signal.throwIfAborted()
  const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  throw new TypeError('fetch failed', { cause })
}

/** Holds callbacks and signals back until the events they tell of are kept. */
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

/** Characters that a control token has at least, so that it cannot be guessed: it opens every tenant. */
export const shortestControlToken = 16

const requireControlToken = (token: string): void => {
  if (token.length >= shortestControlToken) return
  throw new TypeError(
    `controlToken: expected at least ${shortestControlToken} characters, received ${token.length}`,
  )
}
