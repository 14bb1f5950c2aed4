import type { Loaded } from '../language/load.ts'
import type { Session } from '../language/session.ts'
import type { Memory } from '../language/step-context.ts'
import type { Target } from '../language/target.ts'
import type { Exchange } from './exchange.ts'
import type { KnownSecret } from './redact.ts'
import type { StepResult } from './verdict.ts'

/** What the steps of a scenario leave behind. */
export type Log = {
  exchanges: Exchange[]
  steps: StepResult[]
  secrets: KnownSecret[]
  /** Why it could not go on, where that says nothing about the seats. */
  unable?: string
}

/** What is the same for all steps of a scenario. */
export type RunContext = Readonly<{
  scenario: Loaded
  prefix: 'tenant' | 'org'
  sessions: ReadonlyMap<string, Session>
  target: Pick<Target, 'longestWait'>
  /** How long an answer may take, in milliseconds. */
  patience: number
  log: Log
  /** Tokens of people, by tenant and e-mail. */
  users: Map<string, Promise<string>>
  /** How far virtual time was moved, by tenant, in seconds. */
  moved: Map<string, number>
}>

/** What changes from step to step; the branches of a parallel step each have their own. */
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

/** Not the client: its exchanges belong to one step at a time. */
const withoutClient = ({ client: _, ...hand }: Memory): Memory => hand

/** What a branch saved is there afterwards; what its agents had in hand is not. */
export const joinState = (branch: State, outer: State): void => {
  for (const [name, value] of branch.variables)
    if (name !== 'round') outer.variables.set(name, value)
}

/** Forgets the steps below a number: an attempt that did not pass is as if it had not been. */
export const forgetSteps = (number: string, log: Log): void => {
  log.exchanges = log.exchanges.filter(({ step }) => !step.startsWith(number))
  log.steps = log.steps.filter(({ step }) => !step.startsWith(number))
}
