import type { Seat } from '../../server/wire/index.ts'
import type { Client } from './agent-fetch.ts'
import type { Answer } from './answer.ts'
import type { Difference, Path } from './match.ts'
import type { Credentials, Session } from './session.ts'

/**
 * The credentials of a request. `agent`: the agent's own token, requested when first needed. `jit`:
 * its latest JIT token. `approver`: the token of a user with `jit.approve`. `client`, `api_client`:
 * Basic authentication of the agent or the API. `none`: no credentials. Any other text is a token.
 */
export const credentials = ['agent', 'jit', 'approver', 'client', 'api_client', 'none'] as const

/** The results of an agent's latest steps: task, request, tokens. */
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
  /** Default credentials. */
  by?: string
}>

/** Everything a step can read and do. */
export type StepContext = Readonly<{
  session: Session
  agent: Credentials
  me: Memory
  prefix: 'tenant' | 'org'
  /** E-mail of the acting user, where `as` names one. */
  user: string | undefined
  /** Timeout for an answer, in milliseconds. */
  patience: number
  /** Aborted: the scenario ends now. */
  stop?: AbortSignal | undefined
  send(seat: Seat, order: Order): Promise<Answer>
  /** A `fetch` that records exchanges, for code that sends its own requests. */
  fetch: typeof fetch
  /** The token that a name such as `jit` refers to, or the text itself. */
  token(word: string): Promise<string>
  /** The tenant's time, in epoch seconds. */
  now(): number
  /** Advances virtual time, or waits in real time. */
  wait(seconds: number): Promise<Answer | undefined>
  /** Performs steps that stand at a path below this step's argument. */
  perform(steps: readonly Step[], at: Path, how?: Nested): Promise<StepPerformed>
  fill(value: unknown): unknown
  fillExpected(value: unknown): unknown
}>

export type Nested = Readonly<{
  /** The steps get a copy of the agents' results. */
  apart?: boolean
  variables?: Readonly<Record<string, unknown>>
  /** Part of the step number, which distinguishes the exchanges of branches. */
  label?: string
}>

/** The outcome of a list of steps: its last answer. */
export type StepPerformed = Readonly<{ answer: Answer | undefined }>

/** A step as written: one action and its modifiers. */
export type Step = Readonly<Record<string, unknown>>

/** The outcome of an action, which `expect` and `save` read. */
export type Outcome = Readonly<{ answer?: Answer | undefined; value: unknown }>

/** A failed step, with the path in the file that explains it. */
export class ExpectationFailed extends Error {
  override readonly name = 'ExpectationFailed'
  readonly at: Path
  readonly differences: readonly Difference[]
  /** `refused`: the answer was an error. `differs`: it did not match. `unmet`: any other reason. */
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
