import { inspect } from 'node:util'
import { CommanderError, type CommandUnknownOpts } from '@commander-js/extra-typings'
import { UsageError } from '../../server/usage-error.ts'
import { version } from '../../server/version.ts'
import { inertText } from '../../server/wire/inert-text.ts'
import { checkCommand } from './commands/check/check.ts'
import { defineCommand } from './commands/command.ts'
import { dialectsCommand } from './commands/dialects.ts'
import { diffContractCommand } from './commands/diff-contract.ts'
import { explainCommand } from './commands/explain.ts'
import { initCommand } from './commands/init.ts'
import { misbehavioursCommand } from './commands/misbehaviours.ts'
import { policyCommand } from './commands/policy/policy.ts'
import { rulesCommand } from './commands/rules.ts'
import { runCommand } from './commands/run.ts'
import { sabotageCommand } from './commands/sabotage.ts'
import { scenarioCommand } from './commands/scenario.ts'
import { schemaCommand } from './commands/schema.ts'
import { startCommand } from './commands/start.ts'
import { targetCommand } from './commands/target.ts'

/** Runs a command line and sets the exit code: 0 done, 1 something failed, 2 could not run. */
export const runProgram = async (args: readonly string[]): Promise<void> => {
  try {
    await createProgram(args[0]).parseAsync(args, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help or the version is printed; code 2 where a command was missing.
      process.exitCode = error.exitCode === 0 ? 0 : 2
      return
    }
    // A bug of ours is no failing scenario: it must not end in exit code 1.
    const message = error instanceof UsageError ? error.message : inspect(error)
    process.stderr.write(`lumoauth-harness: ${inertText(message)}\n`)
    process.exitCode = 2
  }
}

/**
 * The program for a command line. It defines the command that is named first, or else all of them; what
 * a command runs is loaded when it runs. Both make `start` and `--help` faster.
 */
export const createProgram = (first: string | undefined) => {
  const program = defineCommand('lumoauth-harness')
    .description('A mock LumoAuth, a protected API, an agent, and a scenario suite.')
    .version(version, '--version', 'print the version')
    .addHelpText('after', '\nlumoauth-harness COMMAND --help says more, with an example.')
  const [named] = Object.entries(commands).filter(([name]) => name === first)
  for (const [, define] of named ? [named] : Object.entries(commands)) program.addCommand(define())
  return program
}

const commands: Readonly<Record<string, () => CommandUnknownOpts>> = {
  run: runCommand,
  start: startCommand,
  init: initCommand,
  rules: rulesCommand,
  explain: explainCommand,
  sabotage: sabotageCommand,
  misbehaviours: misbehavioursCommand,
  dialects: dialectsCommand,
  check: checkCommand,
  policy: policyCommand,
  target: targetCommand,
  'diff-contract': diffContractCommand,
  scenario: scenarioCommand,
  schema: schemaCommand,
}
