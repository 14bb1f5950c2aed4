import type { Capability } from './capabilities.ts'
import type { Given } from './format.ts'
import type { Loaded } from './load.ts'
import type { Session } from './session.ts'

/** What scenarios run against: the mock under one of its hosts, or a real deployment. */
export type Target = Readonly<{
  name: string
  capabilities: ReadonlySet<Capability>
  /** The longest real wait for an `advance`, in seconds, where time is not virtual. */
  longestWait: number
  /** Why it cannot run a scenario, beyond what its capabilities say. */
  cannot?(scenario: Loaded): SkipReason | undefined
  /** One tenant with the scenario's `given`. */
  open(given: Given, how: OpenOptions): Promise<Session>
  close(): Promise<void>
}>

export type OpenOptions = Readonly<{
  /** A slug that no other running scenario uses. */
  tenant: string
  /** Index of the tenant in the scenario, from 0. */
  index?: number
  /** The same seed makes the same ids and secrets. */
  seed?: number | undefined
}>

/**
 * Why a scenario is skipped. `group` is the reason without what names one scenario, such as a user or a
 * request, and `seconds` the real time it needs: reports count by `group`.
 */
export type SkipReason = string | SkipGroup
export type SkipGroup = Readonly<{ reason: string; group: string; seconds?: number | undefined }>

/** The target cannot provide what a scenario needs. The scenario is skipped for this reason. */
export class SkipScenario extends Error {
  override readonly name = 'SkipScenario'
  readonly skip: SkipReason
  constructor(skip: SkipReason) {
    super(typeof skip === 'string' ? skip : skip.reason)
    this.skip = skip
  }
}

/** A request got no answer, for a reason on the server's side. */
export class NoAnswer extends Error {
  override readonly name: string = 'NoAnswer'
  readonly code: 'timeout' | 'connection_closed' | 'unreachable'
  constructor(message: string, code: NoAnswer['code'] = 'unreachable', options: ErrorOptions = {}) {
    super(message, options)
    this.code = code
  }
}
