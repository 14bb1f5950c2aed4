import type { Seat } from '../../server/wire/index.ts'
import type { Client } from './agent-fetch.ts'
import type { Answer } from './answer.ts'
import type { Difference, Path } from './match.ts'
import type { Credentials, Session } from './session.ts'

/**
 * Who knocks. `agent`: the agent's own token, fetched when first needed. `jit`: its latest JIT token.
 * `approver`: a person who holds `jit.approve`. `client`, `api_client`: Basic authentication of the
 * agent, or of the API. `none`: nobody. Anything else is a token.
 */
export const credentials = ['agent', 'jit', 'approver', 'client', 'api_client', 'none'] as const

/** What an agent has in hand: the outcome of its latest steps. */
export type Memory = {
  token?: string
  task?: Readonly<Record<string, unknown>>
  request?: Readonly<Record<string, unknown>>
  jit?: string
  client?: Client
}

export type Order = Readonly<{
  method: string
  /** Below the seat's base; with `from: origin`, below its origin. */
  path: string
  from?: 'base' | 'origin' | undefined
  json?: unknown
  form?: Readonly<Record<string, unknown>> | undefined
  body?: string | Uint8Array<ArrayBuffer> | undefined
  headers?: Readonly<Record<string, string>> | undefined
  /** Who knocks, where the step does not say. */
  by?: string
}>

/** What a step sees of the world, and all it can do to it. */
export type StepContext = Readonly<{
  session: Session
  agent: Credentials
  me: Memory
  prefix: 'tenant' | 'org'
  /** The e-mail of the person who acts, where `as` names one. */
  user: string | undefined
  /** How long an answer may take, in milliseconds. */
  patience: number
  send(seat: Seat, order: Order): Promise<Answer>
  /** A recording `fetch` for code that brings its own requests. */
  fetch: typeof fetch
  /** The token a word stands for, or the word itself. */
  token(word: string): Promise<string>
  /** Epoch seconds, in the tenant's time. */
  now(): number
  /** Moves virtual time, or waits. */
  wait(seconds: number): Promise<Answer | undefined>
  /** Performs steps that stand at a path below this step's argument. */
  perform(steps: readonly Step[], at: Path, how?: Nested): Promise<StepPerformed>
  fill(value: unknown): unknown
  fillExpected(value: unknown): unknown
}>

export type Nested = Readonly<{
  /** The steps see a copy of what the agents have in hand. */
  apart?: boolean
  variables?: Readonly<Record<string, unknown>>
  /** Joins the step's number, so that exchanges tell the branches apart. */
  label?: string
}>

/** How a list of steps went: the last answer in it. */
export type StepPerformed = Readonly<{ answer: Answer | undefined }>

/** A step as written: one action and its modifiers. */
export type Step = Readonly<Record<string, unknown>>

/** What came of an action: what `expect` and `save` look at. */
export type Outcome = Readonly<{ answer?: Answer | undefined; value: unknown }>

/** A step that did not do what it says, for a reason that has a place in the file. */
export class ExpectationFailed extends Error {
  override readonly name = 'ExpectationFailed'
  readonly at: Path
  readonly differences: readonly Difference[]
  /** `refused`: an answer was no success. `differs`: it is not as expected. `unmet`: anything else. */
  readonly code: 'refused' | 'differs' | 'unmet'
  constructor(
    message: string,
    at: Path = [],
    differences: readonly Difference[] = [],
    code: ExpectationFailed['code'] = differences.length > 0 ? 'differs' : 'unmet',
  ) {
    super(message)
    this.at = at
    this.differences = differences
    this.code = code
  }
}

/** @throws {ExpectationFailed} always */
export const failExpectation = (message: string): never => {
  throw new ExpectationFailed(message)
}
