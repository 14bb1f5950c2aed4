import type { Agenda } from './agenda.ts'
import { NotSent } from './outbound.ts'

/** Seconds between attempts: five attempts within about an hour (CONTRACT.md#callbacks). */
export const pauses: readonly number[] = [10, 60, 600, 2900]

/** The result of an attempt. A permanent failure is not attempted again. */
export type Attempt = Readonly<{ attempt: number }> &
  (
    | Readonly<{ status: number; reason?: never }>
    | Readonly<{ reason: string; status?: never; final: boolean }>
  )

/**
 * Sends until the receiver accepts, with growing pauses by the tenant's clock.
 * @returns false when there is no room for the delivery
 */
export const deliver = (
  agenda: Agenda,
  now: () => number,
  send: () => Promise<number>,
  tell: (attempt: Attempt) => void,
): boolean => {
  const attemptAt = (due: number, attempt: number): boolean =>
    agenda.at(due, async () => {
      const pause = pauses[attempt - 1]
      const failed = (reason: string, lasting = false) => {
        const again = pause !== undefined && !lasting
        tell({ attempt, reason, final: !(again && attemptAt(now() + pause, attempt + 1)) })
      }
      try {
        const status = await send()
        if (status >= 200 && status < 300) tell({ attempt, status })
        else failed(`the answer was ${status}`)
      } catch (thrown) {
        if (!(thrown instanceof NotSent)) throw thrown
        failed(thrown.message, thrown.lasting)
      }
    })
  return attemptAt(now(), 1)
}
