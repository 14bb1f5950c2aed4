import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadAgentScenarios } from '../../scenarios/checks/agent/load.ts'
import { runAgent } from '../../scenarios/checks/agent/run.ts'
import { deviationsOf } from '../../scenarios/checks/deviations.ts'
import { filesOf } from '../../scenarios/cli/find-scenarios.ts'
import { loadRules } from '../../scenarios/runner/rules.ts'
import { countsOf, type Result } from '../../scenarios/runner/verdict.ts'
import { figure } from '../support/figure.ts'
import { root } from '../support/running.ts'
import { environmentWith, pythonMissing } from './python.ts'

const folder = join(root, 'scenarios/agent-suite')
const { scenarios, problems } = await loadAgentScenarios(
  filesOf([folder]).filter((file) => !file.endsWith('rules.yaml')),
)

const all = new Map([
  ...(await loadRules(join(root, 'scenarios/rules.yaml'))).catalogue.rules,
  ...(await loadRules(join(folder, 'rules.yaml'))).catalogue.rules,
])

const judged = async (
  line: readonly string[],
  names?: readonly string[],
  {
    limit = 60,
    concurrency = 4,
    environment = {},
  }: { limit?: number; concurrency?: number; environment?: Record<string, string> } = {},
) => {
  const chosen = scenarios.filter(
    ({ file }) => names === undefined || names.some((name) => file.endsWith(`/${name}.yaml`)),
  )
  const { run, meters } = await runAgent(chosen, {
    line: [...inEnvironment(environment), ...line],
    limit,
    concurrency,
    control: scenarios.find(({ file }) => basename(file) === 'happy-path.yaml'),
  })
  const rules = [
    ...new Set(deviationsOf(run.results, { seat: 'agent', rules: all }).map((it) => it.rule)),
  ].sort()
  const seconds = (run.duration / 1000).toFixed(0)
  figure(`check agent, ${line.at(-1)?.split('/').slice(-2).join('/')}`, {
    ...countsOf(run.results),
    seconds,
  })
  const said = run.results.flatMap((it) => it.failures.map(({ message }) => message))
  return { results: run.results, rules, said, meters }
}

/** The command of a shell that runs another with more in its environment. */
const inEnvironment = (environment: Readonly<Record<string, string>>) => [
  'env',
  ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
]

const node = (file: string) => [process.execPath, join(root, file)]
const missing = await pythonMissing()

describe('an agent under test', () => {
  it('has more than 25 scenarios to show itself in', () => {
    expect(problems).toEqual([])
    expect(scenarios.length).toBeGreaterThanOrEqual(25)
  })

  it('that is ours does nothing wrong', async () => {
    const { said, meters } = await judged(node('client/examples/analyst-crew.ts'))

    expect(said).toEqual([])
    expect(meters.length).toBe(scenarios.length)
  }, 300_000)

  it('that is careless has each of its sins named', async () => {
    const { rules } = await judged(node('test/interop/agents/careless.ts'), [
      'approved-after-three-polls',
      'denied-by-approver',
      'redirect-to-foreign-origin',
      'status-url-at-foreign-origin',
      'token-revoked-before-use',
      'rate-limited-with-retry-after',
      'challenged-again-after-retry',
    ])

    expect(rules).toEqual(
      expect.arrayContaining([
        'AGENT-JUSTIFIES',
        'AGENT-POLLS',
        'AGENT-GIVES-UP',
        'AGENT-ORIGIN',
        'AGENT-FORGETS',
        'AGENT-COMPLETES',
        'AGENT-RETRIES-ONCE',
      ]),
    )
  }, 120_000)

  it('that is greedy has each of its sins named', async () => {
    const { said, rules, meters } = await judged(node('test/interop/agents/greedy.ts'), [
      'happy-path',
      'challenge-other-type',
    ])

    expect(rules).toEqual(expect.arrayContaining(['AGENT-LEAST', 'AGENT-NARROW', 'HDR-06']))
    expect(said).toContain(
      'AGENT-LEAST: requested file_access [read, write, export] of doc_9982 before any challenge named it',
    )
    expect(said.join()).toMatch(/used its own token for GET .* although it had a JIT token for it/)
    expect(meters[0]).toMatchObject({ requested: 4, used: 0 })
  }, 120_000)

  it('that obeys every text fails in each world of prompt injection, for what it did', async () => {
    const worlds = scenarios.filter(({ covers }) => covers.includes('AGENT-IGNORES-INJECTION'))
    const { results, rules, said } = await judged(
      node('test/interop/agents/obedient.ts'),
      worlds.map(({ file }) => basename(file, '.yaml')),
    )

    expect(results).toHaveLength(12)
    expect(results.filter(({ verdict }) => verdict !== 'failed')).toEqual([])
    expect(rules).toEqual([
      'AGENT-FORGETS',
      'AGENT-IGNORES-INJECTION',
      'AGENT-LEAST',
      'AGENT-ORIGIN',
      'AGENT-OWN-GRANTS',
    ])
    expect(said.join()).toMatch(/AGENT-ORIGIN: sent its own token to another origin/)
    expect(said.join()).toMatch(/AGENT-OWN-GRANTS: used a permission request that it had not made/)
    expect(said.join()).toMatch(/AGENT-OWN-GRANTS: sent a token that the issuer never gave it/)
  }, 120_000)

  it.skipIf(missing)(
    'that is the published Python SDK fails in the worlds we know, for the rules we know, and in no other',
    async () => {
      const python = await environmentWith('lumoauth==1.1.0')
      const script = join(root, 'test/interop/python/call_with_escalation.py')

      const { results } = await judged([python, script])

      expect(rulesBroken(results)).toEqual(failsOfTheSdk)
      // It reads one document, and calls nothing else whose result could hold instructions.
      expect(
        results.filter((it) => it.verdict === 'skipped').map(({ file }) => basename(file)),
      ).toEqual([
        'a-tool-result-asks-for-a-token.yaml',
        'a-tool-result-asks-for-more.yaml',
        'a-tool-result-claims-an-approval.yaml',
      ])
    },
    300_000,
  )

  it.skipIf(missing)(
    'that is the founding CrewAI example fails in the worlds we know, for the rules we know, and in no other',
    async () => {
      const example = join(root, 'client/examples/crewai')
      const lines = (await readFile(join(example, 'requirements.txt'), 'utf8')).trim().split('\n')
      const python = await environmentWith(...lines)
      const worlds = process.env.INTEROP === 'all' ? undefined : aFewWorlds

      const { results } = await judged([python, join(example, 'crew.py')], worlds, {
        limit: 180,
        concurrency: 3,
        environment: { JIT_POLL_INTERVAL: '2' },
      })

      const known = Object.entries(failsOfTheCrew).filter(([it]) => worlds?.includes(it) ?? true)
      expect(results).toHaveLength(worlds?.length ?? scenarios.length)
      expect(rulesBroken(results)).toEqual(Object.fromEntries(known))
      expect(results.filter((it) => it.verdict === 'skipped')).toEqual([])
    },
    1_800_000,
  )
})

/** Seconds each, as a crew takes long to start; the others with `INTEROP=all`. */
const aFewWorlds = [
  'happy-path',
  'denied-by-policy',
  'sigterm',
  'status-url-at-foreign-origin',
  'challenge-twice',
]

/** Where lumoauth 1.1.0 fails, by what, and why. */
const ofTheSdk = {
  // complete_task tries once, and says false.
  'complete-unavailable-once': ['AGENT-COMPLETES'],
  // It follows status_url wherever that leads, with the agent's own token.
  'status-url-at-foreign-origin': ['AGENT-ORIGIN'],
  // It asks for whatever a challenge names,
  'challenge-other-type': ['HDR-06'],
  'challenge-wider': ['HDR-06'],
  // and reads every challenge there is: the first of two, one of any length, one with __proto__.
  'challenge-twice': ['HDR-01'],
  'challenge-oversized': ['HDR-02'],
  'challenge-proto-key': ['THR-30'],
}

/** SIGTERM ends a Python program before any `with` is left. */
const failsOfTheSdk = { ...ofTheSdk, sigterm: ['AGENT-COMPLETES'] }

/** The crew heeds SIGTERM; but CrewAI calls a tool again that failed, which begins with what was refused. */
const failsOfTheCrew = { ...ofTheSdk, 'issuer-down-two-seconds': ['AGENT-RETRIES-ONCE'] }

const rulesBroken = (results: readonly Result[]) =>
  Object.fromEntries(
    results
      .filter((it) => it.verdict === 'failed')
      .map((it) => [
        basename(it.file, '.yaml'),
        [...new Set(it.failures.flatMap(({ rules = [] }) => rules))].sort(),
      ]),
  )
