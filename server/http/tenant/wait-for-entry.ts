import type { Entry } from '../../issuer/event.ts'
import type { Journal } from '../../issuer/journal.ts'

type Wait = Readonly<{
  milliseconds: number
  signal?: AbortSignal
  /** Timers in real time. Default: timers that keep the process alive. */
  timers?: Readonly<{
    set: (act: () => void, milliseconds: number) => unknown
    clear: (timer: unknown) => void
  }>
}>

/** Resolves with the first matching entry, or with undefined after the timeout or an abort of `signal`. */
export const waitForEntry = async (
  journal: Pick<Journal, 'listen'>,
  fits: (entry: Entry) => boolean,
  { milliseconds, signal, timers = nodeTimers }: Wait,
): Promise<Entry | undefined> => {
  if (signal?.aborted) return undefined
  const { promise, resolve } = Promise.withResolvers<Entry | undefined>()
  const giveUp = () => resolve(undefined)
  const timer = timers.set(giveUp, milliseconds)
  const unlisten = journal.listen((entry) => {
    if (fits(entry)) resolve(entry)
  })
  signal?.addEventListener('abort', giveUp)
  try {
    return await promise
  } finally {
    timers.clear(timer)
    unlisten()
    signal?.removeEventListener('abort', giveUp)
  }
}

const nodeTimers: NonNullable<Wait['timers']> = {
  set: setTimeout,
  clear: (timer) => clearTimeout(timer as NodeJS.Timeout),
}
