import { nameOf } from '../runner/verdict.ts'
import { failureText } from './failure.ts'
import type { Report } from './report.ts'

/** Workflow commands of GitHub Actions: an annotation at the line of each failure. */
export const github: Report = (runs) =>
  runs
    .flatMap((run) => run.results)
    .flatMap((result) =>
      result.failures.map((failure) => {
        const { file, line, column } = failure.at
        const place = `file=${property(file)},line=${line},col=${column}`
        const title = property(`${nameOf(result)} (${result.target})`)
        return `::error ${place},title=${title}::${data(failureText(failure, result))}\n`
      }),
    )
    .join('')

const data = (text: string) =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')

const property = (text: string) => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
