import type { Clock } from '../issuer/tenant.ts'

/** Timers in real time. Tests pass their own. */
export type Timers = Readonly<{
  set: (act: () => void, milliseconds: number) => unknown
  clear: (timer: unknown) => void
}>

/** These timers do not keep the process alive. */
export const systemTimers: Timers = {
  set: (act, milliseconds) => setTimeout(act, milliseconds).unref(),
  clear: (timer) => clearTimeout(timer as NodeJS.Timeout),
}

type Item = Readonly<{ due: number; act: () => void | Promise<void> }>

/** Node's timers wait 24 days at most; `look` handles a moved clock. */
const longestWait = 3600

/** Maximum number of jobs. Further jobs are rejected. */
const most = 10_000

/**
 * Jobs for later, by the tenant's clock. Timers wait while the clock runs; code that moves the clock
 * calls `look`. The rules do not use this.
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
   * @param failed receives the errors of jobs, because no caller waits for them
   * @param planned is called with the time of the next job, by the tenant's clock, or without one when
   * there is none
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

  /** @returns false when there is no room, or the agenda is closed */
  at(due: number, act: Item['act']): boolean {
    if (this.#over || this.#items.size >= most) return false
    this.#items.add({ due, act })
    if (due < this.#next) this.#waitUntil(due)
    return true
  }

  /** Runs the due jobs, in the order of their times. */
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

  /** Waits until no job is running. Later jobs stay scheduled. */
  async settled(): Promise<void> {
    while (this.#underway.size > 0) await Promise.allSettled([...this.#underway])
  }

  /** Whether no job is scheduled or running. */
  get idle(): boolean {
    return this.#items.size === 0 && this.#underway.size === 0
  }

  /** A running job counts as due until it ends. */
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
    // A stopped clock needs no timer; jobs that are already due run anyway.
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

/** An internal error, which must be reported. */
const rethrow = (thrown: unknown) => {
  throw thrown
}
