import { existsSync, globSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { factsOf } from '../../../server/issuer/policy/try-policy.ts'
import { UsageError } from '../../../server/usage-error.ts'
import { type Coverage, coverageOf, coverageResult, coverageText } from '../../policies/coverage.ts'
import { loadPolicyTests, type PolicyTests, testFilePattern } from '../../policies/load.ts'
import { throwProblems } from '../../policies/policy-source.ts'
import { runCase } from '../../policies/run.ts'
import { reports } from '../../reports/formats.ts'
import { github } from '../../reports/github.ts'
import { terminal } from '../../reports/terminal.ts'
import type { Run } from '../../runner/verdict.ts'
import type { PolicyTestOptions } from '../commands/policy/test.ts'
import { writeReport } from '../write-report.ts'

/** `lumoauth-harness policy test`. @returns the exit code */
export const policyTest = async (
  patterns: readonly string[],
  { report: orders = [], only, minCoverage }: PolicyTestOptions,
): Promise<number> => {
  const startedAt = Date.now()
  const { tests, problems } = await loadPolicyTests(filesOf(patterns))
  throwProblems(problems)
  const chosen = tests.map((it) => ({ ...it, cases: it.cases.filter(isNamed(only)) }))
  if (chosen.every(({ cases }) => cases.length === 0)) {
    throw new UsageError(`no case has "${only}" in its title`)
  }

  // A report without a file goes to standard output; the list then goes to standard error.
  const out = orders.some((it) => it.file === undefined) ? process.stderr : process.stdout
  const { result: line, failures, counts } = terminal({ stream: out, unit: 'case' })
  const cases = chosen.flatMap((it) => it.cases.map((one) => runCase(one, it)))
  const coverages = only === undefined ? coveragesOf(tests) : []
  const results = [
    ...cases,
    ...(minCoverage === undefined ? [] : coverages.map((it) => coverageResult(it, minCoverage))),
  ]
  for (const [index, result] of results.entries())
    out.write(`${line(result, results[index - 1])}\n`)
  const runs: Run[] = [{ target: 'policy', startedAt, duration: Date.now() - startedAt, results }]
  const told = failures(runs)
  out.write(told === '' ? '\n' : `\n${told}\n`)
  for (const it of coverages) out.write(coverageText(it))
  if (process.env.GITHUB_ACTIONS === 'true') out.write(github(runs))
  for (const { format, file } of orders) await writeReport(reports[format](runs), file)
  out.write(`${counts(runs)}\n`)
  return results.some(({ verdict }) => verdict === 'failed') ? 1 : 0
}

const isNamed =
  (text = '') =>
  ({ title }: { title: string }) =>
    title.toLowerCase().includes(text.toLowerCase())

/** One coverage per policy, from the cases of all files that test it. */
const coveragesOf = (tests: readonly PolicyTests[]): Coverage[] =>
  [...Map.groupBy(tests, ({ policy }) => policy)].map(([policy, of]) =>
    coverageOf(
      policy,
      of.flatMap(({ cases }) =>
        cases.map(({ policy, request }) => ({ policy, facts: factsOf(request) })),
      ),
    ),
  )

const filesOf = (patterns: readonly string[]): string[] => {
  const found = patterns.flatMap((pattern) => {
    const path = resolve(pattern)
    const files = !existsSync(path)
      ? globSync(pattern).map((it) => resolve(it))
      : statSync(path).isDirectory()
        ? globSync(testFilePattern, { cwd: path }).map((it) => join(path, it))
        : [path]
    if (files.length === 0) throw new UsageError(`no test file matches "${pattern}"`)
    return files.sort()
  })
  return [...new Set(found)]
}
