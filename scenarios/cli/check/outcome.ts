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
import { type Deviation, deviationsOf, rulesOf } from '../../checks/deviations.ts'
import { type Subject, statement, statementJson } from '../../checks/statement.ts'
import { reports } from '../../reports/formats.ts'
import type { Report } from '../../reports/report.ts'
import { terminal } from '../../reports/terminal.ts'
import { wrapLines } from '../../reports/wrap.ts'
import type { Failure, Run } from '../../runner/verdict.ts'
import type { CheckFormat, OutcomeOptions } from '../commands/check/outcome-options.ts'
import { rejectFormerNames } from '../renamed.ts'
import type { Out } from '../run-live.ts'
import { writeWholeFile } from '../write-file.ts'
import { writeReports } from '../write-report.ts'

type ReportOutputs = Omit<Subject, 'compared'>

/** Whether a report goes to standard output; the live list then goes to standard error. */
export const reportsToStdout = (report: OutcomeOptions['report'] = []): boolean =>
  report.some(({ file }) => file === undefined)

/** The known deviations in a file; none if the file does not exist yet. @throws {UsageError} */
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

/** Prints the verdicts, writes the reports, and compares deviations with the baseline. @returns the exit code */
export const concludeCheck = async (
  run: Run,
  told: ReportOutputs,
  {
    report = [],
    baseline: file,
    updateBaseline,
    verbose,
  }: OutcomeOptions & { verbose?: true | undefined },
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

  const { failures, counts, skips } = terminal({ stream: out })
  const failed = failures([verbose ? run : onlyFirstOfEachRule(run, deviations)])
  out.write(failed === '' ? '\n' : `\n${failed}\n`)
  out.write(skips([run]))
  for (const rule of [...fresh, ...known]) {
    const lines = describeDeviations(rule, deviations, subject, baseline[rule])
    out.write(`${wrapLines(lines.map(inertText), out).join('\n')}\n`)
  }
  for (const rule of stale) {
    out.write(`stale in the baseline: ${rule} is kept now; remove it from ${file}\n`)
  }
  for (const fact of subject.facts) out.write(`${inertText(fact)}\n`)
  for (const left of subject.leftovers) out.write(`left over: ${inertText(left)}\n`)
  const written = await writeReports(report, (format) => formats[format]([run]))
  if (updateBaseline && file !== undefined) {
    await writeWholeFile(file, renewBaseline(baseline, deviations))
    out.write(`wrote ${file}\n`)
  }
  out.write(`${counts([run])}\n`)
  if (!written) return 2
  const isUndone = run.results.some(({ failures }) => failures.some(hasNoRule))
  return fresh.length > 0 || stale.length > 0 || isUndone ? 1 : 0
}

/** A failure that breaks no rule: the program under test did nothing. */
const hasNoRule = ({ rules }: Failure) => rules?.length === 0

/** The run with the first failure that shows each rule, and no other: they read alike. */
const onlyFirstOfEachRule = (run: Run, deviations: readonly Deviation[]): Run => {
  const firsts = [...Map.groupBy(deviations, (it) => it.rule).values()].map((it) => it[0]?.failure)
  const results = run.results.flatMap((result) => {
    const failures = result.failures.filter((it) => firsts.includes(it) || hasNoRule(it))
    return result.verdict === 'failed' && failures.length === 0 ? [] : [{ ...result, failures }]
  })
  return { ...run, results }
}

/** A rule, how often it was broken, by what, and where that was seen first. */
const describeDeviations = (
  rule: string,
  deviations: readonly Deviation[],
  { rules }: Subject,
  known: string | undefined,
): string[] => {
  const all = deviations.filter((it) => it.rule === rule)
  const [first] = all
  const times = all.length === 1 ? '' : `, ${all.length} times`
  const note = known === undefined ? '' : ` (known: ${known})`
  const says = first?.failure.message.replace(`${rule}: `, '').split('\n')[0]
  return [
    `deviates from ${rule}${times}: ${rules.get(rule)?.says}${note}`,
    `    ${says}`,
    `    ${all.length === 1 ? 'in' : 'first in'}: ${first?.result.title}`,
  ]
}
