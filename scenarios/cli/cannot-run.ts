/** The command line cannot do what it was told: one clear line, and exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
