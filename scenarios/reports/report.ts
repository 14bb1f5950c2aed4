import type { Rule } from '../runner/rules.ts'
import type { Run } from '../runner/verdict.ts'

/** A report is a function from the results to text. Secrets are already out of them. */
export type Report = (runs: readonly Run[], context?: Context) => string

/** What a report may know beside the results. */
export type Context = Readonly<{ rules?: readonly Rule[] }>
