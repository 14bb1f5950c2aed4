import { join } from 'node:path'
import { UsageError } from '../../../server/usage-error.ts'
import { version } from '../../../server/version.ts'
import { DialectDetector } from '../../checks/dialect.ts'
import { recordingOf } from '../../checks/recording.ts'
import { type Loaded, loadScenarios } from '../../language/load.ts'
import { mock } from '../../targets/mock/mock.ts'
import { type RealTarget, real } from '../../targets/real/real.ts'
import { Unreachable } from '../../targets/real/unreachable.ts'
import { abortOnSignal } from '../abort-on-signal.ts'
import { dryRun } from '../dry-run.ts'
import { choices, createFilter, listOf } from '../filters.ts'
import { filesOf, loadSuite, printProblems, suiteFolder } from '../find-scenarios.ts'
import { readOptions, wholeNumber } from '../options.ts'
import { writeReport } from '../report-option.ts'
import { runLive } from '../run-live.ts'
import { accessTo, loadTarget } from '../target-file.ts'
import {
  baselineOf,
  concludeCheck,
  outcomeHelp,
  outcomeOptions,
  parseReportOptions,
} from './outcome.ts'

const help = `Checks a LumoAuth deployment, or any OAuth server: our agent, our API or none, the real issuer.

Usage: lumoauth-harness check issuer [PATTERN…] [OPTIONS]

What the issuer can do is found out first; a scenario that needs more is skipped, with the reason.
Time passes for real, where it is short enough. Every task is completed, whatever happens; nothing is
denied, registered or written without --allow-writes.

  --target FILE       default target.yaml; lumoauth-harness target init writes one
  --allow-writes      also what changes more than tasks of our own
  --record FILE       keep what the issuer answered, without secrets, for start --recording
  --dry-run           print every request that would be sent, and send none
  --only TEXT, --tag TAG, --rule RULE
                      only some scenarios
  --list              say what would run
${outcomeHelp}  --concurrency N     how many scenarios run at once; default 4

Exit code: 0 no deviation that is not in the baseline, 1 some, 2 could not run.

Example: lumoauth-harness check issuer --target staging.yaml --report statement=staging.md
`

const options = {
  ...choices,
  ...outcomeOptions,
  target: { type: 'string' },
  'allow-writes': { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  record: { type: 'string' },
  list: { type: 'boolean' },
  concurrency: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

/** `lumoauth-harness check issuer`. @returns the exit code */
export const checkIssuer = async (args: string[]): Promise<number> => {
  const { values, positionals } = readOptions(args, options)
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const { toStdout } = parseReportOptions(values)
  const concurrency = wholeNumber('concurrency', values.concurrency) ?? 4
  const name = values.target ?? 'target.yaml'
  const file = await loadTarget(name)
  const { scenarios, says } = await issuerScenarios(positionals)
  const chosen = scenarios.filter(createFilter(values))
  if (chosen.length === 0) throw new UsageError('no scenario is left to run')
  if (values.list) {
    process.stdout.write(listOf(chosen))
    return 0
  }
  if (values['dry-run']) {
    return dryRun(chosen, file, { allowWrites: values['allow-writes'] ?? false })
  }
  const access = accessTo(file, name)
  const baseline = await baselineOf(values)

  const out = toStdout ? process.stderr : process.stdout
  using signal = abortOnSignal()
  const target = await connect(() =>
    real(access, {
      allowWrites: values['allow-writes'] ?? false,
      signal,
      say: (line) => out.write(`\n${line}\n`),
    }),
  )
  const referenceMock = await mock('fetch')
  const ear = new DialectDetector(referenceMock, file.issuer?.dialect, target.names)
  const originals = new Map(chosen.map((it) => [it.title, it]))
  try {
    const run = await runLive(
      chosen.map(target.placed),
      target,
      {
        concurrency,
        judge: (result, scenario) => ear.heard(result, originals.get(scenario.title) ?? scenario),
      },
      out,
      false,
    ).finally(() => target.close())
    if (values.record !== undefined) {
      await writeReport(`${JSON.stringify(recordingOf(run), null, 1)}\n`, values.record)
    }
    const code = await concludeCheck(
      run,
      {
        seat: 'issuer',
        name: target.name,
        where: Object.values(target.probed.bases)[0] ?? '',
        harness: version,
        facts: factsOf(target, ear, run.duration),
        says,
        leftovers: target.leftovers,
      },
      values,
      baseline,
      out,
    )
    if (!signal.aborted) return code
    process.stderr.write('lumoauth-harness: interrupted; what is skipped for that was not tested\n')
    return 2
  } finally {
    await referenceMock.close()
  }
}

/** What cannot be reached is one line, and exit code 2. */
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
  ear: DialectDetector,
  milliseconds: number,
): string[] => {
  const { requests, cleaning, waited } = usage()
  const dialect = Object.entries(ear.found).map(([name, value]) => `${name} ${value}`)
  return [
    `prefixes: ${probed.prefixes.join(', ')}`,
    ...(dialect.length === 0 ? [] : [`dialect: ${dialect.join(', ')}`]),
    ...probed.notes,
    `${requests} requests, ${cleaning} of them to complete what was left open; ${(milliseconds / 1000).toFixed(1)} s, ${waited.toFixed(1)} s of it waiting for limits`,
  ]
}

/** The suite, and what is about issuers alone; with patterns, only what they name. */
const issuerScenarios = async (patterns: readonly string[]) => {
  const { scenarios, catalogue } = await loadSuite()
  const more = join(suiteFolder(), '..', 'issuer-suite')
  const { scenarios: own, problems } = await loadScenarios(filesOf([more]))
  if (problems.some((it) => it.severity === 'error')) {
    printProblems(problems)
    throw new UsageError(`${problems.length} mistakes in scenario files`)
  }
  const all = [...own, ...scenarios]
  const says = (rule: string) => catalogue.rules.get(rule)?.says ?? ''
  if (patterns.length === 0) return { scenarios: all, says }
  const chosen = all.filter((it) => patterns.some((pattern) => it.file.includes(pattern)))
  return { scenarios: chosen as readonly Loaded[], says }
}
