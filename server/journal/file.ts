import { accessSync, closeSync, constants, realpathSync, statSync } from 'node:fs'
import { newestEntries, type OnDecided } from '../issuer/history.ts'
import type { JournalSize } from '../wire/index.ts'
import { JournalError, reasonOf, writeError } from './error.ts'
import { addChecksum, type Line } from './line.ts'
import { lockJournal } from './lock.ts'
import { linesOf, piece, readPast, readRange, sensible, type TenantPast } from './past.ts'
import { Replacement, removeLeftovers, sync, writeAll } from './replace.ts'

export type JournalOptions = Readonly<{
  /** Maximum size of a journal file in bytes. At this size every change gets 503. Default 256 MiB. */
  maxBytes?: number | undefined
  /**
   * Minimum size in bytes at which a running process compacts the file. Repeats when the size has doubled
   * since the last compaction. Default 32 MiB.
   */
  compactAbove?: number | undefined
  /** Maximum number of decided requests, of all tenants, that compaction keeps. Default 100 000. */
  decidedRequests?: number | undefined
  /** Number of the newest entries per tenant that compaction does not change. Default 10 000. */
  newestEntries?: number | undefined
}>

const defaults = {
  maxBytes: 256 * 1024 * 1024,
  compactAbove: 32 * 1024 * 1024,
  decidedRequests: 100_000,
  newestEntries,
}

/**
 * The journals of all tenants in one append-only file, synced before an answer is sent. Lines that are
 * appended during a sync share the next one. Expired records are removed at every start, and whenever
 * the file has doubled. `line.ts` describes the format.
 */
export class JournalFile {
  readonly #path: string
  readonly #unlock: () => void
  readonly #limits: typeof defaults
  readonly #onWarning: (message: string) => void
  readonly #ended = new AbortController()
  #remembered = new Map<string, TenantPast>()
  #descriptor = -1
  /** Bytes appended; of these, bytes written; and bytes after the last compaction. */
  #size = 0
  #written = 0
  #compacted = 0
  #waiting: string[] = []
  #syncing: Promise<void> | undefined
  #compacting: Promise<void> | undefined
  #failed: Error | undefined
  #hasWarned = false

  /**
   * Reads the file, and locks it for this process.
   * @param onWarning receives dropped lines, and a warning when the file is nearly full
   * @throws {JournalError} when another process has locked it, or a line other than the last is corrupt
   */
  static async open(
    path: string,
    options: JournalOptions = {},
    onWarning: (message: string) => void = () => {},
  ): Promise<JournalFile> {
    const file = writable(path)
    const unlock = lockJournal(file)
    try {
      const journal = new JournalFile(file, unlock, options, onWarning)
      await journal.#open()
      return journal
    } catch (failed) {
      unlock()
      throw failed
    }
  }

  private constructor(
    path: string,
    unlock: () => void,
    options: JournalOptions,
    onWarning: (message: string) => void,
  ) {
    this.#path = path
    this.#unlock = unlock
    const given = Object.entries(options).filter(([, value]) => value !== undefined)
    this.#limits = { ...defaults, ...Object.fromEntries(given) }
    this.#onWarning = onWarning
  }

  async #open(): Promise<void> {
    removeLeftovers(this.#path)
    const { tenants, torn } = await this.#read()
    // A tenant without entries was being created when the process ended.
    for (const [slug, { history }] of tenants) if (history.last === 0) tenants.delete(slug)
    const file = await this.#writeBeside(tenants)
    try {
      for (const [slug, { history }] of tenants) {
        sensible(this.#path, slug, () => history.finish())
      }
      file.rename()
    } catch (failed) {
      file.discard()
      throw failed instanceof JournalError ? failed : this.#unwritable(failed)
    }
    this.#remembered = tenants
    this.#descriptor = file.descriptor
    this.#size = this.#written = this.#compacted = file.size
    if (torn !== undefined) {
      this.#onWarning(`${this.#path}:${torn}: dropped a last line that was cut off`)
    }
    this.#warnIfNearlyFull()
  }

  /** The size in bytes, including lines that are not yet written, and the maximum. */
  get size(): JournalSize {
    return { bytes: this.#size, max_bytes: this.#limits.maxBytes }
  }

  /** The tenants of the file that `take` has not returned yet. */
  get slugs(): string[] {
    return [...this.#remembered.keys()]
  }

  /** The tenant as read at the start. Returns it once. */
  take(slug: string): Pick<TenantPast, 'seed' | 'history' | 'changes'> | undefined {
    const remembered = this.#remembered.get(slug)
    this.#remembered.delete(slug)
    return remembered
  }

  /** @throws {JournalError} after the file is full or a write has failed, so that the change is not made */
  append(line: Line): void {
    this.refuseIfFailed()
    const text = addChecksum(line)
    const size = this.#size + Buffer.byteLength(text)
    if (size > this.#limits.maxBytes) {
      this.#failed = new Error(`it would be larger than ${this.#limits.maxBytes} bytes`)
      this.refuseIfFailed()
    }
    this.#size = size
    this.#waiting.push(text)
    this.#warnIfNearlyFull()
  }

  /** Throws after a write has failed, so that no decision is made that cannot be stored. */
  refuseIfFailed(): void {
    if (this.#failed) throw this.#unwritable(this.#failed)
  }

  /** Resolves when everything appended so far is synced to disk. */
  async durable(): Promise<void> {
    while (this.#waiting.length > 0 || this.#syncing) {
      this.#syncing ??= this.#exclusively(() => this.#sync())
      await this.#syncing
    }
    // Makes callers wait for a compaction, or they could append faster than it writes.
    if (this.#size > this.#limits.maxBytes / 2) await this.#compacting
    this.refuseIfFailed()
  }

  async close(): Promise<void> {
    try {
      await this.durable()
    } finally {
      this.#failed ??= new Error('it is closed')
      this.#ended.abort()
      await this.#compacting
      closeSync(this.#descriptor)
      this.#unlock()
    }
  }

  /** Runs one operation on the file at a time. */
  #exclusively(act: () => Promise<void>): Promise<void> {
    return act().finally(() => {
      this.#syncing = undefined
    })
  }

  async #sync(): Promise<void> {
    const bytes = Buffer.from(this.#waiting.splice(0).join(''))
    try {
      await writeAll(this.#descriptor, bytes)
      await sync(this.#descriptor)
    } catch (failed) {
      this.#failed = failed as Error
      this.#waiting = []
      return
    }
    this.#written += bytes.length
    const { compactAbove } = this.#limits
    if (this.#written < Math.max(compactAbove, 2 * this.#compacted)) return
    this.#compacting ??= this.#compact().finally(() => {
      this.#compacting = undefined
    })
  }

  /**
   * Writes a compacted file beside this one, then the lines that were appended meanwhile, and renames it
   * over this one. Until then this file stays complete.
   */
  async #compact(): Promise<void> {
    const upTo = this.#written
    let file: Replacement | undefined
    try {
      const { tenants } = await this.#read(upTo)
      file = await this.#writeBeside(tenants)
    } catch (failed) {
      return this.#giveUp(file, failed)
    }
    const compacted = file
    while (this.#syncing) await this.#syncing
    this.#syncing = this.#exclusively(() => this.#replaceBy(compacted, upTo))
    await this.#syncing
  }

  async #replaceBy(file: Replacement, upTo: number): Promise<void> {
    const old = this.#descriptor
    const { size } = file
    try {
      this.refuseIfFailed()
      for await (const bytes of readRange(this.#path, upTo, this.#written)) await file.write(bytes)
      await file.sync()
      file.rename()
    } catch (failed) {
      return this.#giveUp(file, failed)
    }
    this.#descriptor = file.descriptor
    this.#size += file.size - this.#written
    this.#written = file.size
    this.#compacted = size
    closeSync(old)
  }

  /** Repeats a failed compaction when the file has doubled. */
  #giveUp(file: Replacement | undefined, failed: unknown): void {
    file?.discard()
    this.#compacted = this.#written
    if (this.#failed) return
    if (file?.hasReplaced) this.#failed = failed as Error
    else this.#onWarning(`the journal ${this.#path} was not compacted: ${reasonOf(failed)}`)
  }

  /** Reads the decided requests of a tenant, as `TenantJournal` says. */
  async decided(slug: string, begin: () => OnDecided): Promise<number | undefined> {
    let current: TenantPast | undefined
    let receive: OnDecided = begin()
    const follow = (past: TenantPast | undefined) => {
      if (past === current) return
      current = past
      receive = begin()
    }
    const { tenants } = await readPast(this.#path, {
      newest: 0,
      decided: 0,
      only: slug,
      signal: this.#ended.signal,
      onDecided: (past, request) => {
        follow(past)
        receive(request)
      },
    })
    follow(tenants.get(slug))
    return current?.completeFrom
  }

  #read(upTo?: number) {
    return readPast(this.#path, {
      newest: this.#limits.newestEntries,
      decided: this.#limits.decidedRequests,
      signal: this.#ended.signal,
      ...(upTo === undefined ? {} : { upTo }),
    })
  }

  /** The compacted file, written and synced, before it replaces the journal. */
  async #writeBeside(tenants: ReadonlyMap<string, TenantPast>): Promise<Replacement> {
    let file: Replacement | undefined
    try {
      file = new Replacement(this.#path)
      let text = ''
      for (const line of linesOf(tenants)) {
        text += line
        if (text.length < piece) continue
        this.#ended.signal.throwIfAborted()
        await file.write(Buffer.from(text))
        text = ''
      }
      await file.write(Buffer.from(text))
      await file.sync()
      return file
    } catch (failed) {
      file?.discard()
      throw this.#unwritable(failed)
    }
  }

  #warnIfNearlyFull(): void {
    const { maxBytes } = this.#limits
    if (this.#hasWarned || this.#size < 0.8 * maxBytes) return
    this.#hasWarned = true
    this.#onWarning(
      `the journal ${this.#path} has ${this.#size} of at most ${maxBytes} bytes; once it is full nothing is decided any more`,
    )
  }

  #unwritable(cause: unknown): JournalError {
    return writeError(`the journal ${this.#path}`, cause)
  }
}

/**
 * Resolves links to the path of the file.
 * @throws {JournalError} when it is not a file, or not writable
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
