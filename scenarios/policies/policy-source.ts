import { readFile } from 'node:fs/promises'
import { UsageError } from '../../server/usage-error.ts'
import { type Condition, Policy } from '../../server/wire/index.ts'
import type { Problem } from '../language/load.ts'
import type { Path } from '../language/match.ts'
import { checkSchema, type Report } from '../language/schema-mistakes.ts'
import { type Position, readSource, type Source } from '../language/source.ts'

/** A policy, and the position of each rule. */
export type PolicySource = Readonly<{
  /** Its name in reports: that of its file. */
  name: string
  policy: Policy
  /** The position of a rule, or of one of its conditions. */
  locate(rule: number, condition?: keyof Condition): Position
  /** The position of a setting outside the rules. */
  locateSetting(path: Path): Position
  excerpt(at: Position): string
}>

/** Reads policy files. @throws {UsageError} with the problems of all files, each with its position */
export const loadPolicies = async (files: readonly string[]): Promise<PolicySource[]> => {
  const read = await Promise.all(files.map(async (file) => readPolicy(file, await textOf(file))))
  throwProblems(read.flatMap((it) => it.problems))
  return read.flatMap(({ policy }) => policy ?? [])
}

/** Reads the text of a policy. `file` is the name that problems report. */
export const readPolicy = (
  file: string,
  text: string,
): Readonly<{ policy?: PolicySource; problems: readonly Problem[] }> => {
  const source = readSource(file, text)
  if (source.problems.length > 0) {
    return { problems: source.problems.map((it) => ({ ...it, severity: 'error' })) }
  }
  return policyAt(source, source.value, [], file)
}

/** The policy that is the value at a path of a file. */
export const policyAt = (
  source: Source,
  value: unknown,
  path: Path,
  name: string,
): Readonly<{ policy?: PolicySource; problems: readonly Problem[] }> => {
  const problems: Problem[] = []
  const report: Report = (message, at, { part = 'value', severity = 'error' } = {}) => {
    problems.push({ at: source.locate(at, part), message, severity })
  }
  // An empty file is the default policy.
  const written = value ?? {}
  if (!checkSchema(Policy, written, path, report)) return { problems }
  return {
    problems,
    policy: {
      name,
      policy: Policy.parse(written),
      locate: (rule, condition) =>
        condition === undefined
          ? source.locate([...path, 'rules', rule])
          : source.locate([...path, 'rules', rule, 'when', condition], 'key'),
      locateSetting: (at) => source.locate([...path, ...at], 'key'),
      excerpt: (at) => source.excerpt(at),
    },
  }
}

/** The text of a file on the command line. @throws {UsageError} when it cannot be read */
export const textOf = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8')
  } catch (failed) {
    const { code, message } = failed as NodeJS.ErrnoException
    throw new UsageError(
      code === 'ENOENT' ? `there is no ${file}` : `cannot read ${file}: ${message.split(',')[0]}`,
    )
  }
}

/** @throws {UsageError} with one line per error, if there are errors */
export const throwProblems = (problems: readonly Problem[]): void => {
  const errors = problems.filter(({ severity }) => severity === 'error')
  if (errors.length === 0) return
  const lines = errors
    .toSorted(
      ({ at: a }, { at: b }) =>
        a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column,
    )
    .map(({ at, message }) => `${at.file}:${at.line}:${at.column}: ${message}`)
  const count = errors.length === 1 ? '1 mistake' : `${errors.length} mistakes`
  throw new UsageError([`${count}; nothing was run`, ...new Set(lines)].join('\n'))
}
