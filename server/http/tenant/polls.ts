import { BoundedMap } from '../../wire/bounded-map.ts'

type Polled = Readonly<{ count: number; lastAt: number }>

/** How often each pending request or approval was polled, and when last, in epoch seconds. */
export class StatusPolls {
  readonly #polled = new BoundedMap<string, Polled>(10_000)

  get(id: string): Polled | undefined {
    return this.#polled.get(id)
  }

  /** How often it was polled. */
  count(id: string): number {
    return this.get(id)?.count ?? 0
  }

  /** Notes one poll more; forgets what is not pending any more. */
  note(id: string, isPending: boolean, now: number): void {
    if (isPending) this.#polled.set(id, { count: this.count(id) + 1, lastAt: now })
    else this.#polled.delete(id)
  }
}
