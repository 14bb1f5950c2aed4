import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { didYouMean } from '../../../server/wire/closest.ts'
import { routes } from '../../../server/wire/index.ts'
import type { Problem } from '../../language/load.ts'
import { checkSchema } from '../../language/schema-mistakes.ts'
import { readSource, type Source } from '../../language/source.ts'
import { AgentScenario } from './format.ts'

export type LoadedAgentScenario = AgentScenario & Readonly<{ file: string; source: Source }>

/** Reads agent scenarios. Returns all problems of all files. */
export const loadAgentScenarios = async (files: readonly string[], root = process.cwd()) => {
  const read = await Promise.all(
    files.map(async (file) =>
      readAgentScenario(relative(root, file) || file, await readFile(file, 'utf8')),
    ),
  )
  return {
    scenarios: read.flatMap((it) => it.scenario ?? []),
    problems: read.flatMap((it) => it.problems),
  }
}

/** Reads one scenario. `file` is the name that problems report. */
export const readAgentScenario = (
  file: string,
  text: string,
): Readonly<{ scenario?: LoadedAgentScenario; problems: readonly Problem[] }> => {
  const source = readSource(file, text)
  const problems: Problem[] = source.problems.map((it) => ({ ...it, severity: 'error' }))
  if (problems.length > 0) return { problems }
  checkSchema(AgentScenario, source.value, [], (message, path, { part = 'value' } = {}) => {
    problems.push({ at: source.locate(path, part), message, severity: 'error' })
  })
  if (problems.length > 0) return { problems }
  const scenario = AgentScenario.parse(source.value)
  for (const [index, { when }] of (scenario.world ?? []).entries()) {
    if (when === undefined || Object.hasOwn(routes, when.route)) continue
    problems.push({
      at: source.locate(['world', index, 'when', 'route']),
      message: `no route "${when.route}"${didYouMean(when.route, Object.keys(routes))}`,
      severity: 'error',
    })
  }
  return problems.length > 0 ? { problems } : { scenario: { ...scenario, file, source }, problems }
}
