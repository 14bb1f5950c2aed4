import type { Run } from '../runner/verdict.ts'
import { ctrf } from './ctrf.ts'
import { json } from './json.ts'
import { junit } from './junit.ts'
import { markdown } from './markdown.ts'
import { plain } from './terminal.ts'

/** A report is a function from the results to text. Secrets are already out of them. */
export type Report = (runs: readonly Run[]) => string

export const reports: Readonly<Record<string, Report>> = {
  junit,
  ctrf,
  json,
  markdown,
  terminal: plain,
}
