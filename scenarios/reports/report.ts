import type { Rule } from '../runner/rules.ts'
import type { Run } from '../runner/verdict.ts'
import { ctrf } from './ctrf.ts'
import { html } from './html.ts'
import { json } from './json.ts'
import { junit } from './junit.ts'
import { markdown } from './markdown.ts'
import { plainReport } from './terminal.ts'
import { transcript } from './transcript.ts'

/** A report is a function from the results to text. Secrets are already out of them. */
export type Report = (runs: readonly Run[], context?: Context) => string

/** What a report may know beside the results. */
export type Context = Readonly<{ rules?: readonly Rule[] }>

export const reports: Readonly<Record<string, Report>> = {
  junit,
  ctrf,
  html,
  json,
  markdown,
  terminal: plainReport,
  transcript,
}
