import { JournalError } from '../journal/error.ts'
import type { Step } from './core.ts'
import { errorAnswer } from './errors.ts'
import type { HttpRequest } from './message.ts'

/** Storage of events. */
export type Durable = Readonly<{
  /**
   * Resolves when all events so far are stored.
   * @throws {JournalError}
   */
  durable: () => Promise<void>
  /** @throws {JournalError} when an earlier event could not be stored */
  refuseIfFailed: () => void
  /** Receives the error of the first event that cannot be stored. */
  onFailure: (failed: JournalError) => void
}>

/** Sends each answer after its events are stored; 503 when they cannot be. */
export const keepJournal =
  (journal: Durable): Step<HttpRequest> =>
  async (request, next) => {
    try {
      if (request.method !== 'GET' && request.method !== 'HEAD') journal.refuseIfFailed()
      const answer = await next(request)
      await journal.durable()
      return answer
    } catch (failed) {
      if (!(failed instanceof JournalError)) throw failed
      journal.onFailure(failed)
      return errorAnswer(
        503,
        'temporarily_unavailable',
        'the journal cannot be written; no change was made',
        {},
        { 'retry-after': '60' },
      )
    }
  }
