import type { Client } from 'pg'
import { JournalError } from './error.ts'

/** The version of the tables that this program reads and writes. */
export const schemaVersion = 1

const tables = {
  version: 'lumoauth_harness_version',
  keys: 'lumoauth_harness_keys',
  owners: 'lumoauth_harness_owners',
  tenants: 'lumoauth_harness_tenants',
  journal: 'lumoauth_harness_journal',
} as const

/**
 * - `keys`: the keys that all processes share, encrypted.
 * - `owners`: one row per connection that may own tenants: the addresses of its process, and the end of
 *   its lease.
 * - `tenants`: encrypted secrets and keys, the owner, and the time of the next due work, if any.
 * - `journal`: the lines of `line.ts`, numbered within a tenant.
 */
const create = `
  create table ${tables.version} (version integer not null);
  create table ${tables.keys} (name text primary key, value text not null);
  create table ${tables.owners} (
    id text primary key, issuer text, api text, backend integer not null,
    backend_start timestamptz not null, lease_until timestamptz not null
  );
  create table ${tables.tenants} (
    slug text primary key, owner text, beside text not null, due timestamptz
  );
  create index ${tables.tenants}_due on ${tables.tenants} (due) where due is not null;
  create table ${tables.journal} (
    tenant text not null, seq bigint not null, line text not null, primary key (tenant, seq)
  );
  insert into ${tables.version} values (${schemaVersion});
`

/** The number of our advisory lock: one process creates the tables, the others wait for it. */
const makingTables = '7094113086213401923'

/**
 * Creates the tables if they do not exist.
 * @throws {JournalError} for tables of another version or program, and for missing privileges
 */
export const prepareSchema = async (client: Client, where: string): Promise<void> => {
  await client.query('begin')
  try {
    await client.query(`select pg_advisory_xact_lock(${makingTables})`)
    const { rows } = await client.query<{ name: string; ours: boolean }>(
      `select c.relname as name, c.relname = any($1) as ours from pg_class c
        where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')`,
      [Object.values(tables)],
    )
    const ours = rows.filter((it) => it.ours)
    if (ours.length === 0) {
      if (rows.length > 0) {
        throw new JournalError(
          `${where} has tables of another program, such as ${rows[0]?.name}; use an empty database or schema`,
        )
      }
      await client.query(create)
    } else {
      await refuseOtherVersion(client, where, ours.length)
      await refuseMissingRights(client, where)
    }
    await client.query('commit')
  } catch (failed) {
    await client.query('rollback').catch(() => {})
    throw failed
  }
}

const refuseOtherVersion = async (client: Client, where: string, found: number): Promise<void> => {
  const version = await readVersion(client)
  if (version === schemaVersion && found === Object.keys(tables).length) return
  if (version !== undefined && version !== schemaVersion) {
    const age = version > schemaVersion ? 'newer' : 'older'
    throw new JournalError(
      `${where}: its tables have version ${version}, which is ${age} than version ${schemaVersion} of this program; use the lumoauth-harness that made them, or an empty database`,
    )
  }
  throw new JournalError(
    `${where}: its tables lumoauth_harness_* are not those of a lumoauth-harness; use an empty database or schema`,
  )
}

const readVersion = async (client: Client): Promise<number | undefined> => {
  await client.query('savepoint reading')
  try {
    const { rows } = await client.query<{ version: number }>(
      `select version from ${tables.version}`,
    )
    return rows.length === 1 ? rows[0]?.version : undefined
  } catch (failed) {
    // Missing privileges have a message of their own.
    if ((failed as { code?: string }).code === '42501') throw failed
    await client.query('rollback to savepoint reading')
    return undefined
  }
}

const refuseMissingRights = async (client: Client, where: string): Promise<void> => {
  const { rows } = await client.query<{ table: string; right: string; user: string }>(
    `select t as table, r as right, current_user as user from unnest($1::text[]) t,
      unnest(array['select', 'insert', 'update', 'delete']) r where not has_table_privilege(t, r) limit 1`,
    [Object.values(tables).filter((it) => it !== tables.version)],
  )
  const [lacks] = rows
  if (lacks === undefined) return
  throw new JournalError(
    `${where}: the user ${lacks.user} lacks the right to ${lacks.right} on ${lacks.table}`,
  )
}

export { tables }
