import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { UsageError } from '../../../server/usage-error.ts'
import { inertText } from '../../../server/wire/inert-text.ts'
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
import type { CheckFormat, OutcomeOptions } from '../commands/check/outcome-options.ts'
import { rejectFormerNames } from '../renamed.ts'
import type { Out } from '../run-live.ts'
import { writeWholeFile } from '../write-file.ts'
import { writeReport } from '../write-report.ts'

type ReportOutputs = Omit<Subject, 'compared'>

/** Whether a report goes to the standard output; the live list then goes to the standard error. */
export const reportsToStdout = (report: OutcomeOptions['report'] = []): boolean =>
  report.some(({ file }) => file === undefined)

/** The known deviations in a file; none where there is no file yet. @throws {UsageError} */
export const readBaselineOption = async ({
  baseline: file,
  updateBaseline,
}: OutcomeOptions): Promise<Baseline> => {
  if (updateBaseline && file === undefined) {
    throw new UsageError('--update-baseline takes --baseline FILE')
  }
  if (file === undefined || !existsSync(file)) return {}
  try {
    const baseline = readBaseline(file, await readFile(file, 'utf8'))
    rejectFormerNames(file, baseline)
    return baseline
  } catch (error) {
    if (error instanceof FlawedFile) throw new UsageError(error.message)
    throw error
  }
}

/** Says how it went, writes the reports, and weighs the deviations. @returns the exit code */
export const concludeCheck = async (
  run: Run,
  told: ReportOutputs,
  { report = [], baseline: file, updateBaseline }: OutcomeOptions,
  baseline: Baseline,
  out: Out,
): Promise<number> => {
  const deviations = deviationsOf(run.results, told)
  const rules = rulesOf(run.results, told)
  const subject: Subject = { ...told, compared: compareBaseline(baseline, deviations, rules) }
  const { fresh, known, stale } = subject.compared
  const formats: Readonly<Record<CheckFormat, Report>> = {
    ...reports,
    statement: (runs) => statement(subject, runs),
    'statement-json': (runs) => statementJson(subject, runs),
  }

  const { failures, counts } = terminal({ stream: out })
  const failed = failures([run])
  out.write(failed === '' ? '\n' : `\n${failed}\n`)
  for (const rule of [...fresh, ...known]) {
    const first = deviations.find((it) => it.rule === rule)
    const note = known.includes(rule) ? ` (known: ${baseline[rule]})` : ''
    out.write(
      `deviates from ${rule}: ${subject.rules.get(rule)?.says}${note}\n    ${first?.result.title}\n`,
    )
  }
  for (const rule of stale) {
    out.write(`stale in the baseline: ${rule} is kept now; take it out of ${file}\n`)
  }
  for (const fact of subject.facts) out.write(`${inertText(fact)}\n`)
  for (const left of subject.leftovers) out.write(`left over: ${inertText(left)}\n`)
  for (const order of report) await writeReport(formats[order.format]([run]), order.file)
  if (updateBaseline && file !== undefined) {
    await writeWholeFile(file, renewBaseline(baseline, deviations))
    out.write(`wrote ${file}\n`)
  }
  out.write(`${counts([run])}\n`)
  return fresh.length > 0 || stale.length > 0 ? 1 : 0
}
