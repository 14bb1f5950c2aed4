import {
  closeSync,
  fdatasync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  write,
  writeFileSync,
} from 'node:fs'
import { promisify } from 'node:util'
import { z } from 'zod'
import type { Change } from './api/changes.ts'
import type { Entry } from './issuer/event.ts'
import { JournalUnusable } from './journal-unusable.ts'
import { Document, Report, TenantSeed } from './wire/index.ts'

/** One line of the file. What happened to a tenant stands between its `opened` and its `deleted`. */
type Line =
  | { tenant: string; opened: TenantSeed }
  | { tenant: string; deleted: true }
  | { tenant: string; entry: Entry }
  | { tenant: string; change: Change }

const Line = z.union([
  z.strictObject({ tenant: z.string(), opened: TenantSeed }),
  z.strictObject({ tenant: z.string(), deleted: z.literal(true) }),
  z.strictObject({
    tenant: z.string(),
    entry: z.looseObject({ seq: z.int(), at: z.number(), type: z.string() }),
  }),
  z.strictObject({
    tenant: z.string(),
    change: z.union([
      z.strictObject({ document: Document }),
      z.strictObject({ deleted: z.string() }),
      z.strictObject({ report: Report }),
    ]),
  }),
])

/** What a journal file remembers of a tenant, oldest entry first. */
export type Remembered = { seed: TenantSeed; entries: Entry[]; changes: Change[] }

/**
 * The journals of all tenants in one file: append only, synced before an answer leaves. Lines that
 * are appended while the disk is busy share the next sync.
 */
export class JournalFile {
  /** What was there at the start, by tenant. */
  readonly remembered: ReadonlyMap<string, Remembered>
  /** What was left out at the start, in words, if anything was. */
  readonly warning: string | undefined
  readonly #path: string
  #descriptor: number
  #waiting: string[] = []
  #syncing: Promise<void> | undefined
  #failed: Error | undefined

  /**
   * Reads what is there, and takes the file for this process alone.
   * @throws {JournalUnusable} when another process has it, or a line other than the last is corrupt
   */
  static open(path: string): JournalFile {
    lock(path)
    try {
      return new JournalFile(path)
    } catch (failed) {
      unlock(path)
      throw failed
    }
  }

  private constructor(path: string) {
    const { lines, warning } = read(path)
    this.#path = path
    this.warning = warning
    this.remembered = byTenant(path, lines)
    replaceFile(path, compact(this.remembered))
    this.#descriptor = openSync(path, 'a')
  }

  /** @throws {JournalUnusable} once a write has failed: what cannot be kept must not happen */
  append(line: Line): void {
    this.refuseIfFailed()
    this.#waiting.push(`${JSON.stringify(line)}\n`)
  }

  /** Throws once a write has failed, so that nothing is decided that would not be kept. */
  refuseIfFailed(): void {
    if (this.#failed) {
      throw new JournalUnusable(`the journal ${this.#path} cannot be written`, {
        cause: this.#failed,
      })
    }
  }

  /** Resolves when everything appended so far is on the disk. */
  async durable(): Promise<void> {
    while (this.#waiting.length > 0 || this.#syncing) {
      this.#syncing ??= this.#sync().finally(() => {
        this.#syncing = undefined
      })
      await this.#syncing
    }
    this.refuseIfFailed()
  }

  async close(): Promise<void> {
    try {
      await this.durable()
    } finally {
      closeSync(this.#descriptor)
      unlock(this.#path)
    }
  }

  async #sync(): Promise<void> {
    const text = Buffer.from(this.#waiting.splice(0).join(''))
    try {
      for (let at = 0; at < text.length; ) {
        at += (await writeBytes(this.#descriptor, text, at)).bytesWritten
      }
      await sync(this.#descriptor)
    } catch (failed) {
      this.#failed = failed as Error
      this.#waiting = []
    }
  }
}

const writeBytes = (descriptor: number, bytes: Buffer, from: number) =>
  promisify(write)(descriptor, bytes, from, bytes.length - from, null)
const sync = promisify(fdatasync)

const read = (path: string): { lines: Line[]; warning: string | undefined } => {
  const text = readIfThere(path)
  const lines = text.split('\n')
  const torn = lines.pop() ?? ''
  const parsed = lines.map((line, at) => parseLine(path, at + 1, line))
  const warning =
    torn === '' ? undefined : `${path}:${lines.length + 1}: dropped a last line that was cut off`
  return { lines: parsed, warning }
}

const readIfThere = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (failed) {
    if ((failed as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw new JournalUnusable(`the journal ${path} cannot be read: ${reason(failed)}`)
  }
}

const parseLine = (path: string, number: number, text: string): Line => {
  try {
    return Line.parse(JSON.parse(text)) as Line
  } catch {
    throw new JournalUnusable(
      `${path}:${number}: expected a line of a lumoauth-harness journal; restore the file from a copy, or move it away to begin anew`,
    )
  }
}

const byTenant = (path: string, lines: readonly Line[]): Map<string, Remembered> => {
  const tenants = new Map<string, Remembered>()
  lines.forEach((line, at) => {
    if ('opened' in line) tenants.set(line.tenant, { seed: line.opened, entries: [], changes: [] })
    else if ('deleted' in line) tenants.delete(line.tenant)
    else {
      const tenant = tenants.get(line.tenant)
      if (!tenant) {
        throw new JournalUnusable(`${path}:${at + 1}: the tenant ${line.tenant} was never opened`)
      }
      if ('entry' in line) tenant.entries.push(line.entry)
      else tenant.changes.push(line.change)
    }
  })
  return tenants
}

/** Tenants that were deleted or reset leave nothing behind. */
const compact = (tenants: ReadonlyMap<string, Remembered>): string =>
  [...tenants]
    .flatMap(([tenant, { seed, entries, changes }]): Line[] => [
      { tenant, opened: seed },
      ...entries.map((entry) => ({ tenant, entry })),
      ...changes.map((change) => ({ tenant, change })),
    ])
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('')

/** Writes beside it, then renames: there is always a whole file. */
export const replaceFile = (path: string, text: string): void => {
  const beside = `${path}.new`
  try {
    writeFileSync(beside, text, { mode: 0o600, flush: true })
    renameSync(beside, path)
  } catch (failed) {
    throw new JournalUnusable(`${path} cannot be written: ${reason(failed)}`)
  }
}

const lockOf = (path: string) => `${path}.lock`

const lock = (path: string): void => {
  for (let tries = 0; tries < 2; tries += 1) {
    try {
      writeFileSync(lockOf(path), String(process.pid), { flag: 'wx' })
      return
    } catch (failed) {
      if ((failed as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw new JournalUnusable(`the journal ${path} cannot be written: ${reason(failed)}`)
      }
      const owner = Number(readIfThere(lockOf(path)))
      if (isAlive(owner)) {
        throw new JournalUnusable(`the journal ${path} is in use by process ${owner}`)
      }
      unlock(path)
    }
  }
  throw new JournalUnusable(`the journal ${path} is being opened by another process`)
}

const isAlive = (pid: number): boolean => {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (failed) {
    return (failed as NodeJS.ErrnoException).code === 'EPERM'
  }
}

const unlock = (path: string): void => {
  try {
    unlinkSync(lockOf(path))
  } catch {
    // Gone already.
  }
}

const reason = (failed: unknown) => (failed as NodeJS.ErrnoException).code ?? String(failed)
