import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { UsageError } from '../../../server/usage-error.ts'
import { FlawedFile } from '../../../server/wire/yaml-source.ts'
import {
  type Baseline,
  compareBaseline,
  readBaseline,
  renewBaseline,
} from '../../checks/baseline.ts'
import { deviationsOf, rulesOf } from '../../checks/deviations.ts'
import { type Subject, statement, statementJson } from '../../checks/statement.ts'
import { reports } from '../../reports/formats.ts'
import type { Report } from '../../reports/report.ts'
import { terminal } from '../../reports/terminal.ts'
import type { Run } from '../../runner/verdict.ts'
import { parseReportOption, writeReport } from '../report-option.ts'
import type { Out } from '../run-live.ts'

/** The options every check has. */
export const outcomeOptions = {
  report: { type: 'string', multiple: true },
  baseline: { type: 'string' },
  'update-baseline': { type: 'boolean' },
} as const

export const outcomeHelp = `  --report FORMAT[=FILE]
                      ${Object.keys(reports).join(', ')},
                      statement (one page, markdown) or statement-json; several at once
  --baseline FILE     known deviations, by rule; one that is gone fails, too
  --update-baseline   write the baseline under which this run would pass
`

type Values = Readonly<{
  report?: string[] | undefined
  baseline?: string | undefined
  'update-baseline'?: boolean | undefined
}>

type ReportOutputs = Omit<Subject, 'compared'>

/** Formats a check can report in; a mistake in an order is told before anything runs. */
export const parseReportOptions = ({ report = [] }: Values) => {
  const orders = report.map((order) => parseReportOption(order, { ...reports, ...statements }))
  return { toStdout: orders.some((it) => it.file === undefined), orders: report }
}

const placeholderReport: Report = () => ''
const statements = { statement: placeholderReport, 'statement-json': placeholderReport }

export const baselineOf = async ({ baseline }: Values): Promise<Baseline> => {
  if (baseline === undefined || !existsSync(baseline)) return {}
  try {
    return readBaseline(baseline, await readFile(baseline, 'utf8'))
  } catch (error) {
    if (error instanceof FlawedFile) throw new UsageError(error.message)
    throw error
  }
}

/** Says how it went, writes the reports, and weighs the deviations. @returns the exit code */
export const concludeCheck = async (
  run: Run,
  told: ReportOutputs,
  values: Values,
  baseline: Baseline,
  out: Out,
): Promise<number> => {
  const deviations = deviationsOf(run.results)
  const rules = rulesOf(run.results)
  const subject: Subject = { ...told, compared: compareBaseline(baseline, deviations, rules) }
  const { fresh, known, stale } = subject.compared
  const known2 = {
    ...reports,
    statement: (runs: readonly Run[]) => statement(subject, runs),
    'statement-json': (runs: readonly Run[]) => statementJson(subject, runs),
  }

  const { failures, counts } = terminal({ stream: out })
  const failed = failures([run])
  out.write(failed === '' ? '\n' : `\n${failed}\n`)
  for (const rule of [...fresh, ...known]) {
    const first = deviations.find((it) => it.rule === rule)
    const note = known.includes(rule) ? ` (known: ${baseline[rule]})` : ''
    out.write(`deviates from ${rule}: ${subject.says(rule)}${note}\n    ${first?.result.title}\n`)
  }
  for (const rule of stale) {
    out.write(`stale in the baseline: ${rule} is kept now; take it out of ${values.baseline}\n`)
  }
  for (const fact of subject.facts) out.write(`${fact}\n`)
  for (const left of subject.leftovers) out.write(`left over: ${left}\n`)
  for (const order of values.report ?? []) {
    const { report, file } = parseReportOption(order, known2)
    await writeReport(report([run]), file)
  }
  if (values['update-baseline']) {
    if (values.baseline === undefined)
      throw new UsageError('--update-baseline takes --baseline FILE')
    await writeFile(values.baseline, renewBaseline(baseline, deviations))
    out.write(`wrote ${values.baseline}\n`)
  }
  out.write(`${counts([run])}\n`)
  return fresh.length > 0 || stale.length > 0 ? 1 : 0
}
