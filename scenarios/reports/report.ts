import type { Contract } from '../../server/wire/contract.ts'
import type { Rule } from '../runner/rules.ts'
import type { Run } from '../runner/verdict.ts'

/** The names of the formats; `reports` in formats.ts holds the function of each. */
export const reportFormats = [
  'junit',
  'ctrf',
  'html',
  'json',
  'markdown',
  'terminal',
  'transcript',
] as const
export type ReportFormat = (typeof reportFormats)[number]

/** A report is a function from results to text. The results contain no secrets. */
export type Report = (runs: readonly Run[], context?: Context) => string

/** What a report may use beside the results. */
export type Context = Readonly<{ rules?: readonly Rule[]; contract?: Contract }>

/**
 * How results are shown as they arrive. `themes`: a line for each theme, with the titles of failed
 * scenarios; `list`: a line for each scenario; `dot`: a character for each; `quiet`: nothing.
 */
export const reporters = ['themes', 'list', 'dot', 'quiet'] as const
export type Reporter = (typeof reporters)[number]
