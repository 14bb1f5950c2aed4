import type { JournalEntry } from '../../server/wire/index.ts'
import type { Loaded } from '../language/load.ts'
import type { Session } from '../language/session.ts'
import type { Memory } from '../language/step-context.ts'
import type { SkipReason, Target } from '../language/target.ts'
import type { Exchange } from './exchange.ts'
import type { KnownSecret } from './redact.ts'
import type { StepResult } from './verdict.ts'

/** The results of the steps of a scenario. */
export type Log = {
  exchanges: Exchange[]
  steps: StepResult[]
  secrets: KnownSecret[]
  /** Why it could not continue for reasons outside the seats. */
  unable?: SkipReason
}

/** The state shared by all steps of a scenario. */
export type RunContext = Readonly<{
  scenario: Loaded
  prefix: 'tenant' | 'org'
  /** 16 hexadecimal digits of this run of the scenario, for names that must be new at the target. */
  unique: string
  sessions: ReadonlyMap<string, Session>
  target: Pick<Target, 'longestWait'>
  /** Timeout for an answer, in milliseconds. */
  patience: number
  /** Aborted: the scenario ends before its next step, with the reason of the signal. */
  stop?: AbortSignal | undefined
  /** The journal entries since the last call. */
  newEntries?: (() => Promise<readonly JournalEntry[]>) | undefined
  /** Called after each step. */
  onStep?: ((log: Log) => void) | undefined
  log: Log
  /** Tokens of users, by tenant and e-mail. */
  users: Map<string, Promise<string>>
  /** By how much virtual time was advanced, by tenant, in seconds. */
  moved: Map<string, number>
}>

/** The state that steps change. Each branch of a parallel step has its own. */
export type State = Readonly<{ hands: Map<string, Memory>; variables: Map<string, unknown> }>

export const memoryOf = (key: string, { hands }: State): Memory => {
  const hand = hands.get(key) ?? {}
  hands.set(key, hand)
  return hand
}

/** A copy for a branch. */
export const copyState = ({ hands, variables }: State): State => ({
  hands: new Map([...hands].map(([key, hand]) => [key, withoutClient(hand)])),
  variables: new Map(variables),
})

/** Without the client, whose exchanges belong to one step at a time. */
const withoutClient = ({ client: _, ...hand }: Memory): Memory => hand

/** Merges the variables of a branch, but not the results of its agents. */
export const joinState = (branch: State, outer: State): void => {
  for (const [name, value] of branch.variables)
    if (name !== 'round') outer.variables.set(name, value)
}

/** Discards the steps below a number, after a failed attempt. */
export const forgetSteps = (number: string, log: Log): void => {
  log.exchanges = log.exchanges.filter(({ step }) => !step.startsWith(number))
  log.steps = log.steps.filter(({ step }) => !step.startsWith(number))
}
