import { resolve } from 'node:path'
import { loadContract } from '../../server/contract-file.ts'
import { UsageError } from '../../server/usage-error.ts'
import { type Loaded, loadScenarios, type Problem } from '../language/load.ts'
import { reports } from '../reports/formats.ts'
import { github } from '../reports/github.ts'
import type { ReportFormat } from '../reports/report.ts'
import { terminal } from '../reports/terminal.ts'
import { difference } from '../runner/compare.ts'
import { checkCoverage, loadRules } from '../runner/rules.ts'
import { nameOf, type Run } from '../runner/verdict.ts'
import { hosts } from '../targets/mock/hosts.ts'
import { abortOnSignal } from './abort-on-signal.ts'
import { reporterOf } from './commands/output-options.ts'
import type { RunOptions, Shard } from './commands/run.ts'
import { createFilter, listScenarios, reportProblems, requireScenarios } from './filters.ts'
import { filesOf, rulesFile } from './find-scenarios.ts'
import { failedScenarios, keepVerdicts } from './last-verdicts.ts'
import { harnessAt, openMock } from './open-mock.ts'
import { runLive } from './run-live.ts'
import { watch } from './watch.ts'
import { prepareReports, writeReports } from './write-report.ts'

/** `lumoauth-harness run`. @returns the exit code */
export const run = async (patterns: readonly string[], options: RunOptions): Promise<number> => {
  if (options.watch) return watch(patterns)
  if (options.ui) return (await import('./ui.ts')).ui(patterns, options)
  if (options.uiPort !== undefined) throw new UsageError('--ui-port needs --ui')
  const orders = options.report ?? []
  await prepareReports(orders)
  const targets = readTargets(options)
  const wants = (...formats: ReportFormat[]) =>
    orders.some(({ format }) => formats.includes(format))
  const how = {
    keep: wants('html', 'json', 'transcript') || targets.length > 1 ? 'all' : 'failed',
    policies: wants('html'),
    concurrency: options.concurrency,
    seed: options.seed,
    repeat: options.repeat,
    bail: options.bail,
  } as const
  const { scenarios, problems } = await loadScenarios(filesOf(patterns))
  const gaps = patterns.length === 0 ? await gapsIn(scenarios) : []
  if (reportProblems([...problems, ...gaps])) return 2

  const failedBefore = options.failed ? await failedScenarios() : undefined
  const again = scenarios.filter(({ file }) => failedBefore?.(resolve(file)) ?? true)
  if (again.length === 0 && scenarios.length > 0) {
    process.stdout.write('no selected scenario failed in its last run\n')
    return 0
  }
  const filtered = again.filter(createFilter(options))
  requireScenarios(filtered, options)
  const chosen = selectShard(filtered, options.shard)
  if (chosen.length === 0) {
    process.stdout.write('this shard has no scenario\n')
    return 0
  }
  if (options.list) {
    process.stdout.write(listScenarios(chosen))
    return 0
  }

  // A report without a file goes to standard output; the live list then goes to standard error.
  const out = orders.some((it) => it.file === undefined) ? process.stderr : process.stdout
  const reporter = reporterOf(options)
  using signal = abortOnSignal()
  const runs: Run[] = []
  for (const open of targets) {
    const target = await open()
    try {
      runs.push(
        await runLive(chosen, target, { ...how, signal }, out, {
          hosts: targets.length > 1,
          reporter,
        }),
      )
    } finally {
      await target.close()
    }
  }
  const odd = differences(runs)

  const { failures, counts, failed: listed, skips } = terminal({ stream: out })
  const told = failures(runs)
  out.write(told === '' ? '\n' : `\n${told}\n`)
  for (const it of odd) out.write(`hosts differ: ${it}\n`)
  if (process.env.GITHUB_ACTIONS === 'true') out.write(github(runs))
  const context = wants('html') ? await contextOfSuite() : {}
  const written = await writeReports(orders, (format) => reports[format](runs, context))
  if (reporter !== 'list') out.write(skips(runs))
  const titles = listed(runs)
  if (titles !== '') out.write(`${titles}\nRun these again: lumoauth-harness run --failed\n\n`)
  out.write(`${counts(runs)}\n`)
  await keepVerdicts(runs)
  if (signal.aborted) return 130
  if (!written) return 2
  const failed = runs.some((it) => it.results.some((result) => result.verdict === 'failed'))
  return failed || odd.length > 0 ? 1 : 0
}

const gapsIn = async (scenarios: readonly Loaded[]): Promise<Problem[]> => {
  const { catalogue, problems } = await loadRules(rulesFile())
  return [...problems, ...checkCoverage(catalogue, scenarios)]
}

const contextOfSuite = async () => {
  const [{ catalogue }, contract] = await Promise.all([loadRules(rulesFile()), loadContract()])
  return { rules: [...catalogue.rules.values()], contract }
}

/** With equal seeds, all hosts must give the same answers. */
const differences = (runs: readonly Run[]): string[] => {
  const [first, ...others] = runs
  if (first?.seed === undefined) {
    return others.flatMap((run) =>
      run.results.flatMap((it, index) => {
        const other = first?.results[index]
        return other === undefined || other.verdict === it.verdict
          ? []
          : [`${nameOf(it)}: ${other.target} ${other.verdict}, ${it.target} ${it.verdict}`]
      }),
    )
  }
  return others.flatMap((run) =>
    run.results.flatMap((it, index) => {
      const other = first.results[index]
      const says = other === undefined ? undefined : difference(other, it)
      return says === undefined ? [] : [`${nameOf(it)}: ${says}`]
    }),
  )
}

const selectShard = (scenarios: readonly Loaded[], shard: Shard | undefined): readonly Loaded[] => {
  if (shard === undefined) return scenarios
  return scenarios.filter((_, index) => index % shard.parts === shard.part - 1)
}

/** The targets: the mock under our hosts, or a running harness. */
const readTargets = ({ host, harness }: RunOptions) => {
  if (harness !== undefined) return [() => harnessAt(harness)]
  return (host === 'all' ? hosts : [host]).map((it) => () => openMock(it))
}
