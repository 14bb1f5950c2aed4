/** The command line cannot do what it was told: one clear line, and exit code 2. */
export class CannotRun extends Error {
  override readonly name = 'CannotRun'
}
