import { type FileHandle, open } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import type { Change } from '../api/changes.ts'
import { type DecidedRequest, History } from '../issuer/history.ts'
import { fromSnapshot, type Snapshot, toSnapshot } from '../issuer/snapshot.ts'
import type { TenantSeed } from '../wire/index.ts'
import { JournalError, reasonOf } from './error.ts'
import { addChecksum, format, type Line, parseLine } from './line.ts'

/** What a journal file says of a tenant. */
export type TenantPast = {
  readonly seed: TenantSeed
  readonly history: History
  /** What became of each document and report last. */
  readonly changes: Map<string, Change>
  /** Records of decided requests (`DecidedRequest`) as JSON, oldest first. */
  readonly decided: string[]
  /**
   * Of what was decided from then on (epoch seconds) there is a record or an entry; earlier ones may
   * have been left out. Absent while there is neither.
   */
  completeFrom?: number
  /** A compaction may have left records out. */
  isShortened?: boolean
  /** The parts of its snapshot, until all of them have been read. */
  snapshot?: Snapshot | undefined
}

export type ReadOptions = Readonly<{
  /** The newest entries of each tenant that stay as they are. */
  newest: number
  /** The newest decided requests, of all tenants, of which a record is kept. */
  decided: number
  /** Reads so many bytes; absent: the whole file. */
  upTo?: number
  /** Is told each record of a decided request, oldest first, instead of keeping it. */
  onDecided?: ((tenant: TenantPast, request: DecidedRequest) => void) | undefined
  signal?: AbortSignal
}>

/**
 * Reads a journal file in pieces, between which other work goes on.
 * @returns its tenants, and the number of the last line where that was cut off
 * @throws {JournalError} for any other line that is corrupt, out of order or makes no sense
 */
export const readPast = async (
  path: string,
  { newest, decided: most, upTo = Number.POSITIVE_INFINITY, onDecided, signal }: ReadOptions,
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
    take(line, `${path}:${number}`)
  })
  for (const [slug, tenant] of tenants) {
    finishPast(path, slug, tenant)
    await setImmediate()
  }
  shareRecords([...tenants.values()], most)
  return { tenants, torn }
}

/** Collects lines in their order; `source` is named in what it throws. */
export const collectPast = (
  source: string,
  { newest, decided: most, onDecided }: Pick<ReadOptions, 'newest' | 'decided' | 'onDecided'>,
): {
  tenants: Map<string, TenantPast>
  /** @throws {JournalError} for a line that is out of order or makes no sense */
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
        // Versions before format 2 left entries out, and kept no record of what they decided.
        if (entry.seq > history.last + 1) past.completeFrom = secondAfter(entry.at)
        past.completeFrom ??= entry.at
        sensible(source, slug, () => history.add(entry))
      }
    }
  }
  return { tenants, take }
}

/** The lines of a file that says the same in less. Of what is over nothing is left. */
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

/** A snapshot is one line, unless it would be a long one. */
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

/** @throws {JournalError} where what happened to a tenant makes no sense to the rules */
export const sensible = (path: string, slug: string, act: () => void): void => {
  try {
    act()
  } catch (cause) {
    throw new JournalError(`${path}: what happened to the tenant ${slug} makes no sense`, { cause })
  }
}

/** What is left out may have been decided in the same second. */
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

/** Of a document only what became of it last. */
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

/** Once all its lines were taken. @throws {JournalError} where what happened makes no sense */
export const finishPast = (source: string, slug: string, tenant: TenantPast): void =>
  sensible(source, slug, () => endSnapshot(tenant).history.compact())

const endSnapshot = (tenant: TenantPast): TenantPast => {
  if (tenant.snapshot) tenant.history.state = fromSnapshot(tenant.snapshot)
  tenant.snapshot = undefined
  return tenant
}

/** Where there are too many records, those tenants lose the oldest that have the most. */
const shareRecords = (tenants: readonly TenantPast[], most: number): void => {
  let left = most
  const byCount = tenants.toSorted((a, b) => a.decided.length - b.decided.length)
  for (const [at, { decided }] of byCount.entries()) {
    const kept = Math.min(decided.length, Math.floor(left / (byCount.length - at)))
    decided.splice(0, decided.length - kept)
    left -= kept
  }
}

/** Bytes that are read or written before other work has its turn. */
export const piece = 64 * 1024
const lineFeed = 10

/** @returns the number of the last line where that was cut off */
const readLines = async (
  path: string,
  upTo: number,
  take: (line: string, number: number) => void,
): Promise<number | undefined> => {
  /** What has been read of a line that is not over. */
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

/** The bytes of a file in pieces; each is good until the next is asked for. */
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
