import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fdatasync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  write,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { writeError } from './error.ts'

/**
 * A file that is written beside another file and then renamed over it: at every moment, also after a power
 * cut, one complete file exists. It has a random name until then, is never opened through a link, and only
 * its owner may read it.
 */
export class Replacement {
  readonly descriptor: number
  /** Bytes written so far. */
  size = 0
  /** Whether it has replaced the other file. */
  hasReplaced = false
  readonly #path: string
  readonly #beside: string

  constructor(path: string) {
    this.#path = path
    this.#beside = `${path}.${randomBytes(8).toString('hex')}.new`
    const { O_CREAT, O_EXCL, O_NOFOLLOW, O_APPEND, O_WRONLY } = constants
    this.descriptor = openSync(
      this.#beside,
      // Windows has no O_NOFOLLOW; O_EXCL alone does not follow a link.
      O_CREAT | O_EXCL | (O_NOFOLLOW ?? 0) | O_APPEND | O_WRONLY,
      0o600,
    )
  }

  async write(bytes: Buffer): Promise<void> {
    await writeAll(this.descriptor, bytes)
    this.size += bytes.length
  }

  sync(): Promise<void> {
    return sync(this.descriptor)
  }

  /** Renames it over the other file. `descriptor` stays open. Data that is not synced may be lost. */
  rename(): void {
    renameSync(this.#beside, this.#path)
    this.hasReplaced = true
    syncFolder(dirname(this.#path))
  }

  /** Deletes the new file, unless it has replaced the other file. */
  discard(): void {
    closeSync(this.descriptor)
    if (!this.hasReplaced) rmSync(this.#beside, { force: true })
  }
}

/** Replaces the text of a file. @throws {JournalError} when it cannot be written; then it is unchanged */
export const replaceFile = (path: string, text: string): void => {
  let file: Replacement | undefined
  try {
    file = new Replacement(path)
    writeFileSync(file.descriptor, text, { flush: true })
    file.rename()
    closeSync(file.descriptor)
  } catch (failed) {
    file?.discard()
    throw writeError(path, failed)
  }
}

/** Deletes the files that a killed process has left beside a journal and its keys. */
export const removeLeftovers = (path: string): void => {
  const folder = dirname(path)
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(`${basename(path)}.`)) continue
    const rest = name.slice(basename(path).length)
    if (/^(?:\.keys)?(?:\.[0-9a-f]{16})?\.new$/.test(rest)) rmSync(join(folder, name))
  }
}

/** Appends all bytes to a file. */
export const writeAll = async (descriptor: number, bytes: Buffer): Promise<void> => {
  for (let at = 0; at < bytes.length; ) {
    at += (await writeSome(descriptor, bytes, at, bytes.length - at, null)).bytesWritten
  }
}

export const sync: (descriptor: number) => Promise<void> = promisify(fdatasync)
const writeSome = promisify(write)

const syncFolder = (folder: string) => {
  if (process.platform === 'win32') return
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
