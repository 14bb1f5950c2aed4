/** The journal file cannot be used; what could not be kept has not happened. */
export class JournalError extends Error {
  override readonly name = 'JournalError'
  readonly code = 'journal_unusable'
}
