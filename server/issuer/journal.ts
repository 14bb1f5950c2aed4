import { sizeOf } from '../wire/size-of.ts'
import type { Entry, Event } from './event.ts'

/** The number of newest entries a tenant keeps in memory, and the maximum bytes of up to twice as many. */
const kept = 10_000
const mostBytes = 16 * 1024 * 1024

/** The append-only list of a tenant's events, bounded in memory. */
export class Journal {
  /** Number of entries dropped from memory. */
  forgotten = 0
  readonly #entries: Entry[] = []
  readonly #listeners = new Set<(entry: Entry) => void>()
  readonly #keep: number
  readonly #mostBytes: number
  #bytes = 0

  constructor(keep = kept, bytes = mostBytes) {
    this.#keep = keep
    this.#mostBytes = bytes
  }

  /** Number of the newest entry; 0 when there is none. */
  get last(): number {
    return this.forgotten + this.#entries.length
  }

  /** Builds the entry of an event, `later` positions after the next one. */
  numbered(event: Event, at: number, later = 0): Entry {
    return { seq: this.last + 1 + later, at, ...event }
  }

  /** Continues after a gap: entries before it are incomplete. */
  append(entry: Entry): void {
    if (entry.seq !== this.last + 1) {
      this.#forget(this.#entries.length)
      this.forgotten = entry.seq - 1
    }
    this.#entries.push(entry)
    this.#bytes += sizeOf(entry)
    const { length } = this.#entries
    if (length >= 2 * this.#keep) this.#forget(length - this.#keep)
    else if (this.#bytes > this.#mostBytes) this.#forget(Math.floor(length / 2))
  }

  #forget(count: number): void {
    this.forgotten += count
    for (const entry of this.#entries.splice(0, count)) this.#bytes -= sizeOf(entry)
  }

  /** Notifies the listeners. Separate from `append`, so that they see the state after the entry. */
  announce(entry: Entry): void {
    for (const listener of this.#listeners) listener(entry)
  }

  /** The entries after a number, oldest first. */
  after(seq: number): readonly Entry[] {
    return this.#entries.slice(Math.max(0, seq - this.forgotten))
  }

  /** @returns a function that removes the listener */
  listen(listener: (entry: Entry) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
