import { UsageError } from '../../server/usage-error.ts'
import type { Loaded, Problem } from '../language/load.ts'
import { printProblems } from './find-scenarios.ts'
import { renamedHint } from './renamed.ts'

type FilterOptions = Readonly<{
  only?: string | undefined
  tag?: readonly string[] | undefined
  rule?: readonly string[] | undefined
}>

export const createFilter =
  ({ only, tag, rule }: FilterOptions) =>
  ({ title, tags, covers }: Loaded): boolean =>
    (only === undefined || title.toLowerCase().includes(only.toLowerCase())) &&
    (tag === undefined || tag.some((it) => tags.includes(it))) &&
    (rule === undefined || rule.some((it) => covers.includes(it)))

/** @throws {UsageError} where the filters leave no scenario; names the present title where `only` is a former one */
export const requireScenarios = (
  chosen: readonly unknown[],
  { only = '' }: Pick<FilterOptions, 'only'>,
): void => {
  if (chosen.length > 0) return
  throw new UsageError(`no scenario matches the filters${only === '' ? '' : renamedHint(only)}`)
}

/** Prints the problems of scenario files. @returns whether one of them is an error */
export const reportProblems = (problems: readonly Problem[]): boolean => {
  printProblems(problems)
  const errors = problems.filter((it) => it.severity === 'error').length
  if (errors > 0) {
    process.stderr.write(
      `lumoauth-harness: ${errors} ${errors === 1 ? 'error' : 'errors'} in scenario files; no scenario was run\n`,
    )
  }
  return errors > 0
}

export const listScenarios = (scenarios: readonly Loaded[]): string =>
  [...Map.groupBy(scenarios, (it) => it.theme)]
    .map(([theme, list]) => {
      const lines = list.map((it) => `  ${it.title}\n    ${it.file}`)
      return `${theme}\n${lines.join('\n')}\n`
    })
    .join('\n')
    .concat(`\n${scenarios.length} scenarios\n`)
