import { isDeepStrictEqual, stripVTControlCharacters } from 'node:util'
import { inertText } from '../../server/wire/inert-text.ts'
import { countsOf, type Failure, nameOf, type Result, type Run } from '../runner/verdict.ts'
import { failureText } from './failure.ts'
import { groupReasons } from './group-reasons.ts'
import { type Paint, painter } from './paint.ts'
import type { Report } from './report.ts'
import { wrapLines } from './wrap.ts'

/** Terminal output: a line per result, and a summary. */
export type TerminalReport = Readonly<{
  /** The line of a result; before the first of a theme, its heading. */
  result(result: Result, previous: Result | undefined): string
  /** The line of a theme, and one for each failed scenario of it. */
  theme(results: readonly Result[]): string
  /** How many scenarios were skipped, by reason. */
  skips(runs: readonly Run[]): string
  /** The failed scenarios with file and line. */
  failed(runs: readonly Run[]): string
  /** The progress line, which is overwritten. */
  progress(done: readonly Result[], total: number): string
  /** The failures in full. */
  failures(runs: readonly Run[]): string
  /** The last line: counts. */
  counts(runs: readonly Run[]): string
}>

/**
 * @param options.stream the output stream, which decides on colours; absent: no colours
 * @param options.hosts whether to name the target
 * @param options.unit what a result is of: a scenario, a case
 */
export const terminal = ({
  stream,
  hosts = false,
  unit = 'scenario',
}: {
  stream?: NodeJS.WritableStream
  hosts?: boolean
  unit?: string
} = {}): TerminalReport => {
  const paint = painter(stream)
  return {
    result: (result, previous) =>
      [...headingOf(result, previous, hosts, paint), lineOf(result, paint)].join('\n'),

    theme: (results) => {
      const { passed, failed, skipped } = countsOf(results)
      const [first] = results
      const name = first === undefined ? '' : headingFor(first, hosts)
      const mark =
        failed > 0 ? paint('red', '✗') : passed > 0 ? paint('green', '✓') : paint('yellow', '-')
      const counts = [
        ...(passed > 0 ? [`${passed} passed`] : []),
        ...(failed > 0 ? [paint('red', `${failed} failed`)] : []),
        ...(skipped > 0 ? [paint('yellow', `${skipped} skipped`)] : []),
      ]
      return [
        `${mark} ${paint('bold', name)}  ${counts.join(', ')}`,
        ...results.filter((it) => it.verdict === 'failed').map((it) => `  ${lineOf(it, paint)}`),
      ].join('\n')
    },

    skips: (runs) => {
      const groups = groupReasons(runs.flatMap((run) => run.results))
      if (groups.length === 0) return ''
      const total = groups.reduce((sum, { count }) => sum + count, 0)
      const width = String(Math.max(...groups.map(({ count }) => count))).length
      const lines = groups.map(
        ({ reason, count }) => `  ${String(count).padStart(width)}  ${inertText(reason)}`,
      )
      return `${paint('yellow', `Not tested: ${total}`)}\n${wrapLines(lines, stream).join('\n')}\n`
    },

    failed: (runs) => {
      const failed = runs.flatMap((run) => run.results).filter((it) => it.verdict === 'failed')
      if (failed.length === 0) return ''
      const lines = failed.map((result) => {
        const { file, line } = result.failures[0]?.at ?? result
        return `  ${paint('dim', `${file}:${line}`)}  ${inertText(nameOf(result))}`
      })
      return `${paint('red', `Failed: ${failed.length}`)}\n${lines.join('\n')}\n`
    },

    progress: (done, total) => {
      const { failed } = countsOf(done)
      const filled = Math.round((done.length / Math.max(1, total)) * 20)
      const bar = `${'█'.repeat(filled)}${'░'.repeat(20 - filled)}`
      return `${paint('cyan', bar)} ${done.length}/${total}${failed > 0 ? paint('red', `, ${failed} failed`) : ''}`
    },

    failures: (runs) => {
      const failed = runs.flatMap((run) => run.results).filter((it) => it.verdict === 'failed')
      return failed
        .map((result, index) => {
          const first = failed.findIndex((it) => failsAlike(it, result))
          return failuresOf(result, index + 1, first < index ? first + 1 : undefined, paint, stream)
        })
        .join('\n')
    },

    counts: (runs) => {
      const { total, passed, failed, skipped } = countsOf(runs.flatMap((run) => run.results))
      const parts = [
        paint(passed > 0 ? 'green' : 'dim', `${passed} passed`),
        paint(failed > 0 ? 'red' : 'dim', `${failed} failed`),
        paint(skipped > 0 ? 'yellow' : 'dim', `${skipped} skipped`),
      ]
      const duration = runs.reduce((sum, run) => sum + run.duration, 0)
      const seeds = [...new Set(runs.map((run) => run.seed))].filter((it) => it !== undefined)
      const seed = seeds.length > 0 ? `, seed ${seeds.join(', ')}` : ''
      return `${parts.join(', ')} of ${total} ${total === 1 ? unit : `${unit}s`} in ${time(duration)}${seed}`
    },
  }
}

/** The same for a file or a log: no colours, no progress. */
export const plainReport: Report = (runs) => {
  const { result, failures, counts } = terminal({ hosts: runs.length > 1 })
  const lines = runs.flatMap(({ results }) =>
    results.map((it, index) => result(it, results[index - 1])),
  )
  return stripVTControlCharacters(
    [...lines, '', failures(runs), counts(runs), '']
      .join('\n')
      .replaceAll(/\n{3,}/g, '\n\n')
      .trimStart(),
  )
}

const headingFor = ({ theme, target }: Result, hosts: boolean): string =>
  inertText(hosts ? `${theme} (${target})` : theme)

const headingOf = (result: Result, previous: Result | undefined, hosts: boolean, paint: Paint) =>
  previous !== undefined && headingFor(previous, hosts) === headingFor(result, hosts)
    ? []
    : ['', paint('bold', headingFor(result, hosts))]

const lineOf = (result: Result, paint: Paint): string => {
  const name = inertText(nameOf(result))
  switch (result.verdict) {
    case 'passed':
      return `  ${paint('green', '✓')} ${name} ${paint('dim', time(result.duration))}`
    case 'failed':
      return `  ${paint('red', '✗')} ${name} ${paint('dim', time(result.duration))}`
    case 'skipped':
      return `  ${paint('yellow', '-')} ${name} ${paint('yellow', `skipped: ${inertText(result.reason ?? '')}`)}`
  }
}

const failuresOf = (
  result: Result,
  number: number,
  /** The number of an earlier result with the same failure. */
  like: number | undefined,
  paint: Paint,
  stream: NodeJS.WritableStream | undefined,
): string => {
  const title = paint(['red', 'bold'], `${number}. ${inertText(nameOf(result))}`)
  const where = paint('dim', `(${inertText(`${result.theme}, ${result.target}`)})`)
  if (like !== undefined) return `${title} ${where}\n\n   fails like ${like}.\n`
  const texts = result.failures.map((failure) => {
    const lines = failureText(failure, result)
      .replaceAll(/^(?=.)/gm, '   ')
      .split('\n')
    return `${wrapLines(lines, stream).join('\n')}\n`
  })
  return `${title} ${where}\n\n${texts.join('\n')}`
}

/** Same scenario and failure, under the other prefix or host. */
const failsAlike = (one: Result, other: Result): boolean =>
  one.file === other.file && isDeepStrictEqual(one.failures.map(saidOf), other.failures.map(saidOf))

const saidOf = ({ message, at, differences }: Failure) => ({ message, at, differences })

const time = (milliseconds: number): string =>
  milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(2)} s`
