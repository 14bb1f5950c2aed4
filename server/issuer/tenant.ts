import { Policy } from '../wire/index.ts'
import type { Decide } from './decide.ts'
import type { Entry, Event } from './event.ts'
import { evolve } from './evolve.ts'
import type { History } from './history.ts'
import { Journal } from './journal.ts'
import { refuseAboveLimit } from './limits.ts'
import { emptyState, forgetExpired, type State } from './state.ts'

/** A tenant's clock, in whole epoch seconds: the system clock with an offset, or stopped. */
export class Clock {
  readonly #base: () => number
  #shift = 0
  #stopped: number | undefined

  /** @param stoppedAt epoch seconds at which the clock is stopped; absent: it runs */
  constructor(base: () => number = () => Date.now() / 1000, stoppedAt?: number) {
    this.#base = base
    this.#stopped = stoppedAt
  }

  readonly now = (): number => Math.floor(this.#stopped ?? this.#base() + this.#shift)

  /** Whether the clock runs. */
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

/** Generates ids such as `task_4f1c9a0be2d37785`. */
export type Ids = (prefix: string) => string

/** Called with every entry before it takes effect. An error it throws prevents the entry. */
export type KeepEntries = (entries: readonly Entry[]) => void

/** One tenant: state, clock, ids and journal. Tenants share none of these. */
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
   * Decides a command and applies its events, all or none.
   * @throws {Refused} when a rule refuses the command; then nothing has changed
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

  /** Applies events without a command: seeds and switches. */
  happen(events: readonly Event[], now = this.clock.now()): void {
    const entries = events.map((event, at) => this.journal.numbered(event, now, at))
    this.#keep(entries)
    for (const entry of entries) this.journal.append(entry)
    for (const entry of entries) evolve(this.state, entry)
    for (const entry of entries) this.journal.announce(entry)
  }

  /** Loads a finished history; the tenant owns its state from now on. */
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

  /** Replays earlier events, without announcing them. */
  replay(entries: Iterable<Entry>): void {
    for (const entry of entries) {
      this.journal.append(entry)
      evolve(this.state, entry)
      if (entry.type === 'clock.moved') this.clock.advance(entry.by)
    }
  }
}
