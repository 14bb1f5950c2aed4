import { resolve } from 'node:path'
import type { Loaded } from '../language/load.ts'
import { type Paint, painter } from '../reports/paint.ts'
import { checkCoverage, type Rule, type RuleState, stateOf } from '../runner/rules.ts'
import type { Verdict } from '../runner/verdict.ts'
import type { RulesOptions } from './commands/rules.ts'
import { loadSuite, printProblems } from './find-scenarios.ts'
import { lastVerdicts } from './last-verdicts.ts'

/** `lumoauth-harness rules`. @returns the exit code */
export const rules = async (
  texts: readonly string[],
  { check, uncovered }: RulesOptions,
): Promise<number> => {
  const { scenarios, catalogue } = await loadSuite()
  if (check) {
    const problems = checkCoverage(catalogue, scenarios)
    printProblems(problems)
    const told = problems.length === 0 ? 'rules and scenarios agree' : `${problems.length} gaps`
    process.stdout.write(`${told}\n`)
    return problems.length === 0 ? 0 : 1
  }
  const paint = painter(process.stdout)
  const showings = showingsOf([...catalogue.rules.values()], scenarios, await lastVerdicts())
  const chosen = showings
    .filter(({ rule }) => texts.every((text) => matchesText(rule, text)))
    .filter(({ state }) => !uncovered || state === 'uncovered')
  process.stdout.write(chosen.map((it) => lineOf(it, paint)).join(''))
  process.stdout.write(`\n${countsOf(chosen)}\n`)
  return 0
}

/** A rule, the scenarios that show it, and their last verdicts. */
export type Showing = Readonly<{
  rule: Rule
  scenarios: readonly Readonly<{ scenario: Loaded; last: Verdict | undefined }>[]
  state: RuleState
}>

/** The state of each rule: that of its worst scenario. */
export const showingsOf = (
  rules: readonly Rule[],
  scenarios: readonly Loaded[],
  verdicts: ReadonlyMap<string, Verdict>,
): Showing[] =>
  rules.map((rule) => {
    const own = scenarios
      .filter((it) => it.covers.includes(rule.id))
      .map((scenario) => ({ scenario, last: verdicts.get(resolve(scenario.file)) }))
    const lasts = own.map((it) => it.last ?? 'not run')
    return { rule, scenarios: own, state: stateOf(rule, lasts) }
  })

const matchesText = ({ id, says, source, seat, level }: Rule, text: string) =>
  [id, says, source, seat, level].some((it) => it.toLowerCase().includes(text.toLowerCase()))

/** The mark of a state, in lists. */
export const marks: Readonly<Record<Showing['state'], readonly [string, Parameters<Paint>[0]]>> = {
  passed: ['✓', 'green'],
  failed: ['✗', 'red'],
  skipped: ['-', 'yellow'],
  'not run': ['·', 'dim'],
  uncovered: ['○', 'red'],
  excluded: ['×', 'dim'],
}

const lineOf = ({ rule, scenarios, state }: Showing, paint: Paint): string => {
  const [mark, style] = marks[state]
  const { id, level, seat, says, excluded } = rule
  const count = scenarios.length === 1 ? '1 scenario' : `${scenarios.length} scenarios`
  const shown = state === 'excluded' ? `excluded: ${excluded}` : `${count}, ${state}`
  return `${paint(style, mark)} ${paint('bold', id.padEnd(24))} ${level.padEnd(6)} ${seat.padEnd(7)} ${says}\n${' '.repeat(27)}${paint('dim', shown)}\n`
}

const countsOf = (showings: readonly Showing[]): string => {
  const { excluded = [], uncovered = [], ...shown } = Object.groupBy(showings, (it) => it.state)
  const covered = Object.values(shown).flat()
  const passed = shown.passed?.length ?? 0
  return `${showings.length} rules: ${covered.length} covered (${passed} passed), ${uncovered.length} uncovered, ${excluded.length} excluded`
}
