import { Option } from '@commander-js/extra-typings'
import { reportFormats } from '../../../reports/report.ts'
import { type ReportOrder, reportOption } from '../values.ts'

/** The formats of a check: of every run, and the conformance statement (one page of Markdown, or JSON). */
const checkFormats = [...reportFormats, 'statement', 'statement-json'] as const
export type CheckFormat = (typeof checkFormats)[number]

/** The options of every check. */
export type OutcomeOptions = Readonly<{
  report?: readonly ReportOrder<CheckFormat>[]
  baseline?: string
  updateBaseline?: true
}>

export const checkReportOption = reportOption(checkFormats)
export const baselineOption = new Option(
  '--baseline <file>',
  'file of known deviations by rule; an entry whose rule is kept fails, too',
)
export const updateBaselineOption = new Option(
  '--update-baseline',
  'write the baseline under which this run would pass',
)

export const exitCodes =
  'Exit code: 0 no deviation that is not in the baseline, 1 some, 2 could not run.'
