import { normalizeResult } from '../runner/compare.ts'
import { nameOf } from '../runner/verdict.ts'
import type { Report } from './report.ts'

/** What was asked and answered, without what differs from run to run: the same for the same seed. */
export const transcript: Report = (runs) =>
  runs
    .flatMap((run) => run.results)
    .map((result) => {
      const { verdict, answers, together } = normalizeResult(result)
      return `${JSON.stringify({ scenario: nameOf(result), verdict, answers, together }, null, 1)}\n`
    })
    .join('')
