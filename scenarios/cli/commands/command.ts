import { setFlagsFromString } from 'node:v8'
import { Command, type CommanderError, type OptionValues } from '@commander-js/extra-typings'
import { UsageError } from '../../../server/usage-error.ts'

/** A new command. A wrong option or argument throws a `UsageError` of one line. */
export const defineCommand = (name: string) =>
  new Command(name)
    .helpOption('-h, --help', 'print this')
    // Options belong to the command they follow: arguments after `check agent --` stay unchanged.
    .enablePositionalOptions()
    .configureOutput({ outputError: () => {} })
    .exitOverride(throwUsageError)

/** The values of a command's options, by its definition. */
export type OptionsOf<Define extends () => { opts: () => OptionValues }> = Readonly<
  ReturnType<ReturnType<Define>['opts']>
>

/** An action that loads what a command runs, runs it, and sets the exit code that it returns. */
export const lazyAction =
  <Args extends unknown[]>(load: () => Promise<(...args: Args) => Promise<number>>) =>
  async (...args: Args): Promise<void> => {
    const run = await load()
    // V8 collects garbage before it grows: the suite takes 200 MiB instead of 350, in hardly more time.
    setFlagsFromString('--semi-space-growth-factor=1')
    setFlagsFromString('--heap-growing-percent=50')
    process.exitCode = await run(...args)
  }

const throwUsageError = (stop: CommanderError): never => {
  // Commander has printed help or the version; this is not an error.
  if (stop.exitCode === 0 || stop.code === 'commander.help') throw stop
  const [what = '', ...hints] = stop.message.replace(/^error: /, '').split('\n')
  const isValue = stop.code === 'commander.invalidArgument'
  throw new UsageError(
    [what, ...(hints.length === 0 && !isValue ? ['(see --help)'] : hints)].join(' '),
  )
}
