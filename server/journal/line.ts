import { crc32 } from 'node:zlib'
import { z } from 'zod'
import type { Change } from '../api/changes.ts'
import type { Entry } from '../issuer/event.ts'
import type { DecidedRequest } from '../issuer/history.ts'
import type { Snapshot } from '../issuer/snapshot.ts'
import { Document, Report, TenantSeed } from '../wire/index.ts'

/** The format that this program writes. It also reads format 1, which has no format line. */
export const format = 2

/**
 * One line of a journal file: JSON that begins with its checksum.
 *
 * - `format`: the first line of the file, and only that.
 * - `opened`, `deleted`: the lines of a tenant are between these two.
 * - `change`: a document or report was written or deleted at the API.
 * - `snapshot`: a part of the state up to the entry `seq`, in the form of `Snapshot`; lists of
 *   several parts are one list. All parts of a tenant follow each other, before its entries.
 * - `decided`: a request that was decided up to the entry `seq` of the snapshot. Later decisions are in
 *   the entries.
 * - `entries`: the entries of one change, so that either all of them are in the file or none.
 */
export type Line =
  | { format: number }
  | { tenant: string; opened: TenantSeed }
  | { tenant: string; deleted: true }
  | { tenant: string; change: Change }
  | { tenant: string; seq: number; clock_moved: number; snapshot: Snapshot }
  | { tenant: string; decided: DecidedRequest }
  | { tenant: string; entries: readonly Entry[] }

const tenant = z.string()

/** The schemas of lines, by the member that identifies the kind of line. */
const schemas = {
  format: z.strictObject({ format: z.int() }),
  opened: z.strictObject({ tenant, opened: TenantSeed }),
  deleted: z.strictObject({ tenant, deleted: z.literal(true) }),
  change: z.strictObject({
    tenant,
    change: z.union([
      z.strictObject({ document: Document }),
      z.strictObject({ deleted: z.string() }),
      z.strictObject({ report: Report }),
    ]),
  }),
  snapshot: z.strictObject({
    tenant,
    seq: z.int(),
    clock_moved: z.number(),
    snapshot: z.record(z.string(), z.unknown()),
  }),
  decided: z.strictObject({ tenant, decided: z.looseObject({ requestId: z.string() }) }),
  entries: z.strictObject({
    tenant,
    entries: z.array(z.looseObject({ seq: z.int(), at: z.number(), type: z.string() })),
  }),
}

/** Parses a line. Undefined for text that is not a line of a journal. */
export const parseLine = (text: string): Line | undefined => {
  const value = readChecked(text)
  if (typeof value !== 'object' || value === null) return
  const kind = Object.keys(schemas).find((it) => it in value) as keyof typeof schemas | undefined
  return kind && (schemas[kind].safeParse(value).data as Line | undefined)
}

/** A line of JSON that begins with its checksum, so that damage on the disk is detected. */
export const addChecksum = (value: object): string => {
  const text = JSON.stringify(value)
  return `{"sum":"${sumOf(text)}",${text.slice(1)}\n`
}

/** The text after a correct checksum. Undefined otherwise. */
export const readChecked = (line: string): unknown => {
  const [, sum, rest] = /^\{"sum":"([0-9a-f]{8})",(.*)$/s.exec(line.trimEnd()) ?? []
  return sum === sumOf(`{${rest}`) ? JSON.parse(`{${rest}`) : undefined
}

const sumOf = (text: string) => crc32(text).toString(16).padStart(8, '0')
