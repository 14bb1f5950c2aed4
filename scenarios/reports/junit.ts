import { inertText } from '../../server/wire/inert-text.ts'
import { countsOf, nameOf, type Result, type Run } from '../runner/verdict.ts'
import { failureText } from './failure.ts'
import type { Report } from './report.ts'

/** JUnit XML as CI servers read it: a suite for each theme. */
export const junit: Report = (runs) => {
  const all = countsOf(runs.flatMap((run) => run.results))
  const time = seconds(runs.reduce((sum, run) => sum + run.duration, 0))
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="lumoauth-harness" tests="${all.total}" failures="${all.failed}" skipped="${all.skipped}" time="${time}">`,
    ...runs.flatMap((run) => suitesOf(run)),
    '</testsuites>',
    '',
  ].join('\n')
}

const suitesOf = ({ target, results, startedAt }: Run): string[] =>
  [...Map.groupBy(results, (it) => it.theme)].flatMap(([theme, results]) => {
    const counts = countsOf(results)
    const time = seconds(results.reduce((sum, it) => sum + it.duration, 0))
    const name = attribute(`${target} ${theme}`)
    return [
      `  <testsuite name="${name}" tests="${counts.total}" failures="${counts.failed}" skipped="${counts.skipped}" time="${time}" timestamp="${new Date(startedAt).toISOString()}">`,
      ...results.flatMap((result) => caseOf(result)),
      '  </testsuite>',
    ]
  })

const caseOf = (result: Result): string[] => {
  const open = `    <testcase name="${attribute(nameOf(result))}" classname="${attribute(`${result.target}.${result.theme}`)}" file="${attribute(result.file)}" line="${result.line}" time="${seconds(result.duration)}"`
  if (result.verdict === 'passed') return [`${open}/>`]
  const inner =
    result.verdict === 'skipped'
      ? [`      <skipped message="${attribute(result.reason ?? '')}"/>`]
      : result.failures.map(
          (failure) =>
            `      <failure type="${failure.kind}" message="${attribute(failure.message)}">${text(failureText(failure, result))}</failure>`,
        )
  return [`${open}>`, ...inner, '    </testcase>']
}

const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(3)

/** Removes characters that XML 1.0 forbids: control characters, lone surrogates. */
const text = (value: string): string =>
  value
    .toWellFormed()
    .replaceAll(/(?![\t\n\r])[\p{Cc}\ufffe\uffff]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')

const attribute = (value: string): string =>
  text(inertText(value)).replaceAll('"', '&quot;').replaceAll('\n', '&#10;')
