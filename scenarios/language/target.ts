import type { Capability } from './capabilities.ts'
import type { Given } from './format.ts'
import type { Loaded } from './load.ts'
import type { Session } from './session.ts'

/** The seats a scenario is run against: the mock under one of its hosts, or a real deployment. */
export type Target = Readonly<{
  name: string
  capabilities: ReadonlySet<Capability>
  /** The longest real wait `advance` may become where time is not virtual, in seconds. */
  longestWait: number
  /** Why it cannot run a scenario, where it knows better than its capabilities tell. */
  cannot?(scenario: Loaded): string | undefined
  /** One tenant to work in, with what the scenario takes as given. */
  open(given: Given, how: OpenOptions): Promise<Session>
  close(): Promise<void>
}>

export type OpenOptions = Readonly<{
  /** A slug no other running scenario uses. */
  tenant: string
  /** Which of the scenario’s tenants it is, from 0. */
  index?: number
  /** The same seed makes the same ids and secrets. */
  seed?: number | undefined
}>

/** A target cannot offer what a scenario takes as given: it is skipped for this reason. */
export class SkipScenario extends Error {
  override readonly name = 'SkipScenario'
}

/** A request got no answer, for a reason of the other side. */
export class NoAnswer extends Error {
  override readonly name: string = 'NoAnswer'
  readonly code: 'timeout' | 'connection_closed' | 'unreachable'
  constructor(message: string, code: NoAnswer['code'] = 'unreachable', options: ErrorOptions = {}) {
    super(message, options)
    this.code = code
  }
}
