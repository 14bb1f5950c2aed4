import type { Loaded, Problem } from '../language/load.ts'
import { printProblems } from './find-scenarios.ts'

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

/** Prints what is wrong with the files. @returns whether nothing can be run */
export const reportProblems = (problems: readonly Problem[]): boolean => {
  printProblems(problems)
  const errors = problems.filter((it) => it.severity === 'error').length
  if (errors > 0) {
    process.stderr.write(
      `lumoauth-harness: ${errors} ${errors === 1 ? 'mistake' : 'mistakes'} in scenario files; nothing was run\n`,
    )
  }
  return errors > 0
}

export const listOf = (scenarios: readonly Loaded[]): string =>
  [...Map.groupBy(scenarios, (it) => it.theme)]
    .map(([theme, list]) => {
      const lines = list.map((it) => `  ${it.title}\n    ${it.file}`)
      return `${theme}\n${lines.join('\n')}\n`
    })
    .join('\n')
    .concat(`\n${scenarios.length} scenarios\n`)
