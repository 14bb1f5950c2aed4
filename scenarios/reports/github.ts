import type { Position } from '../language/source.ts'
import { nameOf } from '../runner/verdict.ts'
import { failureText } from './failure.ts'
import type { Report } from './report.ts'

/** Workflow commands of GitHub Actions: an annotation at the line of each failure. */
export const github: Report = (runs) =>
  runs
    .flatMap((run) => run.results)
    .flatMap((result) =>
      result.failures.map((failure) => {
        const title = `${nameOf(result)} (${result.target})`
        return annotation(failure.at, title, failureText(failure, result))
      }),
    )
    .join('')

/** One annotation: an error at a line. */
export const annotation = (
  { file, line, column }: Position,
  title: string,
  message: string,
): string =>
  `::error file=${property(file)},line=${line},col=${column},title=${property(title)}::${data(message)}\n`

const data = (text: string) =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')

const property = (text: string) => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
