import { DeadlineExceededError } from './errors.ts'

/** Epoch seconds. */
export type Now = () => number

/** Waits. Rejects with the reason of the signal when it aborts. */
export type Sleep = (seconds: number, signal?: AbortSignal) => Promise<void>

export const systemNow: Now = () => Date.now() / 1000

export const systemSleep: Sleep = (seconds, signal) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, seconds * 1000)
  return rejectOnAbort(promise, signal).finally(() => clearTimeout(timer))
}

/**
 * Runs the work with a signal that also aborts after the given seconds of real time. Also stops waiting
 * for work that ignores its signal. Clears its timer.
 */
export const withDeadline = async <T>(
  what: string,
  seconds: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  signal?.throwIfAborted()
  const deadline = new AbortController()
  const either = AbortSignal.any([deadline.signal, ...(signal ? [signal] : [])])
  const timer = Number.isFinite(seconds)
    ? setTimeout(() => deadline.abort(new DeadlineExceededError(what, seconds)), seconds * 1000)
    : undefined
  try {
    return await rejectOnAbort(work(either), either)
  } catch (error) {
    throw either.aborted ? either.reason : error
  } finally {
    clearTimeout(timer)
  }
}

/** Resolves as the promise does, or rejects with the reason of the signal, whichever comes first. */
export const rejectOnAbort = async <T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> => {
  if (signal === undefined) return promise
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
