import { ctrf } from './ctrf.ts'
import { html } from './html.ts'
import { json } from './json.ts'
import { junit } from './junit.ts'
import { markdown } from './markdown.ts'
import type { Report, ReportFormat } from './report.ts'
import { plainReport } from './terminal.ts'
import { transcript } from './transcript.ts'

export const reports: Readonly<Record<ReportFormat, Report>> = {
  junit,
  ctrf,
  html,
  json,
  markdown,
  terminal: plainReport,
  transcript,
}
