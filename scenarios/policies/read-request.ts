import { RequestFacts } from '../../server/wire/index.ts'
import type { Problem } from '../language/load.ts'
import { checkSchema, type Report } from '../language/schema-mistakes.ts'
import { readSource } from '../language/source.ts'
import { textOf, throwProblems } from './policy-source.ts'

/**
 * A request from a file, or from YAML on the command line, which begins with `{`.
 * @throws {UsageError} with all mistakes, each with its position
 */
export const readRequest = async (fileOrYaml: string): Promise<RequestFacts> => {
  const isYaml = fileOrYaml.trimStart().startsWith('{')
  const text = isYaml ? fileOrYaml : await textOf(fileOrYaml)
  const source = readSource(isYaml ? 'request' : fileOrYaml, text)
  const problems: Problem[] = source.problems.map((it) => ({ ...it, severity: 'error' }))
  const report: Report = (message, path, { part = 'value', severity = 'error' } = {}) => {
    problems.push({ at: source.locate(path, part), message, severity })
  }
  if (problems.length === 0) checkSchema(RequestFacts, source.value, [], report)
  throwProblems(problems)
  return RequestFacts.parse(source.value)
}
