import type { RateLimits } from '../../wire/index.ts'

/** Maximum number of separately counted callers in one window. Further callers share a count. */
const most = 10_000

type Window = { start: number; counts: Map<string, number> }

/** Calls of each caller, by group of routes, in windows of the tenant's clock. */
export class RateLimitWindows {
  readonly #windows = new Map<keyof RateLimits, Window>()

  /**
   * Counts one more call.
   * @returns its number in the window
   */
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
