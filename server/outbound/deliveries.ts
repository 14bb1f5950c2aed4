import type { Agenda } from './agenda.ts'
import { NotSent } from './outbound.ts'

/** Seconds between one try and the next: five tries within about an hour (contract §5.3). */
export const pauses: readonly number[] = [10, 60, 600, 2900]

/** How a try went; a failure that will not get better is not tried again. */
export type Attempt = Readonly<{ attempt: number }> &
  (
    | Readonly<{ status: number; reason?: never }>
    | Readonly<{ reason: string; status?: never; final: boolean }>
  )

/**
 * Sends something until it is accepted, with growing pauses by the tenant's clock.
 * @returns false when there is no room for it
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
