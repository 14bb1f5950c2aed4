import { LumoAuthError, RateLimitedError, UnavailableError } from './errors.ts'
import type { Now, Sleep } from './time.ts'

/** The result of one poll: the final value, or when to poll next. */
export type Look<T> = { done: T } | { interval?: number | undefined }

/** Options of `poll`. */
export type PollOptions = Readonly<{
  /** Seconds between polls, until the server sends its own interval. Default 5. */
  interval?: number | undefined
  /** Seconds after which polling stops. Default 300. */
  limit?: number | undefined
  now: Now
  sleep: Sleep
  signal?: AbortSignal | undefined
  /** Creates the error for a timeout. */
  timeout: (limit: number, last: unknown) => LumoAuthError
}>

/**
 * Polls until the result is final. Waits before every poll (RFC 8628 §3.5): the larger of `interval`
 * and `Retry-After`. `slow_down` permanently adds 5 s. A poll that fails temporarily (network,
 * deadline, 502 to 504) is repeated; the third such failure in a row is thrown.
 */
export const poll = async <T>(
  look: (signal?: AbortSignal) => Promise<Look<T>>,
  { interval = 5, limit = 300, now, sleep, signal, timeout }: PollOptions,
): Promise<T> => {
  const start = now()
  let slept = 0
  let gap = Math.max(interval, shortestGap)
  let wait = gap
  let unlucky = 0
  let last: unknown
  for (;;) {
    const elapsed = Math.max(now() - start, slept)
    if (elapsed + wait > limit) throw timeout(limit, last)
    await sleep(wait, signal)
    slept += wait
    signal?.throwIfAborted()
    try {
      const seen = await look(signal)
      if ('done' in seen) return seen.done
      unlucky = 0
      gap = Math.max(gap, seen.interval ?? 0)
      wait = gap
    } catch (error) {
      last = error
      if (error instanceof RateLimitedError) {
        if (error.serverCode === 'slow_down') gap = Math.max(gap + 5, error.interval ?? 0)
      } else if (isTransient(error) && unlucky < 2) {
        unlucky += 1
      } else {
        throw error
      }
      wait = Math.max(gap, retryAfterOf(error) ?? 0)
    }
  }
}

/** Whether a failure is temporary, so that a further attempt may succeed. */
export const isTransient = (error: unknown): boolean =>
  error instanceof LumoAuthError &&
  (error.code === 'network_error' ||
    error.code === 'deadline_exceeded' ||
    ('status' in error && [502, 503, 504].includes(error.status as number)))

export const retryAfterOf = (error: unknown): number | undefined =>
  error instanceof RateLimitedError || error instanceof UnavailableError
    ? error.retryAfter
    : undefined

/** Seconds of a `Retry-After`: a number, or an HTTP date (RFC 9110 §10.2.3). */
export const secondsToWait = (retryAfter: string | null, now: number): number | undefined => {
  const value = retryAfter?.trim() ?? ''
  if (/^\d{1,9}$/.test(value)) return Number(value)
  if (!httpDate.test(value)) return undefined
  const date = Date.parse(value.endsWith(' GMT') ? value : `${value} GMT`)
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil(date / 1000 - now))
}

/** In its three forms (RFC 9110 §5.6.7), of which the last does not name its time zone, GMT. */
const httpDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\d\d:\d\d:\d\d/

/** Prevents a busy loop after `interval: 0`. */
const shortestGap = 1
