/** The journal file cannot be used; what could not be kept has not happened. */
export class JournalUnusable extends Error {
  override readonly name = 'JournalUnusable'
  readonly code = 'journal_unusable'
}
