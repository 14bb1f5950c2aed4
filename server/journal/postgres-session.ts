import { createHash, randomUUID } from 'node:crypto'
import type { Client } from 'pg'
import { JournalError, reasonOf } from './error.ts'
import { tables } from './postgres-schema.ts'

/** The addresses of an owner's process. Absent while it does not listen. */
export type Addresses = Readonly<{ issuer?: string | undefined; api?: string | undefined }>

/** The pending writes of a tenant, and what is written already. */
export type Owned = {
  readonly slug: string
  /** The number of the next line. */
  next: number
  /** Number of lines in the table after the next write. */
  lines: number
  /** Number of lines at which they are compacted. */
  compactAt: number
  /** Secrets and keys, encrypted. */
  beside: string
  /** Seconds until work is due. Undefined when none is. */
  due: number | undefined
  /** Whether writes are rejected: the tenant was deleted, given up or lost. */
  isOver: boolean
  /** Whether another process may own it by now. */
  isGivenUp: boolean
}

/** The writes of one statement. */
type Batch = {
  lines: { slug: string; seq: number; text: string }[]
  /** The tenants whose lines so far are deleted. */
  wiped: Set<string>
  deleted: Set<string>
  /** The tenants whose row in `tenants` changes. */
  changed: Set<Owned>
}

const emptyBatch = (): Batch => ({
  lines: [],
  wiped: new Set(),
  deleted: new Set(),
  changed: new Set(),
})

/**
 * One connection that locks tenants and writes their entries. A lock ends with its connection, so a process
 * that has lost a tenant cannot write to it. Every failure ends the session, because entries that are in
 * memory but not in the database must not be shown.
 */
export class Session {
  readonly id = randomUUID()
  readonly client: Client
  readonly owned = new Map<string, Owned>()
  /** Until this `performance.now()` no other process takes its tenants. */
  #leaseUntil = 0
  #failed: JournalError | undefined
  #batch = emptyBatch()
  #writing: Promise<void> | undefined
  #renewing: Promise<void> | undefined
  /** Resolves when the earlier statements are finished: the connection runs one at a time. */
  #turn: Promise<unknown> = Promise.resolve()
  readonly #renewal: NodeJS.Timeout
  readonly #lease: number
  readonly #schema: string
  readonly #onEnd: (why: JournalError) => void

  /**
   * @param lease milliseconds until a session that is not renewed may be ended
   * @throws the errors of the database
   */
  static async begin(
    client: Client,
    addresses: Addresses,
    lease: number,
    onEnd: (why: JournalError) => void,
  ): Promise<Session> {
    const { rows } = await client.query<{ schema: string }>('select current_schema() as schema')
    const session = new Session(client, lease, rows[0]?.schema ?? '', onEnd)
    const sentAt = performance.now()
    await client.query(
      `insert into ${tables.owners}
        select $1, $2, $3, pid, backend_start, ${leaseEnd('$4')} from pg_stat_activity
        where pid = pg_backend_pid()`,
      [session.id, addresses.issuer, addresses.api, lease / 1000],
    )
    session.#leaseUntil = sentAt + lease
    return session
  }

  private constructor(
    client: Client,
    lease: number,
    schema: string,
    onEnd: (why: JournalError) => void,
  ) {
    this.client = client
    this.#lease = lease
    this.#schema = schema
    this.#onEnd = onEnd
    client.on('error', (failed) => this.fail(failed))
    client.on('end', () => this.fail(new Error('the connection has ended')))
    this.#renewal = setInterval(() => void this.#renew().catch(() => {}), lease / 4).unref()
  }

  /** Stores the addresses of this process. */
  async announce({ issuer, api }: Addresses): Promise<void> {
    await this.query(`update ${tables.owners} set issuer = $2, api = $3 where id = $1`, [
      this.id,
      issuer,
      api,
    ])
  }

  /** Ends the session after a failure; its tenants are lost. */
  fail(cause: unknown): void {
    if (this.#failed) return
    const failed = cause instanceof JournalError ? cause : unavailable(cause)
    this.#failed = failed
    clearInterval(this.#renewal)
    for (const owned of this.owned.values()) owned.isOver = true
    this.owned.clear()
    this.client.end().catch(() => {})
    this.#onEnd(failed)
  }

  /** @throws {JournalError} once it has failed */
  refuseIfFailed(): void {
    if (this.#failed) throw this.#failed
  }

  // biome-ignore lint/suspicious/noExplicitAny: rows are of the type that the caller's query gives
  query<Row extends Record<string, any>>(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.#inTurn(async () => (await this.client.query<Row>(text, values)).rows)
  }

  /** A failure of any statement ends the session. @throws {JournalError} */
  async #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const before = this.#turn
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#turn = promise
    try {
      await before
      this.refuseIfFailed()
      return await act()
    } catch (failed) {
      this.fail(failed)
      throw this.#failed
    } finally {
      resolve()
    }
  }

  /** Whether a tenant was locked for this session. */
  async lock(slug: string): Promise<boolean> {
    const [row] = await this.query<{ locked: boolean }>(
      'select pg_try_advisory_lock($1) as locked',
      [this.lockOf(slug)],
    )
    return row?.locked === true
  }

  async unlock(slug: string): Promise<void> {
    await this.query('select pg_advisory_unlock($1)', [this.lockOf(slug)])
  }

  /** The number of a tenant's advisory lock in the database. */
  lockOf(slug: string): string {
    const hash = createHash('sha256').update(`lumoauth-harness ${this.#schema} ${slug}`).digest()
    return String(hash.readBigInt64BE())
  }

  append(owned: Owned, text: string): void {
    this.#refuseIfOver(owned)
    this.#batch.lines.push({ slug: owned.slug, seq: owned.next, text })
    owned.next += 1
    owned.lines += 1
  }

  /** Deletes the lines of the tenant so far, with the next write. */
  wipe(owned: Owned): void {
    this.#refuseIfOver(owned)
    this.#batch.lines = this.#batch.lines.filter((it) => it.slug !== owned.slug)
    this.#batch.wiped.add(owned.slug)
    owned.lines = 0
  }

  /** Writes the row of the tenant, with the next write. */
  change(owned: Owned): void {
    this.#refuseIfOver(owned)
    this.#batch.changed.add(owned)
  }

  delete(owned: Owned): void {
    this.wipe(owned)
    const { slug } = owned
    this.#batch.changed.delete(owned)
    this.#batch.deleted.add(slug)
    owned.isOver = true
    this.owned.delete(slug)
    this.durable()
      .then(() => this.unlock(slug))
      .catch(() => {})
  }

  /**
   * Resolves when everything so far is written and the lease is valid: no other process has changed one of
   * its tenants until then.
   * @throws {JournalError} when the session has ended
   */
  async durable(): Promise<void> {
    while (!isEmpty(this.#batch) || this.#writing) {
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined
      })
      await this.#writing
    }
    await this.live()
    this.refuseIfFailed()
  }

  /** Resolves when the lease is valid. Renews it first if it has expired. */
  async live(): Promise<void> {
    if (performance.now() >= this.#leaseUntil) await this.#renew()
    this.refuseIfFailed()
  }

  /**
   * Replaces lines of a tenant with fewer lines of the same content, while more are appended.
   * @param upTo the number of the last replaced line
   */
  async replace(owned: Owned, upTo: number, texts: readonly string[]): Promise<void> {
    this.#refuseIfOver(owned)
    const seqs = texts.map((_, at) => upTo - texts.length + 1 + at)
    const slugs = texts.map(() => owned.slug)
    const past = `delete from ${tables.journal} where tenant = $1 and seq <= $2`
    await this.#inTurn(async () => {
      await this.client.query('begin')
      await this.client.query(past, [owned.slug, upTo])
      await this.client.query(append, [slugs, seqs, texts])
      await this.client.query('commit')
    })
    owned.lines = texts.length + owned.next - 1 - upTo
  }

  /** Writes everything pending, and closes the connection. This ends its locks. */
  async close(): Promise<void> {
    try {
      await this.durable()
      await this.query(`delete from ${tables.owners} where id = $1`, [this.id])
    } finally {
      this.fail(new JournalError('the store is closed'))
    }
  }

  #refuseIfOver({ isOver, slug }: Owned): void {
    this.refuseIfFailed()
    if (isOver) throw new JournalError(`this process no longer owns the tenant ${slug}`)
  }

  /** One statement is one transaction. */
  async #write(): Promise<void> {
    const batch = this.#batch
    this.#batch = emptyBatch()
    const { lines } = batch
    const columns = [
      lines.map((it) => it.slug),
      lines.map((it) => it.seq),
      lines.map((it) => it.text),
    ]
    const changed = [...batch.changed]
    const statement =
      batch.wiped.size + changed.length === 0
        ? { name: 'append', text: append, values: columns }
        : {
            name: 'append-and-change',
            text: appendAndChange,
            values: [
              ...columns,
              [...batch.wiped],
              [...batch.deleted],
              this.id,
              changed.map((it) => it.slug),
              changed.map((it) => it.beside),
              changed.map((it) => it.due ?? null),
            ],
          }
    await this.#inTurn(() => this.client.query(statement))
  }

  #renew(): Promise<void> {
    this.#renewing ??= this.#renewOnce().finally(() => {
      this.#renewing = undefined
    })
    return this.#renewing
  }

  async #renewOnce(): Promise<void> {
    const sentAt = performance.now()
    const rows = await this.query(
      `update ${tables.owners} set lease_until = ${leaseEnd('$2')} where id = $1 returning id`,
      [this.id, this.#lease / 1000],
    )
    if (rows.length === 1) this.#leaseUntil = sentAt + this.#lease
    else this.fail(new JournalError('another process has ended the lease of this one'))
  }
}

/** The error for a database that cannot be used at the moment. */
export const unavailable = (cause: unknown): JournalError => {
  const { code, message } = cause as { code?: string; message: string }
  const why = /^[0-9A-Z]{5}$/.test(code ?? '') ? `${message} (${code})` : reasonOf(cause)
  return new JournalError(`PostgreSQL cannot be used: ${why}`, { cause })
}

const leaseEnd = (seconds: string) => `clock_timestamp() + make_interval(secs => ${seconds})`

const isEmpty = ({ lines, wiped, changed }: Batch) =>
  lines.length === 0 && wiped.size === 0 && changed.size === 0

const append = `insert into ${tables.journal} (tenant, seq, line)
  select * from unnest($1::text[], $2::bigint[], $3::text[])`

const appendAndChange = `
  with wiped as (delete from ${tables.journal} where tenant = any($4::text[])),
  deleted as (delete from ${tables.tenants} where slug = any($5::text[])),
  changed as (
    insert into ${tables.tenants} (slug, owner, beside, due)
      select slug, $6, beside, ${leaseEnd('due')}
      from unnest($7::text[], $8::text[], $9::double precision[]) as t (slug, beside, due)
      on conflict (slug) do update
        set owner = excluded.owner, beside = excluded.beside, due = excluded.due
  )
  ${append}`
