import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { UsageError } from '../../../server/usage-error.ts'
import { version } from '../../../server/version.ts'
import { FlawedFile, parseYaml } from '../../../server/wire/yaml-source.ts'
import { type LoadedAgentScenario, loadAgentScenarios } from '../../checks/agent/load.ts'
import { meterText, totalOf } from '../../checks/agent/meter.ts'
import { runAgent } from '../../checks/agent/run.ts'
import { Given } from '../../language/format.ts'
import { liveOutput } from '../../reports/live-output.ts'
import { loadRules, type Rule } from '../../runner/rules.ts'
import { abortOnSignal } from '../abort-on-signal.ts'
import type { CheckAgentOptions } from '../commands/check/agent.ts'
import { requireScenarios } from '../filters.ts'
import { filesOf, printProblems, rulesFile, suiteFolder } from '../find-scenarios.ts'
import { concludeCheck, readBaselineOption, reportsToStdout } from './outcome.ts'

/** `lumoauth-harness check agent -- CMD`. @returns the exit code */
export const checkAgent = async (
  line: readonly string[],
  options: CheckAgentOptions,
): Promise<number> => {
  const { only, limit, concurrency } = options
  const { scenarios, rules } = await agentScenarios()
  const chosen = scenarios.filter(
    ({ scenario, file }) =>
      only === undefined || `${scenario} ${file}`.toLowerCase().includes(only.toLowerCase()),
  )
  requireScenarios(chosen, options)
  if (options.list) {
    for (const { scenario, file } of chosen) process.stdout.write(`${scenario}\n  ${file}\n`)
    process.stdout.write(`\n${chosen.length} scenarios\n`)
    return 0
  }
  if (line.length === 0) throw new UsageError('no command: check agent -- COMMAND')
  const given = await givenIn(options.given)
  const baseline = await readBaselineOption(options)

  const out = reportsToStdout(options.report) ? process.stderr : process.stdout
  using signal = abortOnSignal()
  const { run, meters } = await runAgent(chosen, {
    line,
    given,
    limit,
    concurrency,
    control: scenarios.find(({ file }) => basename(file) === 'happy-path.yaml'),
    signal,
    onResult: liveOutput(out, chosen.length),
  }).catch((error: NodeJS.ErrnoException) => {
    const reasons: Record<string, string> = { ENOENT: 'is not there', EACCES: 'may not be run' }
    const reason = error.syscall?.startsWith('spawn') ? reasons[error.code ?? ''] : undefined
    throw reason === undefined ? error : new UsageError(`${line[0]} ${reason}`)
  })
  const code = await concludeCheck(
    run,
    {
      seat: 'agent',
      name: line.join(' '),
      where: 'this machine',
      harness: version,
      facts: [meterText(totalOf(meters))],
      rules,
      leftovers: [],
    },
    options,
    baseline,
    out,
  )
  return signal.aborted ? 2 : code
}

const agentScenarios = async (): Promise<{
  scenarios: readonly LoadedAgentScenario[]
  rules: ReadonlyMap<string, Rule>
}> => {
  const folder = join(suiteFolder(), '..', 'agent-suite')
  const files = filesOf([folder]).filter((it) => !it.endsWith('rules.yaml'))
  const [{ scenarios, problems }, own, all] = await Promise.all([
    loadAgentScenarios(files),
    loadRules(join(folder, 'rules.yaml')),
    loadRules(rulesFile()),
  ])
  const errors = [...problems, ...own.problems, ...all.problems]
  if (errors.length > 0) {
    printProblems(errors)
    throw new UsageError(`${errors.length} mistakes in agent scenarios and rules`)
  }
  const rules = new Map([...all.catalogue.rules, ...own.catalogue.rules])
  return { scenarios, rules }
}

const givenIn = async (file: string | undefined): Promise<Given | undefined> => {
  if (file === undefined) return undefined
  const text = await readFile(file, 'utf8').catch(() => {
    throw new UsageError(`there is no ${file}`)
  })
  try {
    parseYaml(file, text, Given)
  } catch (error) {
    throw error instanceof FlawedFile ? new UsageError(error.message) : error
  }
  const { parse } = await import('yaml')
  return parse(text)
}
