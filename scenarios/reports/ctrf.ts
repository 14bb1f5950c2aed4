import { countsOf, nameOf, type Result } from '../runner/verdict.ts'
import { failureText } from './failure.ts'
import type { Report } from './report.ts'

/** Common Test Report Format (ctrf.io), which many CI tools and dashboards read. */
export const ctrf: Report = (runs) => {
  const results = runs.flatMap((run) => run.results)
  const counts = countsOf(results)
  const start = Math.min(...runs.map((run) => run.startedAt))
  const stop = Math.max(...runs.map((run) => run.startedAt + run.duration))
  const report = {
    reportFormat: 'CTRF',
    specVersion: '0.0.0',
    generatedBy: 'lumoauth-harness',
    results: {
      tool: { name: 'lumoauth-harness' },
      summary: {
        tests: counts.total,
        passed: counts.passed,
        failed: counts.failed,
        pending: 0,
        skipped: counts.skipped,
        other: 0,
        start: roundMilliseconds(start),
        stop: roundMilliseconds(stop),
      },
      tests: results.map(testOf),
    },
  }
  return `${JSON.stringify(report, null, 2)}\n`
}

const testOf = (result: Result) => ({
  name: nameOf(result),
  status: result.verdict,
  duration: roundMilliseconds(result.duration),
  suite: [result.target, result.theme],
  filePath: result.file,
  line: result.line,
  tags: [...result.tags, ...result.covers],
  ...(result.reason === undefined ? {} : { message: result.reason }),
  ...(result.failures[0] === undefined
    ? {}
    : {
        message: result.failures[0].message,
        trace: result.failures.map((failure) => failureText(failure, result)).join('\n\n'),
      }),
  steps: result.steps.map((step) => ({
    name: `${step.step} ${step.word}`,
    status: step.passed ? 'passed' : 'failed',
  })),
})

const roundMilliseconds = (milliseconds: number) =>
  Number.isFinite(milliseconds) ? Math.round(milliseconds) : 0
