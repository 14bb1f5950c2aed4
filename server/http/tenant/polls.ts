import { BoundedMap } from '../../wire/bounded-map.ts'

type Polled = Readonly<{ count: number; lastAt: number }>

/**
 * The number of polls of each pending request or approval, and the time of the last one in epoch
 * seconds.
 */
export class StatusPolls {
  readonly #polled = new BoundedMap<string, Polled>(10_000)

  get(id: string): Polled | undefined {
    return this.#polled.get(id)
  }

  /** The number of polls. */
  count(id: string): number {
    return this.get(id)?.count ?? 0
  }

  /** Counts one more poll; deletes the entries that are not pending any more. */
  note(id: string, isPending: boolean, now: number): void {
    if (isPending) this.#polled.set(id, { count: this.count(id) + 1, lastAt: now })
    else this.#polled.delete(id)
  }
}
