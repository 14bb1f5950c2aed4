import { didYouMean } from '../../server/wire/closest.ts'
import { reports } from '../reports/report.ts'
import { terminal } from '../reports/terminal.ts'
import { difference } from '../runner/compare.ts'
import { type Loaded, loadScenarios } from '../runner/load.ts'
import { loadRules } from '../runner/rules.ts'
import { nameOf, type Run } from '../runner/verdict.ts'
import { type Host, hosts, mock } from '../targets/mock.ts'
import { CannotRun } from './cannot-run.ts'
import { choices, complain, listOf, wanted } from './choice.ts'
import { runLive } from './live.ts'
import { readOptions, wholeNumber } from './options.ts'
import { deliver, readReport } from './report-order.ts'
import { filesOf, rulesFile } from './suite.ts'

const help = `Runs scenarios against the mock.

Usage: lumoauth-harness run [PATTERN…] [OPTIONS]

PATTERN is a file, a folder or a glob; a theme or a scenario of the suite, such as tokens; else part
of a path in it. Without one, the whole suite runs.

  --only TEXT         only scenarios with this in their title
  --tag TAG           only those with this tag (several: any of them)
  --rule RULE         only those that cover this rule (several: any of them)
  --host HOST         ${hosts.join(', ')}, or all; default express
  --report FORMAT[=FILE]
                      ${Object.keys(reports).join(', ')}; several at once. Without FILE to standard output
  --list              say what would run, and run nothing
  --bail              stop after the first failure
  --seed N            the same ids and secrets again
  --repeat N          run each scenario N times
  --shard I/N         run the I-th of N parts
  --concurrency N     how many run at once; default 8

Exit code: 0 all passed, 1 something failed, 2 could not run.

Example: lumoauth-harness run founding approvals --host all --report junit=report.xml
`

const options = {
  ...choices,
  host: { type: 'string' },
  report: { type: 'string', multiple: true },
  list: { type: 'boolean' },
  bail: { type: 'boolean' },
  seed: { type: 'string' },
  repeat: { type: 'string' },
  shard: { type: 'string' },
  concurrency: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

/** `lumoauth-harness run`. @returns the exit code */
export const run = async (args: string[]): Promise<number> => {
  const { values, positionals } = readOptions(args, options)
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const orders = (values.report ?? []).map((order) => readReport(order))
  const targets = readHosts(values.host ?? 'express')
  const how = {
    policies: orders.some((it) => it.report === reports.html),
    concurrency: wholeNumber('concurrency', values.concurrency),
    seed: wholeNumber('seed', values.seed, 0),
    repeat: wholeNumber('repeat', values.repeat),
    bail: values.bail,
  }
  const { scenarios, problems } = await loadScenarios(filesOf(positionals))
  if (complain(problems)) return 2

  const chosen = sharded(scenarios.filter(wanted(values)), values.shard)
  if (chosen.length === 0) throw new CannotRun('no scenario is left to run')
  if (values.list) {
    process.stdout.write(listOf(chosen))
    return 0
  }

  // Reports without a file own the standard output; the live list then goes beside it.
  const out = orders.some((it) => it.file === undefined) ? process.stderr : process.stdout
  const runs: Run[] = []
  for (const host of targets) {
    const target = await mock(host)
    try {
      runs.push(await runLive(chosen, target, how, out, targets.length > 1))
    } finally {
      await target.close()
    }
  }
  const odd = differences(runs)

  const { failures, counts } = terminal({ color: out.hasColors?.() ?? false })
  const told = failures(runs)
  out.write(told === '' ? '\n' : `\n${told}\n`)
  for (const it of odd) out.write(`hosts differ: ${it}\n`)
  const context = orders.length === 0 ? {} : { rules: await rulesOfSuite() }
  for (const { report, file } of orders) await deliver(report(runs, context), file)
  out.write(`${counts(runs)}\n`)
  const failed = runs.some((it) => it.results.some((result) => result.verdict === 'failed'))
  return failed || odd.length > 0 ? 1 : 0
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

const sharded = (scenarios: readonly Loaded[], shard: string | undefined): readonly Loaded[] => {
  if (shard === undefined) return scenarios
  const [, part = 0, parts = 0] = (/^(\d+)\/(\d+)$/.exec(shard) ?? []).map(Number)
  if (part < 1 || part > parts) {
    throw new CannotRun(`--shard takes I/N, such as 1/3, not "${shard}"`)
  }
  return scenarios.filter((_, index) => index % parts === part - 1)
}

const readHosts = (host: string): readonly Host[] => {
  if (host === 'all') return hosts
  const known = hosts.find((it) => it === host)
  if (known !== undefined) return [known]
  const names = [...hosts, 'all']
  throw new CannotRun(
    `unknown host "${host}"${didYouMean(host, names) || `; hosts are ${names.join(', ')}`}`,
  )
}
