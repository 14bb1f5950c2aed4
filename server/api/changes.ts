import type { Document, Report } from '../wire/index.ts'

/** Something that was written in the resource server, as data. */
export type Change =
  | Readonly<{ document: Document }>
  | Readonly<{ deleted: string }>
  | Readonly<{ report: Report }>

/**
 * Hears of every write before it happens.
 * @throws whatever keeps it from being kept; then it does not happen
 */
export type Keep = (change: Change) => void
