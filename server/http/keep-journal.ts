import { JournalError } from '../journal/error.ts'
import type { Step } from './core.ts'
import { errorAnswer } from './errors.ts'
import type { HttpRequest } from './message.ts'

/** Where events are kept. */
export type Durable = Readonly<{
  /** Resolves when all events so far are kept. @throws {JournalError} */
  durable: () => Promise<void>
  /** @throws {JournalError} when something could not be kept before */
  refuseIfFailed: () => void
  /** Receives the error of the first event that cannot be kept. */
  onFailure: (failed: JournalError) => void
}>

/** Sends no answer before its events are kept; 503 when they cannot be. */
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
        'the journal cannot be written: nothing was decided',
        {},
        { 'retry-after': '60' },
      )
    }
  }
