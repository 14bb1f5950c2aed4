import { countsOf } from '../runner/verdict.ts'
import type { Report } from './report.ts'

/** All results, with their exchanges. */
export const json: Report = (runs) =>
  `${JSON.stringify({ counts: countsOf(runs.flatMap((run) => run.results)), runs }, null, 2)}\n`
