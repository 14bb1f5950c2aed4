import { type FileHandle, open } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import type { Change } from '../api/changes.ts'
import { type DecidedRequest, History } from '../issuer/history.ts'
import { fromSnapshot, type Snapshot, toSnapshot } from '../issuer/snapshot.ts'
import type { TenantSeed } from '../wire/index.ts'
import { JournalError, reasonOf } from './error.ts'
import { addChecksum, format, type Line, parseLine } from './line.ts'

/** A tenant as a journal file describes it. */
export type TenantPast = {
  readonly seed: TenantSeed
  readonly history: History
  /** The last change of each document and report. */
  readonly changes: Map<string, Change>
  /** Records of decided requests (`DecidedRequest`) as JSON, oldest first. */
  readonly decided: string[]
  /**
   * From this time on (epoch seconds), every decision has a record or an entry. Earlier ones may be
   * missing. Absent without records and entries.
   */
  completeFrom?: number
  /** Whether a compaction may have removed records. */
  isShortened?: boolean
  /** The parts of its snapshot, until all parts are read. */
  snapshot?: Snapshot | undefined
}

export type ReadOptions = Readonly<{
  /** Number of the newest entries per tenant that are kept. */
  newest: number
  /** Number of the newest decided requests, of all tenants, that are kept. */
  decided: number
  /** Number of bytes to read. Absent: the whole file. */
  upTo?: number
  /** The only tenant to read. Absent: all of them. */
  only?: string | undefined
  /** Receives each record of a decided request, oldest first. Then none is kept. */
  onDecided?: ((tenant: TenantPast, request: DecidedRequest) => void) | undefined
  signal?: AbortSignal
}>

/**
 * Reads a journal file in pieces, and lets other work run between them.
 * @returns its tenants, and the number of the last line if that is incomplete
 * @throws {JournalError} for any other line that is corrupt, out of order or impossible
 */
export const readPast = async (
  path: string,
  { newest, decided: most, upTo = Number.POSITIVE_INFINITY, only, onDecided, signal }: ReadOptions,
): Promise<{ tenants: Map<string, TenantPast>; torn: number | undefined }> => {
  const { tenants, take } = collectPast(path, { newest, decided: most, onDecided })
  const torn = await readLines(path, upTo, (text, number) => {
    signal?.throwIfAborted()
    const line = parseLine(text)
    if (line === undefined) {
      throw new JournalError(
        `${path}:${number}: expected a line of a lumoauth-harness journal; restore the file from a copy, or move it away to begin anew`,
      )
    }
    if ('format' in line && line.format > format) {
      throw new JournalError(
        `${path}: format ${line.format} is newer than this program, which reads up to format ${format}; use a newer lumoauth-harness`,
      )
    }
    if (only === undefined || !('tenant' in line) || line.tenant === only) {
      take(line, `${path}:${number}`)
    }
  })
  for (const [slug, tenant] of tenants) {
    finishPast(path, slug, tenant)
    await setImmediate()
  }
  shareRecords([...tenants.values()], most)
  return { tenants, torn }
}

/** Collects lines in order. Errors contain `source`. */
export const collectPast = (
  source: string,
  { newest, decided: most, onDecided }: Pick<ReadOptions, 'newest' | 'decided' | 'onDecided'>,
): {
  tenants: Map<string, TenantPast>
  /** @throws {JournalError} for a line that is out of order or impossible */
  take: (line: Line, where: string) => void
} => {
  const tenants = new Map<string, TenantPast>()
  const note: NoteDecided = (tenant, request) => {
    if (tenant.isShortened) tenant.completeFrom ??= secondAfter(request.outcome.at)
    if (onDecided) onDecided(tenant, request)
    else noteDecided(tenant, JSON.stringify(request), most)
  }
  const find = (slug: string, where: string) => {
    const tenant = tenants.get(slug)
    if (!tenant) throw new JournalError(`${where}: the tenant ${slug} was never opened`)
    return tenant
  }
  const take = (line: Line, where: string) => {
    if ('format' in line) return
    const { tenant: slug } = line
    if ('opened' in line) tenants.set(slug, beginPast(line.opened, newest, note))
    else if ('deleted' in line) tenants.delete(slug)
    else if ('change' in line) noteChange(find(slug, where).changes, line.change)
    else if ('snapshot' in line) noteSnapshot(find(slug, where), line)
    else if ('decided' in line) note(find(slug, where), line.decided)
    else {
      const past = find(slug, where)
      const { history } = past
      sensible(source, slug, () => endSnapshot(past))
      for (const entry of line.entries) {
        if (entry.seq <= history.last) {
          throw new JournalError(`${where}: entry ${entry.seq} is out of order`)
        }
        // Versions before format 2 removed entries and kept no record of their decisions.
        if (entry.seq > history.last + 1) past.completeFrom = secondAfter(entry.at)
        past.completeFrom ??= entry.at
        sensible(source, slug, () => history.add(entry))
      }
    }
  }
  return { tenants, take }
}

/** The lines of a compacted file with the same content, without expired records. */
export function* linesOf(tenants: ReadonlyMap<string, TenantPast>): Generator<string> {
  yield addChecksum({ format })
  for (const [tenant, { seed, history, changes, decided }] of tenants) {
    yield addChecksum({ tenant, opened: seed })
    for (const change of changes.values()) yield addChecksum({ tenant, change })
    if (history.seq > 0) {
      const { seq, clockMoved: clock_moved } = history
      for (const snapshot of partsOf(toSnapshot(history.state))) {
        yield addChecksum({ tenant, seq, clock_moved, snapshot })
      }
    }
    for (const request of decided) yield addChecksum({ tenant, decided: JSON.parse(request) })
    for (const entry of history.entries) yield addChecksum({ tenant, entries: [entry] })
  }
}

/** A snapshot is one line, or several if it is long. */
function* partsOf(snapshot: Snapshot, most = 100): Generator<Snapshot> {
  let part: Record<string, unknown> = {}
  let size = 0
  for (const [name, value] of Object.entries(snapshot)) {
    if (!Array.isArray(value)) part[name] = value
    else {
      for (let from = 0; from < value.length; from += most) {
        const some = value.slice(from, from + most)
        part[name] = some
        size += some.length
        if (size < most) continue
        yield part
        part = {}
        size = 0
      }
    }
  }
  yield part
}

/** @throws {JournalError} when the entries of a tenant are impossible by the rules */
export const sensible = (path: string, slug: string, act: () => void): void => {
  try {
    act()
  } catch (cause) {
    throw new JournalError(`${path}: what happened to the tenant ${slug} makes no sense`, { cause })
  }
}

/** A removed decision may be of the same second. */
const secondAfter = (at: number) => Math.floor(at) + 1

type NoteDecided = (tenant: TenantPast, request: DecidedRequest) => void

const beginPast = (seed: TenantSeed, newest: number, note: NoteDecided): TenantPast => {
  const tenant: TenantPast = {
    seed,
    history: new History((it) => note(tenant, it), newest),
    changes: new Map(),
    decided: [],
  }
  return tenant
}

/** Keeps only the last change of a document. */
const noteChange = (changes: Map<string, Change>, change: Change): void => {
  if ('deleted' in change) changes.delete(`document ${change.deleted}`)
  else if ('document' in change) changes.set(`document ${change.document.id}`, change)
  else changes.set(`report ${change.report.id}`, change)
}

const noteDecided = ({ decided }: TenantPast, request: string, most: number): void => {
  decided.push(request)
  if (decided.length >= most + 1000) decided.splice(0, decided.length - most)
}

const noteSnapshot = (tenant: TenantPast, line: Extract<Line, { snapshot: Snapshot }>): void => {
  tenant.snapshot ??= {}
  tenant.isShortened = true
  const all = tenant.snapshot as Record<string, unknown>
  tenant.history.seq = line.seq
  tenant.history.clockMoved = line.clock_moved
  for (const [name, value] of Object.entries(line.snapshot)) {
    const before = all[name]
    if (Array.isArray(before) && Array.isArray(value)) before.push(...value)
    else all[name] = value
  }
}

/** Call after all its lines are taken. @throws {JournalError} when the entries are impossible */
export const finishPast = (source: string, slug: string, tenant: TenantPast): void =>
  sensible(source, slug, () => endSnapshot(tenant).history.compact())

const endSnapshot = (tenant: TenantPast): TenantPast => {
  if (tenant.snapshot) tenant.history.state = fromSnapshot(tenant.snapshot)
  tenant.snapshot = undefined
  return tenant
}

/** Removes the oldest records of the tenants with the most records, until few enough are left. */
const shareRecords = (tenants: readonly TenantPast[], most: number): void => {
  let left = most
  const byCount = tenants.toSorted((a, b) => a.decided.length - b.decided.length)
  for (const [at, { decided }] of byCount.entries()) {
    const kept = Math.min(decided.length, Math.floor(left / (byCount.length - at)))
    decided.splice(0, decided.length - kept)
    left -= kept
  }
}

/** Bytes that are read or written before other work can run. */
export const piece = 64 * 1024
const lineFeed = 10

/** @returns the number of the last line if that is incomplete */
const readLines = async (
  path: string,
  upTo: number,
  take: (line: string, number: number) => void,
): Promise<number | undefined> => {
  /** The part of the current line that is read. */
  let begun: Buffer[] = []
  let number = 0
  for await (const read of readRange(path, 0, upTo)) {
    let from = 0
    for (let to = read.indexOf(lineFeed); to !== -1; to = read.indexOf(lineFeed, from)) {
      const line = Buffer.concat([...begun, read.subarray(from, to)])
      begun = []
      from = to + 1
      number += 1
      take(line.toString(), number)
    }
    if (from < read.length) begun.push(Buffer.from(read.subarray(from)))
  }
  return begun.length > 0 ? number + 1 : undefined
}

/** The bytes of a file in pieces. A piece is valid until the next is requested. */
export async function* readRange(path: string, from: number, to: number): AsyncGenerator<Buffer> {
  const file = await openIfThere(path)
  if (file === undefined) return
  try {
    const buffer = Buffer.allocUnsafe(piece)
    for (let at = from; at < to; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(piece, to - at), at)
      if (bytesRead === 0) return
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

const openIfThere = async (path: string): Promise<FileHandle | undefined> => {
  try {
    return await open(path)
  } catch (failed) {
    if ((failed as NodeJS.ErrnoException).code === 'ENOENT') return
    throw new JournalError(`the journal ${path} cannot be read: ${reasonOf(failed)}`)
  }
}
