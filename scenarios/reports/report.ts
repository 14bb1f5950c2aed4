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
export type Context = Readonly<{ rules?: readonly Rule[] }>
