import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from './free-ports.ts'
import { Running } from './running.ts'

const installed = '/usr/lib/postgresql'

/** The folder with the programs of the newest PostgreSQL on this machine. */
const bin = (() => {
  const versions = existsSync(installed) ? readdirSync(installed) : []
  const folders = versions.map((it) => join(installed, it, 'bin'))
  return folders.filter((it) => existsSync(join(it, 'initdb'))).at(-1)
})()

/** Why no PostgreSQL can be started here; undefined when one can. */
export const noPostgres = ((): string | undefined => {
  if (bin === undefined) return `there is no PostgreSQL in ${installed}`
  if (process.getuid?.() === 0 && !existsSync('/usr/bin/setpriv')) {
    return 'PostgreSQL refuses root, and setpriv is missing'
  }
  return undefined
})()

/** PostgreSQL rejects root: then it runs as a user without privileges. */
const asUser = (command: string, args: readonly string[]): [string, string[]] =>
  process.getuid?.() === 0
    ? ['setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', command, ...args]]
    : [command, [...args]]

/** A PostgreSQL of a test: its own folder and port, on loopback only. */
export class Postgres implements AsyncDisposable {
  readonly port: number
  readonly #folder: string
  readonly #settings: readonly string[]
  #running: Running | undefined

  /** @param settings such as `fsync=off` */
  static async start(settings: readonly string[] = ['fsync=off']): Promise<Postgres> {
    const folder = mkdtempSync(join(tmpdir(), 'postgres-'))
    if (process.getuid?.() === 0) execFileSync('chown', ['65534:65534', folder])
    const init = [
      '-D',
      join(folder, 'data'),
      '-U',
      'harness',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '-N',
      '--wal-segsize=1',
    ]
    const [command, args] = asUser(join(bin ?? '', 'initdb'), [...init, '--locale=C'])
    execFileSync(command, args, { stdio: 'pipe' })
    const [port = 0] = await freePorts(1)
    const postgres = new Postgres(folder, port, settings)
    await postgres.start()
    return postgres
  }

  private constructor(folder: string, port: number, settings: readonly string[]) {
    this.#folder = folder
    this.port = port
    this.#settings = settings
  }

  get folder(): string {
    return join(this.#folder, 'data')
  }

  url(database = 'postgres', user = 'harness'): string {
    return `postgres://${user}@127.0.0.1:${this.port}/${database}`
  }

  /** Creates a database. @returns its URL */
  createDatabase(name: string): string {
    this.sql(`create database ${name}`)
    return this.url(name)
  }

  /** Runs statements. @returns the output of psql, without decoration */
  sql(text: string, database = 'postgres'): string {
    const args = [
      '-X',
      '-A',
      '-t',
      '-q',
      '-v',
      'ON_ERROR_STOP=1',
      '-d',
      this.url(database),
      '-c',
      text,
    ]
    return execFileSync(join(bin ?? '', 'psql'), args, {
      stdio: 'pipe',
      maxBuffer: Number.POSITIVE_INFINITY,
    })
      .toString()
      .trim()
  }

  async start(): Promise<void> {
    const settings = [
      ...[
        'listen_addresses=127.0.0.1',
        `port=${this.port}`,
        `unix_socket_directories=${this.#folder}`,
      ],
      ...['max_connections=100', 'max_locks_per_transaction=256', 'log_statement=none'],
      ...this.#settings,
    ]
    const options = settings.flatMap((it) => ['-c', it])
    this.#running = new Running(
      ...asUser(join(bin ?? '', 'postgres'), ['-D', this.folder, ...options]),
      { cwd: this.#folder },
    )
    await this.#running.prints('stderr', /ready to accept connections/)
  }

  /** Limits the size of its files, as on a full disk; `unlimited` removes the limit. */
  limitFiles(bytes: number | 'unlimited'): void {
    const [main = ''] = readFileSync(join(this.folder, 'postmaster.pid'), 'utf8').split('\n')
    const children = execFileSync('ps', ['--ppid', main, '-o', 'pid=']).toString().trim()
    for (const pid of [main, ...children.split(/\s+/)]) {
      execFileSync(...asUser('prlimit', ['--pid', pid, `--fsize=${bytes}:`]))
    }
  }

  /** Ends it: by `SIGQUIT` at once, as in a crash; or by `SIGINT` in order. */
  async stop(signal: 'SIGINT' | 'SIGQUIT' = 'SIGINT'): Promise<void> {
    this.#running?.signal(signal)
    await this.#running?.ends()
    this.#running = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
