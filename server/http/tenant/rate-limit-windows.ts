import type { RateLimits } from '../../wire/index.ts'

/** Callers counted apart in one window; those beyond share a count. */
const most = 10_000

type Window = { start: number; counts: Map<string, number> }

/** How often each caller has come, by group of routes, in windows of the tenant's clock. */
export class RateLimitWindows {
  readonly #windows = new Map<keyof RateLimits, Window>()

  /** Counts one visit more. @returns which of the window it is */
  count(group: keyof RateLimits, caller: string, start: number): number {
    const known = this.#windows.get(group)
    const window = known?.start === start ? known : { start, counts: new Map<string, number>() }
    this.#windows.set(group, window)
    const { counts } = window
    const key = counts.has(caller) || counts.size < most ? caller : 'the rest'
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    return count
  }
}
