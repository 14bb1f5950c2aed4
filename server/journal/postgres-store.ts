import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Client, Pool } from 'pg'
import { z } from 'zod'
import { type Algorithm, KeyRing, type PrivateJwk, type SigningKey } from '../signing/keys.ts'
import type { TenantSeed } from '../wire/index.ts'
import { JournalError } from './error.ts'
import { addChecksum, parseLine } from './line.ts'
import { collectPast, finishPast, linesOf, type ReadOptions, type TenantPast } from './past.ts'
import type { PostgresOptions } from './postgres-options.ts'
import { prepareSchema, tables } from './postgres-schema.ts'
import { type Addresses, type Owned, Session, unavailable } from './postgres-session.ts'
import { type Seal, sealWith, storeKeyName } from './seal.ts'
import {
  type Kept,
  keptOr,
  type Place,
  type SharedStore,
  type TenantJournal,
  withoutSecrets,
} from './store.ts'

const defaults = {
  lease: 5000,
  compactAbove: 20_000,
  decidedRequests: 10_000,
  newestEntries: 10_000,
}

/** Timeouts to connect, and for one statement, in milliseconds. */
const patience = { connect: 5000, query: 10_000 }

/** Stores tenants in PostgreSQL, which several processes can share. */
export class PostgresStore implements SharedStore {
  readonly signingKey: SigningKey
  readonly platformKey: SigningKey
  readonly forwardKey: string
  readonly #connections: Connections
  readonly #reader: Pool
  readonly #options: typeof defaults
  readonly #seal: Seal
  readonly #onWarning: (message: string) => void
  #session: Session | undefined
  #connecting: Promise<Session> | undefined
  #previous: string | undefined
  #addresses: Addresses = {}
  #lost: (why: Error) => void = () => {}
  #closed = false
  /** Tenants that are claimed but not yet created, locked for this process. */
  readonly #claimed = new Map<string, Owned>()
  /** Names that are being claimed. */
  readonly #claiming = new Set<string>()
  readonly #compacting = new Map<Owned, Promise<void>>()

  /**
   * @param onWarning receives lost connections, and tenants that cannot be compacted
   * @throws {JournalError} when the database cannot be used
   */
  static async open(
    url: string,
    algorithm: Algorithm,
    options: PostgresOptions = {},
    onWarning: (message: string) => void = () => {},
  ): Promise<PostgresStore> {
    const seal = sealWith(options.storeKey ?? process.env[storeKeyName])
    const connections = await connectionsOf(url)
    const client = await connections.connect()
    try {
      await prepareSchema(client, connections.where)
      const shared = await sharedKeys(client, seal, algorithm)
      const store = new PostgresStore(connections, seal, shared, options, onWarning)
      await store.#begin(client)
      return store
    } catch (failed) {
      await client.end().catch(() => {})
      throw failed instanceof JournalError ? failed : connections.explain(failed)
    }
  }

  private constructor(
    connections: Connections,
    seal: Seal,
    shared: Shared,
    options: PostgresOptions,
    onWarning: (message: string) => void,
  ) {
    this.#connections = connections
    this.#reader = connections.pool()
    this.#seal = seal
    this.signingKey = shared.signingKey
    this.platformKey = shared.platformKey
    this.forwardKey = shared.forwardKey
    const given = Object.entries(options).filter(([, value]) => value !== undefined)
    this.#options = { ...defaults, ...Object.fromEntries(given) }
    this.#onWarning = onWarning
  }

  /** Empty: tenants are taken over with their first request. */
  slugs(): readonly string[] {
    return []
  }

  kept(): undefined {}

  onLost(lost: (why: Error) => void): void {
    this.#lost = lost
  }

  async announce(addresses: Addresses): Promise<void> {
    this.#addresses = addresses
    await (await this.#live()).announce(addresses)
  }

  async live(): Promise<void> {
    await this.#live()
  }

  readonly ownerOf = async (slug: string): Promise<Addresses | undefined> => {
    const holder = await this.#holderOf(await this.#live(), slug)
    return holder?.alive ? addressesOf(holder) : undefined
  }

  async take(slug: string): Promise<Place> {
    const session = await this.#live()
    // An invented name costs one read, and does not use the connection that writes.
    const known = await this.#select(`select from ${tables.tenants} where slug = $1`, [slug])
    if (known.length === 0) return { at: 'nowhere' }
    const holder = await this.#lock(session, slug)
    if (holder !== undefined) return { at: 'elsewhere', ...holder }
    try {
      const read = await this.#read(slug)
      if (read === undefined) {
        await session.unlock(slug)
        return { at: 'nowhere' }
      }
      const { beside, past, next, lines } = read
      const owned = this.#ownedOf({ slug, next, lines, beside, due: 0 })
      session.refuseIfFailed()
      session.owned.set(slug, owned)
      session.change(owned)
      if (lines >= owned.compactAt) this.#compact(session, owned)
      return { at: 'here', kept: this.#keptOf(slug, beside, past, this.#journalOf(session, owned)) }
    } catch (failed) {
      session.owned.delete(slug)
      await session.unlock(slug).catch(() => {})
      throw failed instanceof JournalError ? failed : unavailable(failed)
    }
  }

  async claim(slug: string): Promise<boolean> {
    // A lock of the database does not distinguish two claims of one process.
    if (this.#claiming.has(slug)) return false
    this.#claiming.add(slug)
    try {
      return await this.#claimOnce(await this.#live(), slug)
    } finally {
      this.#claiming.delete(slug)
    }
  }

  async #claimOnce(session: Session, slug: string): Promise<boolean> {
    if (session.owned.has(slug) || this.#claimed.has(slug)) return false
    // A tenant with this name may be in the middle of its deletion.
    await session.durable()
    if (!(await session.lock(slug))) return false
    const rows = await session.query(`select slug from ${tables.tenants} where slug = $1`, [slug])
    if (rows.length > 0) {
      await session.unlock(slug)
      return false
    }
    const fresh = { slug, next: 1, lines: 0, beside: '', due: undefined }
    this.#claimed.set(slug, this.#ownedOf(fresh))
    return true
  }

  async look(slug: string): Promise<Kept | undefined> {
    const read = await this.#read(slug)
    return read && this.#keptOf(slug, read.beside, read.past, readOnly)
  }

  async release(slug: string): Promise<void> {
    const session = this.#session
    const owned = session?.owned.get(slug)
    if (session === undefined || owned === undefined) return
    owned.isOver = true
    owned.isGivenUp = true
    await session.durable()
    session.owned.delete(slug)
    await Promise.all([
      session.query(`update ${tables.tenants} set owner = null where slug = $1`, [slug]),
      session.unlock(slug),
    ])
  }

  opened(
    slug: string,
    seed: TenantSeed,
    secrets: ReadonlyMap<string, string>,
    keys: KeyRing,
  ): TenantJournal {
    const session = this.#session
    const owned = session?.owned.get(slug) ?? this.#claimed.get(slug)
    if (session === undefined || owned === undefined) {
      throw new JournalError(`this process does not own the tenant ${slug}`)
    }
    this.#claimed.delete(slug)
    session.owned.set(slug, owned)
    session.wipe(owned)
    owned.beside = this.#close(slug, { secrets: Object.fromEntries(secrets), keys: keys.export() })
    session.change(owned)
    session.append(owned, addChecksum({ tenant: slug, opened: withoutSecrets(seed) }))
    return this.#journalOf(session, owned)
  }

  async list(): Promise<string[]> {
    const rows = await this.#select<{ slug: string }>(
      `select slug from ${tables.tenants} order by 1`,
    )
    return rows.map(({ slug }) => slug)
  }

  async overdue(): Promise<string[]> {
    // This also detects a lost connection.
    await this.#live()
    const rows = await this.#select<{ slug: string }>(
      `select slug from ${tables.tenants} t where due <= clock_timestamp() and not exists (
        select from ${tables.owners} o join pg_stat_activity a
          on a.pid = o.backend and a.backend_start = o.backend_start
          where o.id = t.owner and o.lease_until > clock_timestamp())
        order by due limit 50`,
    )
    return rows.map(({ slug }) => slug)
  }

  /** A failure affects only current requests. The next request opens a new session. */
  refuseIfFailed(): void {}

  async durable(): Promise<void> {
    await this.#session?.durable()
  }

  async close(): Promise<void> {
    this.#closed = true
    try {
      await this.#session?.close()
    } finally {
      await Promise.allSettled(this.#compacting.values())
      await this.#reader.end()
    }
  }

  #ownedOf(known: Pick<Owned, 'slug' | 'next' | 'lines' | 'beside' | 'due'>): Owned {
    return { ...known, compactAt: this.#options.compactAbove, isOver: false, isGivenUp: false }
  }

  #journalOf(session: Session, owned: Owned): TenantJournal {
    const { slug } = owned
    let timer: NodeJS.Timeout | undefined
    return {
      happened: (entries, keys) => {
        if (entries.some(({ type }) => type.startsWith('key.'))) {
          const { secrets } = this.#open(slug, owned.beside)
          owned.beside = this.#close(slug, { secrets, keys: keys.export() })
          session.change(owned)
        }
        session.append(owned, addChecksum({ tenant: slug, entries }))
        if (owned.lines >= owned.compactAt) this.#compact(session, owned)
      },
      changed: (change) => session.append(owned, addChecksum({ tenant: slug, change })),
      deleted: () => session.delete(owned),
      planned: (due) => {
        if (owned.isOver || due === owned.due) return
        owned.due = due
        session.change(owned)
        // Usually the current answer writes it.
        clearTimeout(timer)
        timer = setTimeout(() => void session.durable().catch(() => {}), 100).unref()
      },
      durable: async () => {
        await session.durable()
        if (owned.isGivenUp) throw new JournalError(`this process has given up the tenant ${slug}`)
      },
      decided: async (begin) => {
        await session.durable()
        const receive = begin()
        const read = await this.#read(slug, (_, request) => receive(request))
        return read?.past.completeFrom
      },
    }
  }

  /** @returns the addresses of the owner, if another process owns it; undefined after locking it */
  async #lock(session: Session, slug: string): Promise<Addresses | undefined> {
    for (let tries = 0; tries < 100; tries += 1) {
      if (await session.lock(slug)) return undefined
      const holder = await this.#holderOf(session, slug)
      if (holder?.alive) return addressesOf(holder)
      // A process that does not renew its lease is paused or cut off: ends its session.
      if (holder) await this.#select('select pg_terminate_backend($1)', [holder.pid])
      await pause(10)
    }
    throw new JournalError(`the tenant ${slug} cannot be locked: another session does not end`)
  }

  async #holderOf(session: Session, slug: string): Promise<Holder | undefined> {
    return (await this.#select<Holder>(findHolder, [session.lockOf(slug)]))[0]
  }

  async #read(slug: string, onDecided?: ReadOptions['onDecided']) {
    const [tenant] = await this.#select<{ beside: string }>(
      `select beside from ${tables.tenants} where slug = $1`,
      [slug],
    )
    if (tenant === undefined) return undefined
    const rows = await this.#select<{ seq: string; line: string }>(
      `select seq, line from ${tables.journal} where tenant = $1 order by seq`,
      [slug],
    )
    // Another request is deleting it.
    if (rows.length === 0) return undefined
    const past = this.#pastOf(slug, rows, onDecided)
    const next = Number(rows.at(-1)?.seq) + 1
    return { beside: tenant.beside, past, next, lines: rows.length }
  }

  #pastOf(
    slug: string,
    rows: readonly { seq: string; line: string }[],
    onDecided?: ReadOptions['onDecided'],
  ): TenantPast {
    const source = `${this.#connections.where}, tenant ${slug}`
    const { decidedRequests: decided } = this.#options
    const newest = onDecided === undefined ? this.#options.newestEntries : 0
    const { tenants, take } = collectPast(source, { newest, decided, onDecided })
    for (const { seq, line: text } of rows) {
      const line = parseLine(text)
      if (line === undefined || !('tenant' in line) || line.tenant !== slug) {
        throw new JournalError(`${source}: line ${seq} is not a line of a lumoauth-harness journal`)
      }
      take(line, `${source}: line ${seq}`)
    }
    const past = tenants.get(slug)
    if (past === undefined) throw new JournalError(`${source}: the tenant was never opened`)
    finishPast(source, slug, past)
    return past
  }

  #keptOf(slug: string, beside: string, past: TenantPast, journal: TenantJournal): Kept {
    const { secrets, keys } = this.#open(slug, beside)
    past.history.finish()
    return {
      seed: past.seed,
      history: past.history,
      changes: [...past.changes.values()],
      secrets: new Map(Object.entries(secrets)),
      keys: KeyRing.import(keys as PrivateJwk[]),
      journal,
    }
  }

  #close(slug: string, beside: Beside): string {
    return this.#seal.close(JSON.stringify(beside), slug)
  }

  #open(slug: string, text: string): Beside {
    return Beside.parse(JSON.parse(this.#seal.open(text, slug)))
  }

  /** Compacts a tenant, once at a time. */
  #compact(session: Session, owned: Owned): void {
    if (this.#compacting.has(owned)) return
    const compacting = (async () => {
      const upTo = owned.next - 1
      await session.durable()
      const rows = await this.#select<{ seq: string; line: string }>(
        `select seq, line from ${tables.journal} where tenant = $1 and seq <= $2 order by seq`,
        [owned.slug, upTo],
      )
      const past = this.#pastOf(owned.slug, rows)
      const [, ...texts] = linesOf(new Map([[owned.slug, past]]))
      owned.compactAt = Math.max(this.#options.compactAbove, 2 * texts.length)
      if (texts.length < rows.length) await session.replace(owned, upTo, texts)
    })()
      .catch((failed) => {
        if (owned.isOver) return
        owned.compactAt = 2 * owned.lines
        this.#onWarning(
          `the tenant ${owned.slug} was not compacted: ${unavailable(failed).message}`,
        )
      })
      .finally(() => this.#compacting.delete(owned))
    this.#compacting.set(owned, compacting)
  }

  /** The session, or a new one if it was lost. @throws {JournalError} while the database is unavailable */
  async #live(): Promise<Session> {
    if (this.#closed) throw new JournalError('the store is closed')
    if (this.#session === undefined) {
      this.#connecting ??= this.#connections
        .connect()
        .then((client) => this.#begin(client))
        .finally(() => {
          this.#connecting = undefined
        })
      try {
        await this.#connecting
      } catch (failed) {
        throw failed instanceof JournalError ? failed : this.#connections.explain(failed)
      }
    }
    const session = this.#session as Session | undefined
    if (session === undefined) throw new JournalError('the connection to PostgreSQL is lost')
    await session.live()
    return session
  }

  async #begin(client: Client): Promise<Session> {
    const onEnd = (why: JournalError) => this.#end(session, why)
    const session = await Session.begin(client, this.#addresses, this.#options.lease, onEnd)
    if (this.#closed) {
      session.fail(new JournalError('the store is closed'))
      return session
    }
    this.#session = session
    // So its tenants do not wait for the end of its lease.
    if (this.#previous !== undefined) {
      await session.query(`delete from ${tables.owners} where id = $1`, [this.#previous])
    }
    await session.query(
      `delete from ${tables.owners} where lease_until < clock_timestamp() - interval '1 day'`,
    )
    return session
  }

  #end(session: Session, why: JournalError): void {
    if (this.#session !== session) return
    this.#session = undefined
    this.#previous = session.id
    this.#claimed.clear()
    if (this.#closed) return
    this.#onWarning(`${why.message}; its tenants are taken anew when they are asked for`)
    this.#lost(why)
  }

  // biome-ignore lint/suspicious/noExplicitAny: rows are of the type that the caller's query gives
  async #select<Row extends Record<string, any>>(text: string, values: unknown[] = []) {
    try {
      return (await this.#reader.query<Row>(text, values)).rows
    } catch (failed) {
      throw unavailable(failed)
    }
  }
}

/** The secrets and keys, which must not be readable in the database. */
const Beside = z.strictObject({
  secrets: z.record(z.string(), z.string()),
  keys: z.array(z.looseObject({ kid: z.string(), alg: z.string() })).min(1),
})
type Beside = Readonly<{ secrets: Record<string, string>; keys: readonly PrivateJwk[] | unknown[] }>

const refuse = (): never => {
  throw new JournalError('this tenant was only looked at')
}

const readOnly: TenantJournal = {
  happened: refuse,
  changed: refuse,
  deleted: refuse,
  durable: async () => refuse(),
  decided: async () => refuse(),
}

const addressesOf = ({ issuer, api }: Holder): Addresses => ({
  issuer: issuer ?? undefined,
  api: api ?? undefined,
})

type Holder = Readonly<{ pid: number; issuer: string | null; api: string | null; alive: boolean }>

/** The session that holds a lock, and whether its process renews its lease. */
const findHolder = `
  select l.pid, o.issuer, o.api, coalesce(o.lease_until > clock_timestamp(), false) as alive
  from pg_locks l
  join pg_stat_activity a on a.pid = l.pid
  left join ${tables.owners} o on o.backend = a.pid and o.backend_start = a.backend_start
  where l.locktype = 'advisory' and l.granted and l.objsubid = 1
    and l.database = (select oid from pg_database where datname = current_database())
    and (l.classid::bigint << 32) | l.objid::bigint = $1::bigint`

type Shared = Readonly<{ signingKey: SigningKey; platformKey: SigningKey; forwardKey: string }>

/** The keys that all processes share. The first process creates them. */
const sharedKeys = async (client: Client, seal: Seal, algorithm: Algorithm): Promise<Shared> => {
  const read = async () => {
    const { rows } = await client.query<{ name: string; value: string }>(
      `select name, value from ${tables.keys}`,
    )
    return new Map(rows.map(({ name, value }) => [name, JSON.parse(seal.open(value, name))]))
  }
  let known = await read()
  if (known.size === 0) {
    const fresh = {
      signing_key: (await keptOr(undefined, algorithm)).privateJwk,
      platform_key: (await keptOr(undefined, 'ES256')).privateJwk,
      forward_key: randomBytes(32).toString('base64url'),
    }
    const values = Object.entries(fresh).map(([name, value]) => [
      name,
      seal.close(JSON.stringify(value), name),
    ])
    await client.query(
      `insert into ${tables.keys} select * from unnest($1::text[], $2::text[]) on conflict do nothing`,
      [values.map(([name]) => name), values.map(([, value]) => value)],
    )
    known = await read()
  }
  const [signingKey, platformKey] = await Promise.all([
    keptOr(known.get('signing_key'), algorithm),
    keptOr(known.get('platform_key'), 'ES256'),
  ])
  return { signingKey, platformKey, forwardKey: known.get('forward_key') }
}

type Connections = Readonly<{
  /** `HOST:PORT/DATABASE`, without credentials. */
  where: string
  connect: () => Promise<Client>
  pool: () => Pool
  explain: (failed: unknown) => JournalError
}>

const connectionsOf = async (url: string): Promise<Connections> => {
  const pg = await loadPg()
  const options = {
    connectionString: url,
    application_name: 'lumoauth-harness',
    connectionTimeoutMillis: patience.connect,
    query_timeout: patience.query,
    keepAlive: true,
  }
  const make = () => {
    try {
      return new pg.Client(options)
    } catch {
      throw new JournalError(
        'the journal is not a URL of PostgreSQL; expected postgres://USER@HOST:PORT/DATABASE',
      )
    }
  }
  const { host, port, database, user } = make()
  const where = `PostgreSQL at ${host}:${port}, database ${database}`
  const explain = (failed: unknown) => explainFailure(failed, where, user)
  return {
    where,
    explain,
    connect: async () => {
      const client = make()
      // A failing statement, or the session, reports the lost connection.
      client.on('error', () => {})
      try {
        await client.connect()
        return client
      } catch (failed) {
        client.end().catch(() => {})
        throw explain(failed)
      }
    },
    pool: () => {
      const pool = new pg.Pool({ ...options, max: 2, idleTimeoutMillis: 30_000 })
      pool.on('error', () => {})
      return pool
    },
  }
}

const loadPg = async () => {
  try {
    return (await import('pg')).default
  } catch (failed) {
    if ((failed as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw failed
    throw new JournalError('a journal in PostgreSQL takes the package pg: npm install pg')
  }
}

const explainFailure = (failed: unknown, where: string, user: string | undefined): JournalError => {
  const { code = '', message } = failed as { code?: string; message: string }
  const reasons: Record<string, string> = {
    '28P01': `refuses the password of the user ${user}`,
    '28000': `refuses the user ${user}: ${message}`,
    '3D000': 'does not exist; create it with createdb',
    '42501': `the user ${user} lacks a right: ${message}`,
    '25006': 'cannot be written: it is read-only',
    '3F000': 'has no schema to make tables in; create the one that search_path names',
  }
  const why = reasons[code] ?? `cannot be reached or used: ${message || code}`
  return new JournalError(`${where}: ${why}`, { cause: failed })
}
