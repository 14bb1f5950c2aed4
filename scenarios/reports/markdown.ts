import { countsOf, nameOf, type Result, type Run } from '../runner/verdict.ts'
import { escapeMarkdown } from './escape.ts'
import { failureText } from './failure.ts'
import type { Report } from './report.ts'

/** For a job summary on GitHub: counts, failures in full, then every theme folded away. */
export const markdown: Report = (runs) => {
  const results = runs.flatMap((run) => run.results)
  const { total, passed, failed, skipped } = countsOf(results)
  const failures = results.filter((it) => it.verdict === 'failed')
  return [
    `## ${failed > 0 ? '❌' : '✅'} ${passed} of ${total} scenarios passed`,
    '',
    `${failed} failed, ${skipped} skipped, ${seconds(runs.reduce((sum, run) => sum + run.duration, 0))}`,
    '',
    ...failures.flatMap(failureOf),
    ...runs.flatMap(themesOf),
  ].join('\n')
}

const failureOf = (result: Result): string[] => [
  `### ${escapeMarkdown(nameOf(result))} (${result.target})`,
  '',
  ...result.failures.flatMap((failure) => fenceBlock(failureText(failure, result))),
]

const themesOf = ({ target, results, duration }: Run): string[] => [
  `### ${escapeMarkdown(target)}, ${seconds(duration)}`,
  '',
  ...[...Map.groupBy(results, (it) => it.theme)].flatMap(([theme, results]) => {
    const { total, passed, failed } = countsOf(results)
    return [
      `<details${failed > 0 ? ' open' : ''}><summary>${mark(failed > 0 ? 'failed' : 'passed')} <b>${escapeMarkdown(theme)}</b>: ${passed} of ${total}</summary>`,
      '',
      '| | Scenario | Time |',
      '|---|---|---|',
      ...results.map(
        (it) =>
          `| ${mark(it.verdict)} | ${escapeMarkdown(nameOf(it))}${it.reason === undefined ? '' : ` (skipped: ${escapeMarkdown(it.reason)})`} | ${seconds(it.duration)} |`,
      ),
      '',
      '</details>',
      '',
    ]
  }),
]

const mark = (verdict: Result['verdict']) => ({ passed: '✅', failed: '❌', skipped: '⏭️' })[verdict]

const seconds = (milliseconds: number) =>
  milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`

/** A fence longer than any in the text. */
const fenceBlock = (text: string): string[] => {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return [`${fence}text`, text, fence, '']
}
