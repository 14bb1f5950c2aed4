import { countsOf } from '../runner/verdict.ts'
import type { Report } from './report.ts'

/** Everything, exchanges too. */
export const json: Report = (runs) =>
  `${JSON.stringify({ counts: countsOf(runs.flatMap((run) => run.results)), runs }, null, 2)}\n`
