import { readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { scenarioSchema } from '../runner/schema.ts'
import { CannotRun } from './cannot-run.ts'
import { readOptions } from './options.ts'
import { suiteFolder } from './suite.ts'

const help = `Writes the JSON Schema that editors complete and check scenario files with.

Usage: lumoauth-harness schema [--check]

  --check   write nothing; exit code 1 when the file is not what it should be

Example: lumoauth-harness schema --check
`

/** `lumoauth-harness schema`. @returns the exit code */
export const schema = async (args: string[]): Promise<number> => {
  const { values } = readOptions(args, {
    check: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const file = join(suiteFolder(), '..', 'scenario.schema.json')
  const name = relative(process.cwd(), file)
  const text = `${JSON.stringify(scenarioSchema(), null, 2)}\n`
  if (!values.check) {
    await writeFile(file, text)
    process.stdout.write(`wrote ${name}\n`)
    return 0
  }
  const kept = await readFile(file, 'utf8').catch(() => {
    throw new CannotRun(`${name} is missing; lumoauth-harness schema writes it`)
  })
  if (kept === text) return 0
  process.stderr.write(`${name} is out of date; lumoauth-harness schema writes it anew\n`)
  return 1
}
