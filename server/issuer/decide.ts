import type { Event } from './event.ts'
import type { State } from './state.ts'

/** What a decision may know beside the state: the time, in epoch seconds, and fresh ids. */
export type Context = Readonly<{ now: number; id: (prefix: string) => string }>

/**
 * A command is checked against the state and yields events; nothing else happens.
 * @throws {Refused} when the rules say no
 */
export type Decide<Command, Events extends readonly Event[] = readonly Event[]> = (
  state: State,
  command: Command,
  context: Context,
) => Events
