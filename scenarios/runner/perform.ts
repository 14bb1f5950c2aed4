import { randomBytes } from 'node:crypto'
import type { Seat } from '../../server/wire/index.ts'
import { actions } from '../language/actions.ts'
import type { Answer } from '../language/answer.ts'
import type { Loaded } from '../language/load.ts'
import { isObject } from '../language/match.ts'
import { resolveSaved, type Saved } from '../language/save.ts'
import type { Session } from '../language/session.ts'
import type { Outcome, Step, StepContext } from '../language/step-context.ts'
import { preconditionOf, wordOf } from '../language/steps.ts'
import { type SkipGroup, SkipScenario, type Target } from '../language/target.ts'
import type { Exchange } from './exchange.ts'
import { checkAnswer, viewOf } from './expectation.ts'
import { ContractBroken, failureOf, StepFailed, type UnplacedFailure } from './failure.ts'
import { usualPatience } from './request.ts'
import type { Log, RunContext } from './run-state.ts'
import { type CurrentStep, type PerformAll, stepContextOf } from './step-context.ts'
import type { Failure } from './verdict.ts'

export type PerformOptions = Readonly<{
  /** Timeout for an answer, in milliseconds. */
  patience?: number | undefined
  /** The value of `$unique`; default random. */
  unique?: string | undefined
}> &
  Pick<RunContext, 'stop' | 'newEntries' | 'onStep'>

export type Performance = Readonly<Log & { failures: readonly Failure[] }>

/**
 * Performs the steps of a scenario in its tenants. Errors become failures with a position; it never
 * throws.
 */
export const perform = async (
  scenario: Loaded,
  prefix: 'tenant' | 'org',
  sessions: ReadonlyMap<string, Session>,
  target: Pick<Target, 'longestWait'>,
  {
    patience = usualPatience,
    unique = randomBytes(8).toString('hex'),
    ...watching
  }: PerformOptions = {},
): Promise<Performance> => {
  const log: Log = { exchanges: [], steps: [], secrets: [] }
  const run = {
    scenario,
    prefix,
    unique,
    sessions,
    target,
    patience,
    log,
    ...watching,
    users: new Map(),
    moved: new Map(),
  }
  const failed = await findFailure(run)
  const exchanges = log.exchanges.toSorted((a, b) => byNumber(a.step, b.step))
  const steps = log.steps.toSorted((a, b) => byNumber(a.step, b.step))
  if (failed === undefined) return { ...log, exchanges, steps, failures: [] }
  const { subject, ...failure } = failed
  const exchange = subject === undefined ? undefined : exchanges.indexOf(subject)
  return { ...log, exchanges, steps, failures: [{ ...failure, exchange }] }
}

const findFailure = async (run: RunContext): Promise<UnplacedFailure | undefined> => {
  const state = { hands: new Map(), variables: new Map() }
  try {
    await performAll(run.scenario.steps, ['steps'], '', state, run)
    return undefined
  } catch (error) {
    if (error instanceof StepFailed) return error.failure
    throw error
  }
}

const performAll: PerformAll = async (steps, path, prefix, state, run) => {
  let answer: Answer | undefined
  for (const [index, step] of steps.entries()) {
    const number = `${prefix}${index + 1}`
    const word = wordOf(step)
    if (word === undefined) throw new Error(`no action in step ${number}`)
    const precondition = preconditionOf(step, index === steps.length - 1)
    const here = [...path, index]
    const current = { step, word, path: here, number, state, run, precondition, made: [] }
    answer = (await performStep(current)).answer ?? answer
  }
  return { answer }
}

const performStep = async (current: CurrentStep): Promise<Outcome> => {
  const { step, word, number, made } = current
  const { log, scenario, newEntries, onStep } = current.run
  const started = performance.now()
  let passed = false
  try {
    const outcome = await actAndCheck(current)
    passed = true
    return outcome
  } catch (error) {
    if (error instanceof StepFailed) throw error
    if (error instanceof SkipScenario) log.unable ??= error.skip
    throw new StepFailed(failureOf(error, current))
  } finally {
    const journal = await newEntries?.()
    log.steps.push({
      step: number,
      word,
      note: step.note as string | undefined,
      line: scenario.source.locate(current.path).line,
      duration: performance.now() - started,
      passed,
      judges: current.precondition === undefined ? seatsOf(made) : [],
      unavailable: describeUnavailable(
        step,
        made.findLast((it) => it.seat !== 'control'),
      ),
      ...(journal === undefined ? {} : { journal }),
    })
    log.exchanges.push(...made)
    onStep?.(log)
  }
}

/**
 * Runs the action of a step, checks its answers against the contract and `expect`, and saves
 * variables.
 */
const actAndCheck = async (current: CurrentStep): Promise<Outcome> => {
  const { step, word, state, made } = current
  current.run.stop?.throwIfAborted()
  const action = actions[word]
  const context = stepContextOf(current, performAll)
  const args = action.nests === undefined ? fillArgs(word, step[word], context) : step[word]
  const outcome = await action.run(args, context)
  checkViolations(step, made)
  const expected = step.expect === undefined ? undefined : context.fillExpected(step.expect)
  checkAnswer(action.looks, expected, outcome)
  for (const [name, from] of Object.entries((step.save ?? {}) as Record<string, Saved>)) {
    state.variables.set(name, resolveSaved(name, from, viewOf(action.looks, outcome)))
  }
  return outcome
}

const fillArgs = (word: string, args: unknown, context: StepContext): unknown => {
  if (word !== 'assert') return context.fill(args)
  const { value, expect } = args as { value: unknown; expect: unknown }
  return { value: context.fill(value), expect: context.fillExpected(expect) }
}

const checkViolations = (step: Step, made: readonly Exchange[]) => {
  if (isObject(step.expect) && 'violation' in step.expect) return
  const violating = made.find((it) => it.violations.length > 0)
  if (violating === undefined) return
  const expect = isObject(step.expect) ? step.expect : {}
  const mayRefuse = ['status', 'error', 'challenge'].some((key) => key in expect)
  throw new ContractBroken(violating, violating.answer.status >= 400 && !mayRefuse)
}

const seatsOf = (made: readonly Exchange[]): readonly Seat[] => [
  ...new Set(made.map((it) => it.seat)),
]

/** Statuses with which a server, or a proxy in front of it, says that it is not available. */
const unavailable = [429, 502, 503, 504]

const describeUnavailable = (step: Step, last: Exchange | undefined): SkipGroup | undefined => {
  if (last === undefined || !unavailable.includes(last.answer.status)) return undefined
  const { answer, request } = last
  if (JSON.stringify(step.expect ?? {}).includes(String(answer.status))) return undefined
  const what = `${request.method} ${new URL(request.url).pathname}`
  return {
    reason: `not available: ${what} answered ${answer.status}`,
    group: `not available: answered ${answer.status}`,
  }
}

/** `2` before `10`, `5.1.2` before `5.2.1`. */
const byNumber = (a: string, b: string): number => {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)]
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
