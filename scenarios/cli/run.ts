import { resolve } from 'node:path'
import { UsageError } from '../../server/usage-error.ts'
import { type Loaded, loadScenarios, type Problem } from '../language/load.ts'
import { reports } from '../reports/formats.ts'
import { github } from '../reports/github.ts'
import { terminal } from '../reports/terminal.ts'
import { difference } from '../runner/compare.ts'
import { checkCoverage, loadRules } from '../runner/rules.ts'
import { nameOf, type Run } from '../runner/verdict.ts'
import { type Host, hosts } from '../targets/mock/mock.ts'
import { choices, createFilter, listOf, reportProblems } from './filters.ts'
import { filesOf, rulesFile } from './find-scenarios.ts'
import { keepVerdicts, lastVerdicts } from './last-verdicts.ts'
import { harnessAt, openMock, readHost } from './open-mock.ts'
import { readOptions, wholeNumber } from './options.ts'
import { parseReportOption, writeReport } from './report-option.ts'
import { runLive } from './run-live.ts'
import { watch } from './watch.ts'

const help = `Runs scenarios against the mock.

Usage: lumoauth-harness run [PATTERN…] [OPTIONS]

PATTERN is a file, a folder or a glob; a theme or a scenario of the suite, such as tokens; else part
of a path in it. Without one, the whole suite runs.

  --only TEXT         only scenarios with this in their title
  --tag TAG           only those with this tag (several: any of them)
  --rule RULE         only those that cover this rule (several: any of them)
  --host HOST         ${hosts.join(', ')}, or all; default express
  --harness URL       the harness that start has up there, instead of one of our own;
                      LUMOAUTH_HARNESS_CONTROL_TOKEN holds its control token
  --report FORMAT[=FILE]
                      ${Object.keys(reports).join(', ')}; several at once. Without FILE to standard output
  --failed            only those that failed when they were last run here
  --watch             run again whenever a scenario, or the code of the harness, changes
  --list              say what would run, and run nothing
  --bail              stop after the first failure
  --seed N            the same ids and secrets again, and so the same transcript
  --repeat N          run each scenario N times
  --shard I/N         run the I-th of N parts
  --concurrency N     how many run at once; default 8

On GitHub Actions, each failure is also an annotation at its line.

Exit code: 0 all passed, 1 something failed, 2 could not run.

Example: lumoauth-harness run founding approvals --host all --report junit=report.xml
`

const options = {
  ...choices,
  host: { type: 'string' },
  harness: { type: 'string' },
  report: { type: 'string', multiple: true },
  failed: { type: 'boolean' },
  watch: { type: 'boolean' },
  list: { type: 'boolean' },
  bail: { type: 'boolean' },
  seed: { type: 'string' },
  repeat: { type: 'string' },
  shard: { type: 'string' },
  concurrency: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

/**
 * Whether the suite covers every rule of the catalogue. From then on, a rule without a scenario and a
 * scenario without a rule are mistakes like any other: nothing runs. `rules --check` always tells.
 */
const coverageIsComplete = true

/** `lumoauth-harness run`. @returns the exit code */
export const run = async (args: string[]): Promise<number> => {
  const { values, positionals } = readOptions(args, options)
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  if (values.watch) {
    return watch(['run', ...args.filter((it) => it !== '--watch')], positionals)
  }
  const orders = (values.report ?? []).map((order) => parseReportOption(order))
  const targets = readTargets(values.host, values.harness)
  const wants = (...names: string[]) =>
    orders.some(({ report }) => names.some((name) => reports[name] === report))
  const how = {
    keep: wants('html', 'json', 'transcript') || targets.length > 1 ? 'all' : 'failed',
    policies: wants('html'),
    concurrency: wholeNumber('concurrency', values.concurrency),
    seed: wholeNumber('seed', values.seed, 0),
    repeat: wholeNumber('repeat', values.repeat),
    bail: values.bail,
  } as const
  const { scenarios, problems } = await loadScenarios(filesOf(positionals))
  const gaps = coverageIsComplete && positionals.length === 0 ? await gapsIn(scenarios) : []
  if (reportProblems([...problems, ...gaps])) return 2

  const last = values.failed ? await lastVerdicts() : undefined
  const again = scenarios.filter(
    ({ file }) => last === undefined || last.get(resolve(file)) === 'failed',
  )
  if (again.length === 0 && scenarios.length > 0) {
    process.stdout.write('none of these failed when they were last run\n')
    return 0
  }
  const chosen = selectShard(again.filter(createFilter(values)), values.shard)
  if (chosen.length === 0) throw new UsageError('no scenario is left to run')
  if (values.list) {
    process.stdout.write(listOf(chosen))
    return 0
  }

  // Reports without a file own the standard output; the live list then goes beside it.
  const out = orders.some((it) => it.file === undefined) ? process.stderr : process.stdout
  const runs: Run[] = []
  for (const open of targets) {
    const target = await open()
    try {
      runs.push(await runLive(chosen, target, how, out, targets.length > 1))
    } finally {
      await target.close()
    }
  }
  const odd = differences(runs)

  const { failures, counts } = terminal({ stream: out })
  const told = failures(runs)
  out.write(told === '' ? '\n' : `\n${told}\n`)
  for (const it of odd) out.write(`hosts differ: ${it}\n`)
  if (process.env.GITHUB_ACTIONS === 'true') out.write(github(runs))
  const context = wants('html') ? { rules: await rulesOfSuite() } : {}
  for (const { report, file } of orders) await writeReport(report(runs, context), file)
  out.write(`${counts(runs)}\n`)
  await keepVerdicts(runs)
  const failed = runs.some((it) => it.results.some((result) => result.verdict === 'failed'))
  return failed || odd.length > 0 ? 1 : 0
}

const gapsIn = async (scenarios: readonly Loaded[]): Promise<Problem[]> => {
  const { catalogue, problems } = await loadRules(rulesFile())
  return [...problems, ...checkCoverage(catalogue, scenarios)]
}

const rulesOfSuite = async () => [...(await loadRules(rulesFile())).catalogue.rules.values()]

/** With one seed, the hosts must answer alike. */
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

const selectShard = (
  scenarios: readonly Loaded[],
  shard: string | undefined,
): readonly Loaded[] => {
  if (shard === undefined) return scenarios
  const [, part = 0, parts = 0] = (/^(\d+)\/(\d+)$/.exec(shard) ?? []).map(Number)
  if (part < 1 || part > parts) {
    throw new UsageError(`--shard takes I/N, such as 1/3, not "${shard}"`)
  }
  return scenarios.filter((_, index) => index % parts === part - 1)
}

/** Where it runs: under hosts of ours, or on a harness that is up already. */
const readTargets = (host: string | undefined, harness: string | undefined) => {
  if (harness === undefined) return readHosts(host ?? 'express').map((it) => () => openMock(it))
  if (host !== undefined)
    throw new UsageError('--host is for a harness of our own: not with --harness')
  return [() => harnessAt(harness)]
}

const readHosts = (name: string): readonly Host[] =>
  name === 'all' ? hosts : [readHost(name, ['all'])]
