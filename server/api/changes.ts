import type { Document, Report } from '../wire/index.ts'

/** A write in the resource server, as data. */
export type Change =
  | Readonly<{ document: Document }>
  | Readonly<{ deleted: string }>
  | Readonly<{ report: Report }>

/**
 * Called with every write before it takes effect.
 * @throws an error that prevents the write
 */
export type Keep = (change: Change) => void
