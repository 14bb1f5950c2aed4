import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from '../../../server/usage-error.ts'
import { version } from '../../../server/version.ts'
import { FlawedFile, parseYaml } from '../../../server/wire/yaml-source.ts'
import { type LoadedAgentScenario, loadAgentScenarios } from '../../checks/agent/load.ts'
import { meterText, totalOf } from '../../checks/agent/meter.ts'
import { runAgent } from '../../checks/agent/run.ts'
import { Given } from '../../language/format.ts'
import { liveOutput } from '../../reports/live-output.ts'
import { loadRules } from '../../runner/rules.ts'
import { abortOnSignal } from '../abort-on-signal.ts'
import { filesOf, printProblems, rulesFile, suiteFolder } from '../find-scenarios.ts'
import { readOptions, wholeNumber } from '../options.ts'
import {
  baselineOf,
  concludeCheck,
  outcomeHelp,
  outcomeOptions,
  parseReportOptions,
} from './outcome.ts'

const help = `Checks an agent: our issuer and our API, and your command once in every scenario.

Usage: lumoauth-harness check agent [OPTIONS] -- COMMAND [ARGUMENT…]

Each scenario has a tenant of its own. The command gets LUMOAUTH_URL, LUMOAUTH_TENANT, LUMOAUTH_ORG_ID,
AGENT_CLIENT_ID, AGENT_CLIENT_SECRET, DOCUMENTS_API_URL, and OPENAI_BASE_URL with OPENAI_API_KEY of a
scripted model. What it should do is its own affair, such as reading doc_9982; what is judged is how.

  --given FILE        what every tenant holds, for an agent that needs documents or scopes of its own
  --limit SECONDS     how long the command may take in a scenario; default 60
  --only TEXT         only scenarios with this in their title or file name
  --list              say what would run
${outcomeHelp}  --concurrency N     how many commands run at once; default 4

Exit code: 0 no deviation that is not in the baseline, 1 some, 2 could not run.

Example: lumoauth-harness check agent --report statement=agent.md -- python agent.py
`

const options = {
  ...outcomeOptions,
  given: { type: 'string' },
  limit: { type: 'string' },
  only: { type: 'string' },
  list: { type: 'boolean' },
  concurrency: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

/** `lumoauth-harness check agent -- CMD`. @returns the exit code */
export const checkAgent = async (args: string[]): Promise<number> => {
  const at = args.indexOf('--')
  const line = at < 0 ? [] : args.slice(at + 1)
  const { values, positionals } = readOptions(at < 0 ? args : args.slice(0, at), options)
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  if (positionals[0] !== undefined) {
    throw new UsageError(
      `the command comes after --, such as: check agent -- ${positionals.join(' ')}`,
    )
  }
  const { toStdout } = parseReportOptions(values)
  const { scenarios, says } = await agentScenarios()
  const { only } = values
  const chosen = scenarios.filter(
    ({ scenario, file }) =>
      only === undefined || `${scenario} ${file}`.toLowerCase().includes(only.toLowerCase()),
  )
  if (chosen.length === 0) throw new UsageError('no scenario is left to run')
  if (values.list) {
    for (const { scenario, file } of chosen) process.stdout.write(`${scenario}\n  ${file}\n`)
    process.stdout.write(`\n${chosen.length} scenarios\n`)
    return 0
  }
  if (line.length === 0) throw new UsageError('no command: check agent -- COMMAND')
  const given = await givenIn(values.given)
  const limit = wholeNumber('limit', values.limit)
  const concurrency = wholeNumber('concurrency', values.concurrency)
  const baseline = await baselineOf(values)

  const out = toStdout ? process.stderr : process.stdout
  using signal = abortOnSignal()
  const { run, meters } = await runAgent(chosen, {
    line,
    given,
    ...(limit === undefined ? {} : { limit }),
    ...(concurrency === undefined ? {} : { concurrency }),
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
      says,
      leftovers: [],
    },
    values,
    baseline,
    out,
  )
  return signal.aborted ? 2 : code
}

const agentScenarios = async (): Promise<{
  scenarios: readonly LoadedAgentScenario[]
  says: (rule: string) => string
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
  return { scenarios, says: (rule) => rules.get(rule)?.says ?? '' }
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
