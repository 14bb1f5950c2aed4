/** An error in the user's input, as one line. The command exits with code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
