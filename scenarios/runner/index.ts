import '../../server/wire/require-node.ts'

/** The scenario runner as a library. */

export { actions } from '../language/actions.ts'
export type { Capability } from '../language/capabilities.ts'
export { capabilities } from '../language/capabilities.ts'
export { Given, Scenario } from '../language/format.ts'
export { type Loaded, loadScenarios, type Problem, readScenario } from '../language/load.ts'
export { match, matchers } from '../language/match.ts'
export { scenarioSchema } from '../language/schema.ts'
export type { Session } from '../language/session.ts'
export type { Target } from '../language/target.ts'
export { SkipScenario } from '../language/target.ts'
export { difference } from './compare.ts'
export type { Exchange } from './exchange.ts'
export { jobsOf, type RunOptions, run } from './run.ts'
export { countsOf, type Failure, nameOf, type Result, type Run, type Verdict } from './verdict.ts'
