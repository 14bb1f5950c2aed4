import { randomBytes } from 'node:crypto'
import { createResourceServer } from '../api/resource-server.ts'
import { Sessions } from '../console/sessions.ts'
import type { TenantRegistry } from '../http/control/context.ts'
import type { Core } from '../http/core.ts'
import { toResponse } from '../http/hosts/fetch.ts'
import { isoTime } from '../http/iso-time.ts'
import { startCallbacks } from '../http/issuer/callbacks.ts'
import { startPushing } from '../http/issuer/push-signals.ts'
import { apiAudience, apiOf, issuersOf } from '../http/origin/issuer-urls.ts'
import { ActiveMisbehaviours, type Switchable } from '../http/tenant/active-misbehaviours.ts'
import { ExchangeLog, type ExchangeLogLimits } from '../http/tenant/exchange-log.ts'
import { StatusPolls } from '../http/tenant/polls.ts'
import { RateLimitWindows } from '../http/tenant/rate-limit-windows.ts'
import { secretHashesOf } from '../http/tenant/secret-hashes.ts'
import type { Origins, TenantContext } from '../http/tenant/tenant-context.ts'
import type { Event, EventOf } from '../issuer/event.ts'
import { rememberedDecisions } from '../issuer/history.ts'
import { Clock, Tenant } from '../issuer/tenant.ts'
import { JournalError } from '../journal/error.ts'
import type { Kept, SharedStore, Store, TenantJournal } from '../journal/store.ts'
import { ConversationLog } from '../model/conversations.ts'
import { modelKeyOf } from '../model/scripted-model.ts'
import { Agenda, type Timers } from '../outbound/agenda.ts'
import type { Outbound } from '../outbound/outbound.ts'
import { KeyRing, type SigningKey } from '../signing/keys.ts'
import { version } from '../version.ts'
import { encodeBasic } from '../wire/basic-credentials.ts'
import { Introspection, type TenantCreated, type TenantSeed } from '../wire/index.ts'
import { applyToEvery, type EveryTenant } from './every-tenant.ts'
import { randomIds, seededIds } from './ids.ts'
import {
  apiClientId,
  type ClientSecrets,
  keySecret,
  modelSecret,
  seedTenant,
  webhookSecret,
} from './seeds.ts'

export type TenantRegistryOptions = Readonly<{
  origins: Origins
  /**
   * The initial key of every tenant. Tenants have different issuers, so they can share it; each rotates
   * its own keys.
   */
  signingKey: SigningKey
  /** The key of the simulated platforms. */
  platformKey: SigningKey
  /** The misbehaviours that can be switched on. */
  misbehaviours: () => Promise<readonly Switchable[]>
  /** Current time in epoch seconds, for tenants on the system clock. */
  now?: (() => number) | undefined
  /** Limits on stored exchanges per tenant. */
  exchangeLog?: ExchangeLogLimits | undefined
  /** Sends callbacks and signals; timers in real time. */
  outbound: Outbound
  timers: Timers
  /** How client secrets are generated that a seed does not contain. */
  clientSecrets?: ClientSecrets | undefined
  /** The issuer, with which the API introspects tokens. */
  issuer: () => Core
  /** What every tenant begins with, unless its own seed says otherwise. */
  everyTenant?: (() => EveryTenant) | undefined
  /** Storage. Absent: in memory only. */
  store?: Store | undefined
  /** The same for a store that several processes share. */
  sharedStore?: SharedStore | undefined
}>

/** The secrets of a tenant's clients, by client id, which a reset keeps. */
type Secrets = ReadonlyMap<string, string>

/** All tenants of a harness, by slug. */
export const createTenantRegistry = (
  options: TenantRegistryOptions,
): TenantRegistry &
  Readonly<{
    open: ReadonlyMap<string, TenantContext>
    /** Resets a tenant to another seed. Secrets that the seed does not contain stay. */
    reseed: (slug: string, seed: TenantSeed) => void
    /** Restores a tenant after a restart, if it is stored, optionally with other misbehaviours. */
    restore: (slug: string, misbehave?: TenantSeed['misbehave']) => TenantCreated | undefined
    /** Opens a tenant that this process has taken over from the store. */
    reopen: (slug: string, kept: Kept) => TenantCreated
    /** Describes a tenant of another process. */
    describe: (slug: string, kept: Kept) => TenantCreated
    /** Removes a tenant from memory. The store keeps it. */
    drop: (slug: string) => void
  }> => {
  const open = new Map<string, TenantContext>()
  const secrets = new Map<string, Secrets>()
  const journals = new Map<string, TenantJournal>()
  /** How often each tenant was reset: seeded ids are not repeated. */
  const resets = new Map<string, number>()

  const create = (
    seed: TenantSeed,
    known: Secrets = new Map(),
    sessions = new Sessions(),
    kept?: Kept,
  ): TenantCreated => {
    const made = openTenantContext(
      seed,
      known,
      sessions,
      options,
      kept,
      resets.get(seed.tenant ?? ''),
    )
    const { slug } = made.context.tenant
    open.get(slug)?.ended.abort()
    open.set(slug, made.context)
    secrets.set(slug, made.secrets)
    if (made.journal) journals.set(slug, made.journal)
    return describeTenant(made.context, made.secrets)
  }

  const restore = (slug: string, kept: Kept, misbehave = kept.seed.misbehave) =>
    create({ ...kept.seed, misbehave, tenant: slug }, kept.secrets, new Sessions(), kept)

  const drop = (slug: string) => {
    open.get(slug)?.ended.abort()
    open.delete(slug)
    secrets.delete(slug)
    journals.delete(slug)
  }

  const reseed = (slug: string, seed: TenantSeed) => {
    resets.set(slug, (resets.get(slug) ?? 0) + 1)
    create({ ...seed, tenant: slug }, secrets.get(slug), open.get(slug)?.sessions)
  }

  return {
    open,
    find: (slug) => open.get(slug),
    slugs: () => [...open.keys()],
    list: () => options.sharedStore?.list() ?? [...open.keys()],
    claim: async (seed) => {
      if (options.sharedStore === undefined) return seed
      const ids = seed.seed === undefined ? randomIds : seededIds(seed.seed)
      const slug = seed.tenant ?? ids('tenant').replace('_', '-')
      // A seeded tenant generates its name again, so that its other ids are the same with any store.
      const named = seed.seed === undefined ? { ...seed, tenant: slug } : seed
      return (await options.sharedStore.claim(slug)) ? named : undefined
    },
    create: (seed) => create(applyToEvery(seed, options.everyTenant?.())),
    reopen: (slug, kept) => restore(slug, kept),
    describe: (slug, kept) => {
      const made = openTenantContext(
        { ...kept.seed, tenant: slug },
        kept.secrets,
        new Sessions(),
        options,
        kept,
      )
      made.context.ended.abort()
      return describeTenant(made.context, made.secrets)
    },
    drop,
    restore: (slug, misbehave) => {
      const kept = options.store?.kept(slug)
      return kept && restore(slug, kept, misbehave)
    },
    reset: (slug) => {
      const context = open.get(slug)
      if (context) reseed(slug, context.seed)
    },
    reseed,
    delete: (slug) => {
      journals.get(slug)?.deleted()
      drop(slug)
      resets.delete(slug)
    },
    misbehaviours: options.misbehaviours,
    version,
  }
}

const openTenantContext = (
  seed: TenantSeed,
  known: Secrets,
  sessions: Sessions,
  options: TenantRegistryOptions,
  kept: Kept | undefined,
  resets = 0,
): { context: TenantContext; secrets: Secrets; journal: TenantJournal | undefined } => {
  const { origins, signingKey, platformKey, misbehaviours, now, issuer } = options
  const { outbound, timers, store } = options
  // Seeded ids would be repeated after a restart.
  const number = kept === undefined ? seed.seed : undefined
  const first = number === undefined ? randomIds : seededIds(number)
  const slug = seed.tenant ?? first('tenant').replace('_', '-')
  const id = number === undefined || resets === 0 ? first : seededIds(number, resets)
  const clock = new Clock(now, seed.clock === 'system' ? undefined : Date.parse(seed.clock) / 1000)
  const keys = kept?.keys ?? new KeyRing(signingKey)
  const tenant = new Tenant(slug, clock, id, (entries) => {
    if (entries.length > 0) journal?.happened(entries, keys)
  })
  const { event, secrets, platforms } = seedTenant(seed, slug, clock, first, {
    known,
    platformKey,
    clientSecrets: options.clientSecrets,
  })
  const journal = kept?.journal ?? store?.opened(slug, seed, secrets, keys)
  const ended = new AbortController()
  const context: TenantContext = {
    seed,
    tenant,
    keys,
    origins,
    exchanges: new ExchangeLog(options.exchangeLog, () => secretHashesOf(context)),
    misbehaving: new ActiveMisbehaviours(misbehaviours, seed.misbehave),
    polls: new StatusPolls(),
    platforms,
    sessions,
    ended,
    timers,
    agenda: new Agenda(clock, timers, ended.signal, ignoreJournalError, (due) =>
      journal?.planned?.(secondsUntil(clock, due)),
    ),
    outbound: keepFirst(outbound, journal),
    webhookSecret: secrets.get(webhookSecret) ?? '',
    consentKey: randomBytes(32),
    pushHeaders: new Map(),
    polling: { count: 0 },
    watching: { count: 0 },
    durable: async () => journal?.durable(),
    decided: async (begin) =>
      journal
        ? journal.decided(begin)
        : rememberedDecisions(tenant.state, tenant.journal, clock.now(), begin()),
    visits: new RateLimitWindows(),
    model: {
      key: modelKeyOf(slug, secrets.get(modelSecret) ?? ''),
      script: seed.model,
      conversations: new ConversationLog(),
    },
    api: createResourceServer({
      documents: kept ? [] : seed.documents,
      reports: kept ? [] : seed.reports,
      ...(kept ? { changes: kept.changes } : {}),
      ...(journal ? { keep: journal.changed } : {}),
      id,
      now: clock.now,
      realm: 'documents',
      tenant: slug,
      keys: keys.findKeys,
      introspect: (token) => introspect(issuer(), tenant, secrets, token),
      isRevoked: ({ jti }) => tenant.state.tokens.get(jti)?.revokedAt !== undefined,
      get types() {
        return tenant.state.dialect.token_typ === 'JWT' ? ['at+jwt', 'JWT'] : ['at+jwt']
      },
      get audience() {
        return apiAudience(context)
      },
      get issuers() {
        return issuersOf(context)
      },
      get challenge() {
        return tenant.state.dialect.challenge
      },
      get revocation() {
        return tenant.state.dialect.revocation
      },
    }),
  }
  // After the documents: once this event is stored, the whole seed is.
  if (kept) tenant.restore(kept.history)
  else tenant.happen(initialEvents(seed, event))
  startCallbacks(context)
  startPushing(context)
  return { context, secrets, journal }
}

/** Delays callbacks and signals until the events they report are stored. */
const keepFirst = (outbound: Outbound, journal: TenantJournal | undefined): Outbound =>
  journal === undefined
    ? outbound
    : {
        ...outbound,
        post: async (...message) => {
          await journal.durable()
          return outbound.post(...message)
        },
      }

/**
 * Real seconds until something is due by a tenant's clock; undefined when nothing will be due without a
 * change.
 */
const secondsUntil = (clock: Clock, due: number | undefined): number | undefined => {
  if (due === undefined) return undefined
  const seconds = Math.max(0, due - clock.now())
  return seconds === 0 || clock.running ? seconds : undefined
}

/** An event that cannot be stored has no effect; the next request gets the error. */
const ignoreJournalError = (thrown: unknown) => {
  if (!(thrown instanceof JournalError)) throw thrown
}

/** The first events of a tenant's journal. */
const initialEvents = (seed: TenantSeed, event: EventOf<'tenant.seeded'>): Event[] => [
  event,
  { type: 'dialect.set', dialect: seed.dialect },
  ...(seed.policy === undefined ? [] : [{ type: 'policy.replaced', policy: seed.policy } as const]),
  ...(Object.keys(seed.rate_limits).length === 0
    ? []
    : [{ type: 'limits.set', limits: seed.rate_limits } as const]),
  ...(seed.approver === undefined
    ? []
    : [{ type: 'approver.scripted', script: seed.approver } as const]),
]

/** Introspection (RFC 7662) between the seats: in-process, with the same request as over a socket. */
const introspect = async (issuer: Core, { slug }: Tenant, secrets: Secrets, token: string) => {
  const answer = await issuer({
    method: 'POST',
    path: `/t/${slug}/api/v1/oauth/introspect`,
    query: new URLSearchParams(),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: encodeBasic({ id: apiClientId, secret: secrets.get(apiClientId) ?? '' }),
    },
    body: new URLSearchParams({ token }).toString(),
    isInternal: true,
  })
  return Introspection.parse(answer.fault ? await (await toResponse(answer)).json() : answer.body)
}

const describeTenant = (
  { seed, tenant, origins, model, webhookSecret }: TenantContext,
  secrets: Secrets,
): TenantCreated => {
  const { slug, state, clock } = tenant
  const agents = [...state.agents.values()].map(({ name, id, clientId, resourceServer }) => ({
    resourceServer,
    credentials: {
      name,
      agent_id: id,
      client_id: clientId,
      client_secret: secrets.get(clientId) ?? '',
    },
  }))
  const api = apiOf({ tenant, origins })
  const [first] = agents
  const apiClient = agents.find(({ resourceServer }) => resourceServer)?.credentials
  return {
    tenant: slug,
    urls: {
      tenant: `${origins.issuer}/t/${slug}/api/v1`,
      org: `${origins.issuer}/orgs/${slug}/api/v1`,
      api,
    },
    agents: agents.filter((it) => !it.resourceServer).map(({ credentials }) => credentials),
    applications: seed.applications.map(({ name, client_id: id = name }) => {
      const secret = secrets.get(id)
      return { name, client_id: id, ...(secret === undefined ? {} : { client_secret: secret }) }
    }),
    api_keys: seed.api_keys.map(({ name }) => ({ name, key: secrets.get(keySecret(name)) ?? '' })),
    mcp_servers: [...state.mcpServers.values()].map(({ id, name, resourceUri }) => ({
      name,
      server_id: id,
      resource_uri: resourceUri,
    })),
    users: [...state.users.values()].map(({ id, email, permissions }) => ({
      id,
      email,
      permissions: [...permissions],
    })),
    api_client: {
      client_id: apiClient?.client_id ?? '',
      client_secret: apiClient?.client_secret ?? '',
    },
    webhook_secret: webhookSecret,
    environment: {
      LUMOAUTH_URL: origins.issuer,
      LUMOAUTH_TENANT: slug,
      LUMOAUTH_ORG_ID: slug,
      AGENT_CLIENT_ID: first?.credentials.client_id ?? '',
      AGENT_CLIENT_SECRET: first?.credentials.client_secret ?? '',
      DOCUMENTS_API_URL: api,
    },
    model: {
      base_url: `${origins.issuer}/_harness/tenants/${slug}/llm/v1`,
      api_key: model.key,
    },
    now: isoTime(clock.now()),
  }
}
