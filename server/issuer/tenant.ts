import { Policy } from '../wire/index.ts'
import type { Decide } from './decide.ts'
import type { Entry, Event } from './event.ts'
import { evolve } from './evolve.ts'
import type { History } from './history.ts'
import { Journal } from './journal.ts'
import { refuseAboveLimit } from './limits.ts'
import { emptyState, forgetExpired, type State } from './state.ts'

/** A tenant's clock, in whole epoch seconds: the system's, shifted, or standing still. */
export class Clock {
  readonly #base: () => number
  #shift = 0
  #stopped: number | undefined

  /** @param stoppedAt epoch seconds at which it stands until moved; absent: it runs */
  constructor(base: () => number = () => Date.now() / 1000, stoppedAt?: number) {
    this.#base = base
    this.#stopped = stoppedAt
  }

  readonly now = (): number => Math.floor(this.#stopped ?? this.#base() + this.#shift)

  /** Whether time passes by itself. */
  get running(): boolean {
    return this.#stopped === undefined
  }

  /** Seconds by which a running clock was moved. */
  get shift(): number {
    return this.#shift
  }

  advance(seconds: number): void {
    if (this.#stopped === undefined) this.#shift += seconds
    else this.#stopped += seconds
  }

  set(epoch: number): void {
    this.advance(epoch - this.now())
  }
}

/** Fresh ids, such as `task_4f1c9a0be2d37785`. */
export type Ids = (prefix: string) => string

/** Hears of every entry before it counts. What it refuses by throwing does not happen. */
export type KeepEntries = (entries: readonly Entry[]) => void

/** One tenant: state, clock, ids and journal. Everything in it belongs to it alone. */
export class Tenant {
  readonly slug: string
  readonly clock: Clock
  readonly id: Ids
  readonly journal: Journal
  #state: State
  readonly #keep: KeepEntries

  constructor(
    slug: string,
    clock: Clock,
    id: Ids,
    keep: KeepEntries = () => {},
    journal = new Journal(),
  ) {
    this.slug = slug
    this.clock = clock
    this.id = id
    this.journal = journal
    this.#keep = keep
    this.#state = emptyState(Policy.parse({}))
  }

  get state(): State {
    return this.#state
  }

  /**
   * Decides a command and lets its events happen, all or none.
   * @throws {Refused} when the rules say no; nothing has happened then
   */
  run<Command, Events extends readonly Event[]>(
    decide: Decide<Command, Events>,
    command: Command,
  ): Events {
    const now = this.clock.now()
    forgetExpired(this.state, now)
    const events = decide(this.state, command, { now, id: this.id })
    refuseAboveLimit(this.state, events)
    this.happen(events, now)
    return events
  }

  /** Lets events happen that no command decides: seeds and switches. */
  happen(events: readonly Event[], now = this.clock.now()): void {
    const entries = events.map((event, at) => this.journal.numbered(event, now, at))
    this.#keep(entries)
    for (const entry of entries) this.journal.append(entry)
    for (const entry of entries) evolve(this.state, entry)
    for (const entry of entries) this.journal.announce(entry)
  }

  /** Becomes the tenant of a history that is finished; its state belongs to the tenant from now on. */
  restore({
    state,
    seq,
    entries,
    clockMoved,
  }: Pick<History, 'state' | 'seq' | 'entries' | 'clockMoved'>): void {
    this.#state = state
    this.journal.forgotten = seq
    for (const entry of entries) this.journal.append(entry)
    this.clock.advance(clockMoved)
  }

  /** Brings back what happened before, without announcing it. */
  replay(entries: Iterable<Entry>): void {
    for (const entry of entries) {
      this.journal.append(entry)
      evolve(this.state, entry)
      if (entry.type === 'clock.moved') this.clock.advance(entry.by)
    }
  }
}
