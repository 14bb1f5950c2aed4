import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packageRoot } from '../../server/package-root.ts'
import { UsageError } from '../../server/usage-error.ts'
import { loadScenarios, type Problem } from '../language/load.ts'
import { placeOf } from '../language/source.ts'
import { loadRules } from '../runner/rules.ts'
import { renamedHint } from './renamed.ts'

/** The folder of the suite in the package. */
export const suiteFolder = (): string => fileURLToPath(new URL('scenarios/suite', packageRoot))

/** A JSON Schema of the package, relative to a folder, for the first line of a YAML file. */
export const schemaFile = (name: string, folder = '.'): string =>
  withSlashes(relative(folder, join(suiteFolder(), '..', name)))

/** Whether the package is installed in a project, whose files it may write; its own it may not. */
export const isInstalled = (): boolean => /[\\/]node_modules[\\/]/.test(suiteFolder())

/** The catalogue of rules that the suite shows. */
export const rulesFile = (): string => join(suiteFolder(), '..', 'rules.yaml')

/** The whole suite and its catalogue. Prints the errors of either. @throws {UsageError} if there is one */
export const loadSuite = async () => {
  const [{ scenarios, problems }, { catalogue, problems: ofRules }] = await Promise.all([
    loadScenarios(filesOf([])),
    loadRules(rulesFile()),
  ])
  const errors = [...ofRules, ...problems].filter((it) => it.severity === 'error')
  if (errors.length > 0) {
    printProblems(errors)
    const count = errors.length === 1 ? '1 mistake' : `${errors.length} mistakes`
    throw new UsageError(`${count} in scenario files and rules`)
  }
  return { scenarios, catalogue }
}

/** Prints problems in the form that editors and terminals turn into links. */
export const printProblems = (problems: readonly Problem[]): void => {
  for (const { at, message, severity } of problems) {
    process.stderr.write(`${placeOf(at)}: ${severity === 'warning' ? 'warning: ' : ''}${message}\n`)
  }
}

/**
 * The scenario files that patterns name: a file, a folder or a glob; a theme or a scenario of the
 * suite; else part of a path in it.
 * Without patterns, the whole suite.
 */
export const filesOf = (patterns: readonly string[]): string[] => {
  const suite = suiteFolder()
  const all = yamlIn(suite)
  if (patterns.length === 0) return all
  const found = patterns.flatMap((pattern) => {
    const files =
      filesNamed(pattern) ??
      all.filter((file) => withSlashes(relative(suite, file)).includes(withSlashes(pattern)))
    if (files.length === 0) {
      throw new UsageError(`no scenario file matches "${pattern}"${renamedHint(pattern)}`)
    }
    return files
  })
  return [...new Set(found)].sort()
}

const filesNamed = (pattern: string): string[] | undefined => {
  const path = [
    resolve(pattern),
    join(suiteFolder(), pattern),
    join(suiteFolder(), `${pattern}.yaml`),
  ].find((it) => existsSync(it))
  if (path !== undefined) return statSync(path).isDirectory() ? yamlIn(path) : [path]
  if (!/[*?[{]/.test(pattern)) return undefined
  return globSync(pattern, { exclude: notSearched })
    .map((it) => resolve(it))
    .filter((it) => existsSync(it))
    .flatMap((it) =>
      statSync(it).isDirectory()
        ? yamlIn(it)
        : /\.ya?ml$/.test(it) && looksLikeScenario(it)
          ? [it]
          : [],
    )
}

const withSlashes = (path: string): string => path.replaceAll('\\', '/')

const notSearched = ['**/node_modules', '**/node_modules/**', '**/.git', '**/.git/**']

/** The YAML files of a folder; in a folder that is not ours, those that look like scenarios. */
const yamlIn = (folder: string): string[] => {
  const isOurs = resolve(folder).startsWith(resolve(suiteFolder(), '..'))
  return globSync('**/*.{yaml,yml}', { cwd: folder, exclude: notSearched })
    .map((it) => join(folder, it))
    .filter((it) => existsSync(it) && (isOurs || looksLikeScenario(it)))
    .sort()
}

/** Whether a file has a key of a scenario: a folder may hold other YAML, such as a lock file. */
const looksLikeScenario = (file: string): boolean =>
  /^["']?(scenario|steps)["']?\s*:/m.test(readFileSync(file, 'utf8'))
