import {
  accessSync,
  closeSync,
  constants,
  fdatasync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  write,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { z } from 'zod'
import type { Change } from '../api/changes.ts'
import { compactEntries } from '../issuer/compaction.ts'
import type { Entry } from '../issuer/event.ts'
import { Document, Report, TenantSeed } from '../wire/index.ts'
import { JournalError } from './error.ts'
import { lockJournal } from './lock.ts'

/**
 * One line of the file. What happened to a tenant stands between its `opened` and its `deleted`;
 * what happened at once stands in one line, so that it is there as a whole or not at all.
 */
type Line =
  | { tenant: string; opened: TenantSeed }
  | { tenant: string; deleted: true }
  | { tenant: string; entries: readonly Entry[] }
  | { tenant: string; change: Change }

const Line = z.union([
  z.strictObject({ tenant: z.string(), opened: TenantSeed }),
  z.strictObject({ tenant: z.string(), deleted: z.literal(true) }),
  z.strictObject({
    tenant: z.string(),
    entries: z.array(z.looseObject({ seq: z.int(), at: z.number(), type: z.string() })),
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
export type Remembered = Readonly<{
  seed: TenantSeed
  entries: readonly Entry[]
  changes: readonly Change[]
}>

/** Bytes of a file. More than half a gigabyte could not be read again at the next start. */
const largest = 256 * 1024 * 1024

/**
 * The journals of all tenants in one file: append only, synced before an answer leaves. Lines that
 * are appended while the disk is busy share the next sync. It grows until the next start, which
 * leaves out what is over.
 */
export class JournalFile {
  /** What was left out at the start, in words, if anything was. */
  readonly warning: string | undefined
  readonly #path: string
  readonly #unlock: () => void
  readonly #remembered: Map<string, Remembered>
  readonly #most: number
  #descriptor: number
  #size: number
  #waiting: string[] = []
  #syncing: Promise<void> | undefined
  #failed: Error | undefined

  /**
   * Reads what is there, and takes the file for this process alone.
   * @throws {JournalError} when another process has it, or a line other than the last is corrupt
   */
  static open(path: string, most = largest): JournalFile {
    const file = writable(path)
    const unlock = lockJournal(file)
    try {
      return new JournalFile(file, unlock, most)
    } catch (failed) {
      unlock()
      throw failed
    }
  }

  private constructor(path: string, unlock: () => void, most: number) {
    const { lines, warning } = read(path)
    this.#path = path
    this.#unlock = unlock
    this.#most = most
    this.warning = warning
    this.#remembered = byTenant(path, lines)
    replaceFile(path, textOf(this.#remembered))
    this.#descriptor = openSync(path, 'a')
    this.#size = statSync(path).size
  }

  /** The tenants of which it remembers something that nobody has taken yet. */
  get slugs(): string[] {
    return [...this.#remembered.keys()]
  }

  /** What was there of a tenant at the start; it is handed over once. */
  take(slug: string): Remembered | undefined {
    const remembered = this.#remembered.get(slug)
    this.#remembered.delete(slug)
    return remembered
  }

  /** @throws {JournalError} once it is full or a write has failed: what cannot be kept must not happen */
  append(line: Line): void {
    this.refuseIfFailed()
    const text = addChecksum(line)
    const size = this.#size + Buffer.byteLength(text)
    if (size > this.#most) {
      this.#failed = new Error(`it would be larger than ${this.#most} bytes`)
      this.refuseIfFailed()
    }
    this.#size = size
    this.#waiting.push(text)
  }

  /** Throws once a write has failed, so that nothing is decided that would not be kept. */
  refuseIfFailed(): void {
    if (this.#failed) throw writeError(`the journal ${this.#path}`, this.#failed)
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
      this.#failed ??= new Error('it is closed')
      closeSync(this.#descriptor)
      this.#unlock()
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

/**
 * The file itself, behind whatever links lead to it.
 * @throws {JournalError} for what must not be replaced: it is no file, or may not be written
 */
const writable = (path: string): string => {
  try {
    const file = realpathSync(path)
    accessSync(file, constants.W_OK)
    if (statSync(file).isFile()) return file
  } catch (failed) {
    if ((failed as NodeJS.ErrnoException).code === 'ENOENT') return path
    throw writeError(`the journal ${path}`, failed)
  }
  throw new JournalError(`the journal ${path} is not a file`)
}

const read = (path: string): { lines: Line[]; warning: string | undefined } => {
  const lines = readIfThere(path).split('\n')
  const torn = lines.pop() ?? ''
  const warning =
    torn === '' ? undefined : `${path}:${lines.length + 1}: dropped a last line that was cut off`
  return { lines: lines.map((line, at) => parseLine(path, at + 1, line)), warning }
}

const readIfThere = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (failed) {
    if ((failed as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw new JournalError(`the journal ${path} cannot be read: ${reason(failed)}`)
  }
}

/** A line of JSON that begins with its checksum, so that whatever befalls a disk is noticed. */
export const addChecksum = (value: object): string => {
  const text = JSON.stringify(value)
  return `{"sum":"${sumOf(text)}",${text.slice(1)}\n`
}

/** What was sealed; undefined for anything else. */
export const readChecked = (line: string): unknown => {
  const [, sum, rest] = /^\{"sum":"([0-9a-f]{8})",(.*)$/s.exec(line.trimEnd()) ?? []
  return sum === sumOf(`{${rest}`) ? JSON.parse(`{${rest}`) : undefined
}

const sumOf = (text: string) => crc32(text).toString(16).padStart(8, '0')

const parseLine = (path: string, number: number, text: string): Line => {
  const { success, data } = Line.safeParse(readChecked(text))
  if (success) return data as Line
  throw new JournalError(
    `${path}:${number}: expected a line of a lumoauth-harness journal; restore the file from a copy, or move it away to begin anew`,
  )
}

type Collected = { seed: TenantSeed; entries: Entry[]; changes: Map<string, Change> }

const byTenant = (path: string, lines: readonly Line[]): Map<string, Remembered> => {
  const tenants = new Map<string, Collected>()
  lines.forEach((line, at) => {
    const { tenant: slug } = line
    if ('opened' in line) {
      tenants.set(slug, { seed: line.opened, entries: [], changes: new Map() })
    } else if ('deleted' in line) {
      tenants.delete(slug)
    } else {
      const where = `${path}:${at + 1}`
      const tenant = tenants.get(slug)
      if (!tenant) throw new JournalError(`${where}: the tenant ${slug} was never opened`)
      if ('change' in line) note(tenant.changes, line.change)
      else for (const entry of line.entries) add(where, tenant.entries, entry)
    }
  })
  // A tenant to which nothing has happened yet was being opened when the process ended.
  const begun = [...tenants].filter(([, { entries }]) => entries.length > 0)
  return new Map(
    begun.map(([slug, { seed, entries, changes }]) => [
      slug,
      { seed, entries: compactForRewrite(path, slug, entries), changes: [...changes.values()] },
    ]),
  )
}

const add = (where: string, entries: Entry[], entry: Entry): void => {
  if (entry.seq <= (entries.at(-1)?.seq ?? 0)) {
    throw new JournalError(`${where}: entry ${entry.seq} is out of order`)
  }
  entries.push(entry)
}

/** Of a document only what became of it last. */
const note = (changes: Map<string, Change>, change: Change): void => {
  if ('deleted' in change) changes.delete(`document ${change.deleted}`)
  else if ('document' in change) changes.set(`document ${change.document.id}`, change)
  else changes.set(`report ${change.report.id}`, change)
}

const compactForRewrite = (
  path: string,
  slug: string,
  entries: readonly Entry[],
): readonly Entry[] => {
  try {
    return compactEntries(entries)
  } catch (cause) {
    throw new JournalError(`${path}: what happened to the tenant ${slug} makes no sense`, {
      cause,
    })
  }
}

/** Tenants that were deleted or reset leave nothing behind. */
const textOf = (tenants: ReadonlyMap<string, Remembered>): string =>
  [...tenants]
    .flatMap(([tenant, { seed, entries, changes }]): Line[] => [
      { tenant, opened: seed },
      ...changes.map((change) => ({ tenant, change })),
      ...entries.map((entry) => ({ tenant, entries: [entry] })),
    ])
    .map(addChecksum)
    .join('')

/** Writes beside it, then renames: there is always a whole file, also after a power cut. */
export const replaceFile = (path: string, text: string): void => {
  const beside = `${path}.new`
  try {
    writeFileSync(beside, text, { mode: 0o600, flush: true })
    renameSync(beside, path)
    syncFolder(dirname(path))
  } catch (failed) {
    rmSync(beside, { force: true })
    throw writeError(path, failed)
  }
}

const syncFolder = (folder: string) => {
  if (process.platform === 'win32') return
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

const writeError = (what: string, cause: unknown) =>
  new JournalError(`${what} cannot be written: ${reason(cause)}`, { cause })

const reason = (failed: unknown) =>
  (failed as NodeJS.ErrnoException).code ?? (failed as Error).message
