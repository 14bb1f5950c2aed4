import type { Loaded } from '../language/load.ts'
import type { Target } from '../language/target.ts'
import { terminal } from '../reports/terminal.ts'
import { jobsOf, run as runScenarios } from '../runner/run.ts'
import type { Result, Run } from '../runner/verdict.ts'

export type Out = NodeJS.WriteStream & { hasColors?: () => boolean }

/** Runs scenarios and shows results in the order of the list, as soon as all before them are there. */
export const runLive = async (
  scenarios: readonly Loaded[],
  target: Target,
  how: Parameters<typeof runScenarios>[2],
  out: Out,
  several: boolean,
): Promise<Run> => {
  const { result: line, progress } = terminal({ color: out.hasColors?.() ?? false, hosts: several })
  const total = jobsOf(scenarios, how?.repeat).length
  const results: Result[] = []
  let shown = 0
  const clear = out.isTTY ? '\r\u001b[K' : ''

  const onResult = (result: Result, index: number) => {
    results[index] = result
    out.write(clear)
    for (let next = results[shown]; next !== undefined; next = results[shown]) {
      out.write(`${line(next, results[shown - 1])}\n`)
      shown += 1
    }
    const done = results.filter((it) => it !== undefined)
    if (out.isTTY && shown < total) out.write(progress(done, total))
  }

  return runScenarios(scenarios, target, { ...how, onResult })
}
