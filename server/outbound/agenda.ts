import type { Clock } from '../issuer/tenant.ts'

/** How real time passes; tests bring their own. */
export type Timers = Readonly<{
  set: (act: () => void, milliseconds: number) => unknown
  clear: (timer: unknown) => void
}>

/** Nothing waits for them: a process with nothing else to do may end. */
export const systemTimers: Timers = {
  set: (act, milliseconds) => setTimeout(act, milliseconds).unref(),
  clear: (timer) => clearTimeout(timer as NodeJS.Timeout),
}

type Item = Readonly<{ due: number; act: () => void | Promise<void> }>

/** The longest that Node's timers can wait is 24 days; a moved clock is noticed by `look`. */
const longestWait = 3600

/** More than this is not planned; the oldest plans stand. */
const most = 10_000

/**
 * What a tenant's host does later, by the tenant's clock: where it runs a timer waits, where it is
 * moved whoever moves it has `look` called. The rules know nothing of this.
 */
export class Agenda {
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #items = new Set<Item>()
  readonly #underway = new Set<Promise<void>>()
  readonly #failed: (thrown: unknown) => void
  #timer: unknown
  #next = Number.POSITIVE_INFINITY
  #over = false
  readonly #planned: (due: number | undefined) => void

  /**
   * @param failed is called with what went wrong in what was planned, as nothing waits for it
   * @param planned is called with when the next thing is due, by the tenant's clock, if anything is
   */
  constructor(
    clock: Clock,
    timers: Timers,
    ended: AbortSignal,
    failed: (thrown: unknown) => void = rethrow,
    planned: (due: number | undefined) => void = () => {},
  ) {
    this.#clock = clock
    this.#timers = timers
    this.#failed = failed
    this.#planned = planned
    ended.addEventListener('abort', () => this.#stop(), { once: true })
  }

  /** @returns false when there is no room, or everything is over */
  at(due: number, act: Item['act']): boolean {
    if (this.#over || this.#items.size >= most) return false
    this.#items.add({ due, act })
    if (due < this.#next) this.#waitUntil(due)
    return true
  }

  /** Does what is due, in the order of its time. */
  look(): void {
    const now = this.#clock.now()
    const due = [...this.#items].filter((item) => item.due <= now).sort((a, b) => a.due - b.due)
    for (const item of due) {
      this.#items.delete(item)
      const doing = (async () => item.act())()
        .catch(this.#failed)
        .finally(() => {
          this.#underway.delete(doing)
          this.#tellPlan()
        })
      this.#underway.add(doing)
    }
    this.#waitUntil(Math.min(...[...this.#items].map((item) => item.due)))
  }

  /** Waits until nothing is under way; what is planned for later stays planned. */
  async settled(): Promise<void> {
    while (this.#underway.size > 0) await Promise.allSettled([...this.#underway])
  }

  /** Whether nothing is planned or under way. */
  get idle(): boolean {
    return this.#items.size === 0 && this.#underway.size === 0
  }

  /** What is under way is due until it is done. */
  #tellPlan() {
    if (this.#over) return
    if (this.#underway.size > 0) this.#planned(this.#clock.now())
    else this.#planned(this.#next === Number.POSITIVE_INFINITY ? undefined : this.#next)
  }

  #waitUntil(due: number) {
    this.#timers.clear(this.#timer)
    this.#next = due
    this.#tellPlan()
    const seconds = due - this.#clock.now()
    // A clock that stands still gets nowhere by itself; what is due already does not depend on it.
    if (this.#over || due === Number.POSITIVE_INFINITY || (seconds > 0 && !this.#clock.running))
      return
    const wait = Math.min(Math.max(seconds, 0), longestWait) * 1000
    this.#timer = this.#timers.set(() => this.look(), wait)
  }

  #stop() {
    this.#over = true
    this.#items.clear()
    this.#timers.clear(this.#timer)
  }
}

/** A bug: nobody may overlook it. */
const rethrow = (thrown: unknown) => {
  throw thrown
}
