import type { Event } from './event.ts'
import type { State } from './state.ts'

/** Inputs of a decision besides the state: the time in epoch seconds, and new ids. */
export type Context = Readonly<{ now: number; id: (prefix: string) => string }>

/**
 * Checks a command against the state and returns events. Has no side effects.
 * @throws {Refused} when a rule refuses the command
 */
export type Decide<Command, Events extends readonly Event[] = readonly Event[]> = (
  state: State,
  command: Command,
  context: Context,
) => Events
