#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { inspect } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { UsageError } from '../server/usage-error.ts'
import { didYouMean } from '../server/wire/closest.ts'

// What is loaded from here on is compiled, and stripped of its types, once for all runs.
enableCompileCache()

type Command = (args: string[]) => Promise<number>

/** Loaded when used, so that help is there at once. */
const commands: Readonly<Record<string, { says: string; load: () => Promise<Command> }>> = {
  run: {
    says: 'run scenarios against the mock, under one or all of its hosts',
    load: async () => (await import('./cli/run.ts')).run,
  },
  start: {
    says: 'start issuer, API and control plane, to develop against',
    load: async () => (await import('../server/start/start.ts')).start,
  },
  rules: {
    says: 'list the rules, the scenarios that show each, and how those last went',
    load: async () => (await import('./cli/rules.ts')).rules,
  },
  explain: {
    says: 'explain a rule: sentence, source, scenarios, what breaks it',
    load: async () => (await import('./cli/explain.ts')).explain,
  },
  sabotage: {
    says: 'let seats misbehave in every known way, and demand that the suite notices',
    load: async () => (await import('./cli/sabotage.ts')).sabotage,
  },
  misbehaviours: {
    says: 'list the defects that a seat can be told to have',
    load: async () => (await import('./cli/misbehaviours.ts')).misbehaviours,
  },
  dialects: {
    says: 'list the choices where the sources of LumoAuth disagree',
    load: async () => (await import('./cli/dialects.ts')).dialects,
  },
  check: {
    says: 'check an issuer, an API or an agent that is not ours',
    load: async () => (await import('./cli/check/check.ts')).check,
  },
  target: {
    says: 'write the description of a deployment to check',
    load: async () => (await import('./cli/target.ts')).target,
  },
  'diff-contract': {
    says: 'where an OpenAPI file differs from the contract, and which scenarios that touches',
    load: async () => (await import('./cli/diff-contract.ts')).diffContract,
  },
  scenario: {
    says: 'write a new scenario file to begin with',
    load: async () => (await import('./cli/scenario.ts')).scenario,
  },
  schema: {
    says: 'write, or check, the JSON Schema of scenario files',
    load: async () => (await import('./cli/schema.ts')).schema,
  },
}

const help =
  () => `lumoauth-harness: a mock LumoAuth, a protected API, an agent, and a scenario suite

Usage: lumoauth-harness COMMAND [OPTIONS]

Commands
${Object.entries(commands)
  .map(([name, { says }]) => `  ${name.padEnd(15)}${says}`)
  .join('\n')}

lumoauth-harness COMMAND --help says more, with an example.
`

const main = async ([name, ...args]: string[]): Promise<number> => {
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(help())
    return name === undefined ? 2 : 0
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) {
    const hint = didYouMean(name, Object.keys(commands))
    throw new UsageError(
      `unknown command "${name}"${hint || `; commands are ${Object.keys(commands).join(', ')}`}`,
    )
  }
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 22 || (major === 22 && minor < 18)) {
    throw new UsageError(`this takes Node 22.18 or newer, and here is ${process.versions.node}`)
  }
  const perform = await command.load()
  // From here on rather collect than grow: the suite takes 200 MiB instead of 350, and hardly more time.
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=50')
  return perform(args)
}

// Whoever reads our output may have read enough, such as `head`: that is no failure of ours.
process.stdout.on('error', (failed: NodeJS.ErrnoException) => {
  if (failed.code !== 'EPIPE') throw failed
  process.exit()
})

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  // A bug of ours is no failing scenario: it must not end in exit code 1.
  const told = error instanceof UsageError ? error.message : inspect(error)
  process.stderr.write(`lumoauth-harness: ${told}\n`)
  process.exitCode = 2
}
