import type { Loaded } from '../language/load.ts'
import type { Target } from '../language/target.ts'
import { type LiveOutputOptions, liveOutput } from '../reports/live-output.ts'
import { jobsOf, run as runScenarios } from '../runner/run.ts'
import type { Run } from '../runner/verdict.ts'

export type Out = NodeJS.WriteStream

/** Runs scenarios and shows results in the order of the list, each as soon as all results before it have arrived. */
export const runLive = async (
  scenarios: readonly Loaded[],
  target: Target,
  how: Parameters<typeof runScenarios>[2],
  out: Out,
  { hosts, reporter }: Pick<LiveOutputOptions, 'hosts' | 'reporter'> = {},
): Promise<Run> => {
  const total = jobsOf(scenarios, how?.repeat).length
  const onResult = liveOutput(out, { total, ...(hosts && { hosts }), reporter })
  return runScenarios(scenarios, target, { ...how, onResult })
}
