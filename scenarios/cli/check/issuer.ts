import { join } from 'node:path'
import { UsageError } from '../../../server/usage-error.ts'
import { version } from '../../../server/version.ts'
import { inertText } from '../../../server/wire/inert-text.ts'
import { isRuleOf } from '../../checks/deviations.ts'
import { createIssuerJudge } from '../../checks/issuer-judge.ts'
import { recordingOf } from '../../checks/recording.ts'
import { loadScenarios } from '../../language/load.ts'
import { mock } from '../../targets/mock/mock.ts'
import { type RealTarget, real } from '../../targets/real/real.ts'
import { Unreachable } from '../../targets/real/unreachable.ts'
import { abortOnSignal } from '../abort-on-signal.ts'
import type { CheckIssuerOptions } from '../commands/check/issuer.ts'
import { reporterOf } from '../commands/output-options.ts'
import { dryRun } from '../dry-run.ts'
import { createFilter, listScenarios, requireScenarios } from '../filters.ts'
import { filesOf, loadSuite, printProblems, suiteFolder } from '../find-scenarios.ts'
import { renamedHint } from '../renamed.ts'
import { runLive } from '../run-live.ts'
import { accessTo, loadTarget } from '../target-file.ts'
import { prepareReports, writeReport } from '../write-report.ts'
import { concludeCheck, readBaselineOption, reportsToStdout } from './outcome.ts'

/** `lumoauth-harness check issuer`. @returns the exit code */
export const checkIssuer = async (
  patterns: readonly string[],
  options: CheckIssuerOptions,
): Promise<number> => {
  const { target: name, allowWrites, concurrency, record } = options
  const file = await loadTarget(name)
  const { scenarios, rules } = await issuerScenarios(patterns)
  const chosen = scenarios.filter(createFilter(options))
  requireScenarios(chosen, options)
  if (options.list) {
    process.stdout.write(listScenarios(chosen))
    return 0
  }
  if (options.dryRun) return dryRun(chosen, file, { allowWrites })
  const access = accessTo(file, name)
  const baseline = await readBaselineOption(options)
  await prepareReports(options.report ?? [])

  const out = reportsToStdout(options.report) ? process.stderr : process.stdout
  using signal = abortOnSignal()
  const target = await connect(() =>
    real(access, {
      allowWrites,
      signal,
      say: (line) => out.write(`\n${inertText(line)}\n`),
    }),
  )
  const referenceMock = await mock('fetch')
  const { judge, found } = createIssuerJudge(referenceMock, { seat: 'issuer', rules }, chosen, {
    dialect: file.issuer?.dialect,
    names: target.names,
  })
  try {
    const run = await runLive(chosen.map(target.placed), target, { concurrency, judge }, out, {
      reporter: reporterOf(options),
    }).finally(() => target.close())
    if (record !== undefined) {
      await writeReport(`${JSON.stringify(recordingOf(run), null, 1)}\n`, record)
    }
    const code = await concludeCheck(
      run,
      {
        seat: 'issuer',
        name: target.name,
        where: Object.values(target.probed.bases)[0] ?? '',
        harness: version,
        facts: factsOf(target, found(), run.duration),
        rules,
        leftovers: target.leftovers,
      },
      options,
      baseline,
      out,
    )
    if (!signal.aborted) return code
    process.stderr.write('lumoauth-harness: interrupted; the skipped scenarios were not tested\n')
    return 2
  } finally {
    await referenceMock.close()
  }
}

/** Reports an unreachable issuer in one line, with exit code 2. */
const connect = async <T>(attempt: () => Promise<T>): Promise<T> => {
  try {
    return await attempt()
  } catch (error) {
    if (error instanceof Unreachable || (error as Error).name === 'SkipScenario') {
      throw new UsageError((error as Error).message)
    }
    throw error
  }
}

const factsOf = (
  { probed, usage }: RealTarget,
  found: Readonly<Record<string, string>>,
  milliseconds: number,
): string[] => {
  const { requests, cleaning, waited } = usage()
  const dialect = Object.entries(found).map(([name, value]) => `${name} ${value}`)
  return [
    `prefixes: ${probed.prefixes.join(', ')}`,
    ...(dialect.length === 0 ? [] : [`dialect: ${dialect.join(', ')}`]),
    ...probed.notes,
    `${requests} requests, ${cleaning} of them to complete open tasks; ${(milliseconds / 1000).toFixed(1)} s, ${waited.toFixed(1)} s of it waiting for limits`,
  ]
}

/** The scenarios that show a rule of the issuer; with patterns, only those in files that match. */
const issuerScenarios = async (patterns: readonly string[]) => {
  const { scenarios, catalogue } = await loadSuite()
  const more = join(suiteFolder(), '..', 'issuer-suite')
  const { scenarios: own, problems } = await loadScenarios(filesOf([more]))
  if (problems.some((it) => it.severity === 'error')) {
    printProblems(problems)
    throw new UsageError(`${problems.length} mistakes in scenario files`)
  }
  const { rules } = catalogue
  const all = [...own, ...scenarios].filter(({ covers }) =>
    covers.some((rule) => isRuleOf(rule, { seat: 'issuer', rules })),
  )
  if (patterns.length === 0) return { scenarios: all, rules }
  for (const pattern of patterns) {
    if (all.some((it) => it.file.includes(pattern))) continue
    throw new UsageError(`no scenario file matches "${pattern}"${renamedHint(pattern)}`)
  }
  const chosen = all.filter((it) => patterns.some((pattern) => it.file.includes(pattern)))
  return { scenarios: chosen, rules }
}
