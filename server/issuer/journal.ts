import { sizeOf } from '../wire/size-of.ts'
import type { Entry, Event } from './event.ts'

/** The newest entries a tenant keeps in memory, and the most bytes of up to twice as many. */
const kept = 10_000
const mostBytes = 16 * 1024 * 1024

/** The append-only list of what happened in a tenant, bounded in memory. */
export class Journal {
  /** How many entries have been dropped from memory. */
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

  /** The number of the newest entry; 0 when there is none. */
  get last(): number {
    return this.forgotten + this.#entries.length
  }

  /** What an event will be as an entry, `placeholderReport` places after the next. */
  numbered(event: Event, at: number, later = 0): Entry {
    return { seq: this.last + 1 + later, at, ...event }
  }

  /** After a gap only what comes now counts: of what was before, some has been forgotten. */
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

  /** Tells the listeners; apart from `append`, so that they see the state the entry led to. */
  announce(entry: Entry): void {
    for (const listener of this.#listeners) listener(entry)
  }

  /** What came after an entry, oldest first. */
  after(seq: number): readonly Entry[] {
    return this.#entries.slice(Math.max(0, seq - this.forgotten))
  }

  /** @returns a function that ends the listening */
  listen(listener: (entry: Entry) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
