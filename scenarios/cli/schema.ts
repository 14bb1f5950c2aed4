import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { UsageError } from '../../server/usage-error.ts'
import { agentSchema } from '../checks/agent/format.ts'
import { scenarioSchema } from '../language/schema.ts'
import { withTables } from '../language/tables.ts'
import { policySchema, policyTestSchema } from '../policies/schema.ts'
import { rulesSchema } from '../runner/rules.ts'
import { targetSchema } from '../targets/real/target-file.ts'
import type { SchemaOptions } from './commands/schema.ts'
import { suiteFolder } from './find-scenarios.ts'
import { writeWholeFile } from './write-file.ts'

/** `lumoauth-harness schema`. @returns the exit code */
export const schema = async ({ check }: SchemaOptions): Promise<number> => {
  const changed = (await generateFiles()).filter(({ kept, text }) => kept !== text)
  for (const { file, text } of changed) {
    const name = relative(process.cwd(), file)
    if (check) {
      process.stderr.write(`${name} is out of date; lumoauth-harness schema writes it anew\n`)
    } else {
      await writeWholeFile(file, text)
      process.stdout.write(`wrote ${name}\n`)
    }
  }
  return check && changed.length > 0 ? 1 : 0
}

/** The files that are made, as they are and as they should be. */
const generateFiles = async () => {
  const kept = (name: string) => {
    const file = join(suiteFolder(), '..', name)
    return { file, kept: readFile(file, 'utf8').catch(() => undefined) }
  }
  const readme = kept('README.md')
  const text = await readme.kept
  if (text === undefined) {
    throw new UsageError(
      `${relative(process.cwd(), readme.file)} is missing: this works on the sources`,
    )
  }
  const schemas = {
    'scenario.schema.json': scenarioSchema(),
    'rules.schema.json': rulesSchema(),
    'target.schema.json': targetSchema(),
    'agent-scenario.schema.json': agentSchema(),
    'policy.schema.json': policySchema(),
    'policy-test.schema.json': policyTestSchema(),
  }
  return [
    ...(await Promise.all(
      Object.entries(schemas).map(async ([name, schema]) => {
        const { file, kept: before } = kept(name)
        return { file, kept: await before, text: `${JSON.stringify(schema, null, 2)}\n` }
      }),
    )),
    { file: readme.file, kept: text, text: withTables(text) },
  ]
}
