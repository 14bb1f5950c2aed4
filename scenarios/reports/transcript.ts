import { normalizeResult } from '../runner/compare.ts'
import { nameOf } from '../runner/verdict.ts'
import type { Report } from './report.ts'

/** Requests and answers without values that differ from run to run: equal for equal seeds. */
export const transcript: Report = (runs) =>
  runs
    .flatMap((run) => run.results)
    .map((result) => {
      const { verdict, answers, together } = normalizeResult(result)
      return `${JSON.stringify({ scenario: nameOf(result), verdict, answers, together }, null, 1)}\n`
    })
    .join('')
