/** What a person got wrong, in one line; it ends a command with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
