/** The journal cannot be used. A change that could not be stored was not made. */
export class JournalError extends Error {
  override readonly name = 'JournalError'
  readonly code = 'journal_unusable'
}

export const writeError = (what: string, cause: unknown): JournalError =>
  new JournalError(`${what} cannot be written: ${reasonOf(cause)}`, { cause })

/** The code of a system error, else the message. */
export const reasonOf = (failed: unknown): string => {
  const { code, message } = failed as NodeJS.ErrnoException
  return failed instanceof JournalError || code === undefined ? message : code
}
