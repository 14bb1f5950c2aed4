import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { UsageError } from '../../server/usage-error.ts'
import { agentSchema } from '../checks/agent/format.ts'
import { scenarioSchema } from '../language/schema.ts'
import { withTables } from '../language/tables.ts'
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
      process.stderr.write(`${name} is out of date; lumoauth-harness schema writes it again\n`)
    } else {
      await writeWholeFile(file, text)
      process.stdout.write(`wrote ${name}\n`)
    }
  }
  return check && changed.length > 0 ? 1 : 0
}

/** The generated files: their present and their correct content. */
const generateFiles = async () => {
  const file = join(suiteFolder(), '..', 'scenario.schema.json')
  const rules = join(suiteFolder(), '..', 'rules.schema.json')
  const readme = join(suiteFolder(), '..', 'README.md')
  const target = join(suiteFolder(), '..', 'target.schema.json')
  const agent = join(suiteFolder(), '..', 'agent-scenario.schema.json')
  const [kept, keptRules, keptTarget, keptAgent, keptReadme] = await Promise.all([
    readFile(file, 'utf8').catch(() => undefined),
    readFile(rules, 'utf8').catch(() => undefined),
    readFile(target, 'utf8').catch(() => undefined),
    readFile(agent, 'utf8').catch(() => undefined),
    readFile(readme, 'utf8').catch(() => {
      throw new UsageError(
        `${relative(process.cwd(), readme)} is missing: this command needs the sources`,
      )
    }),
  ])
  return [
    { file, kept, text: `${JSON.stringify(scenarioSchema(), null, 2)}\n` },
    { file: rules, kept: keptRules, text: `${JSON.stringify(rulesSchema(), null, 2)}\n` },
    { file: target, kept: keptTarget, text: `${JSON.stringify(targetSchema(), null, 2)}\n` },
    { file: agent, kept: keptAgent, text: `${JSON.stringify(agentSchema(), null, 2)}\n` },
    { file: readme, kept: keptReadme, text: withTables(keptReadme) },
  ]
}
