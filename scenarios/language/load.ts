import { readFile } from 'node:fs/promises'
import { relative, sep } from 'node:path'
import { didYouMean } from '../../server/wire/closest.ts'
import { Duration } from '../../server/wire/index.ts'
import { actions, isWord, type Word } from './actions.ts'
import type { Capability } from './capabilities.ts'
import { checkNames, checkVariables } from './check-names.ts'
import { checkNeeds } from './check-needs.ts'
import { answerParts, type Given, modifierWords, Scenario, stepOf } from './format.ts'
import { isObject, mistakes, type Path, show } from './match.ts'
import { placeOfSaved } from './save.ts'
import { checkSchema, type Report } from './schema-mistakes.ts'
import { type Position, readSource, type Source } from './source.ts'
import type { Step } from './step-context.ts'
import { allSteps, type Placed } from './steps.ts'

/** A scenario without errors that can be found before it runs. */
export type Loaded = Readonly<{
  file: string
  theme: string
  title: string
  covers: readonly string[]
  tags: readonly string[]
  needs: readonly Capability[]
  /** By how much its steps advance the clock, in seconds. */
  takes: number
  prefixes: readonly ('tenant' | 'org')[]
  tenants: readonly Readonly<{ name: string; given: Given }>[]
  steps: readonly Step[]
  source: Source
}>

/** An error or a warning about a scenario file, with its position. */
export type Problem = Readonly<{ at: Position; message: string; severity: 'error' | 'warning' }>

/** Reads scenario files. Returns all problems of all files. */
export const loadScenarios = async (files: readonly string[], root = process.cwd()) => {
  const read = await Promise.all(
    files.map(async (file) =>
      readScenario(relative(root, file) || file, await readFile(file, 'utf8')),
    ),
  )
  const scenarios = read.flatMap((it) => (it.scenario === undefined ? [] : [it.scenario]))
  const problems = read.flatMap((it) => it.problems)
  return { scenarios, problems: [...problems, ...sharedTitles(scenarios)] }
}

/** Reads one scenario. `file` is the name that problems report. */
export const readScenario = (
  file: string,
  text: string,
): Readonly<{ scenario?: Loaded; problems: readonly Problem[] }> => {
  const source = readSource(file, text)
  if (source.problems.length > 0) {
    return { problems: source.problems.map((it) => ({ ...it, severity: 'error' })) }
  }
  const problems: Problem[] = []
  const report: Report = (message, path, { part = 'value', severity = 'error' } = {}) => {
    problems.push({ at: source.locate(path, part), message, severity })
  }

  if (!isObject(source.value)) {
    report('expected a scenario: an object with "scenario" and "steps"', [])
    return { problems }
  }
  checkSchema(Scenario, source.value, [], report)
  const steps = Array.isArray(source.value.steps) ? source.value.steps : []
  const tenants = tenantsOf(source.value)
  checkSteps(steps, ['steps'], report)
  if (problems.length === 0) {
    checkNames(steps, tenants, report)
    checkVariables(steps, report)
    checkNeeds((source.value as Scenario).needs ?? [], steps, tenants, report)
  }
  if (problems.some((it) => it.severity === 'error')) return { problems: sortProblems(problems) }

  const scenario = source.value as Scenario
  const every = allSteps(scenario.steps, ['steps'])
  return {
    problems: sortProblems(problems),
    scenario: {
      file,
      theme: themeOf(file),
      title: scenario.scenario,
      covers: scenario.covers ?? [],
      tags: scenario.tags ?? [],
      needs: needsOf(scenario, every),
      takes: every.reduce((sum, it) => sum + it.times * durationOf(it.step), 0),
      prefixes: scenario.prefix === 'both' ? ['tenant', 'org'] : [scenario.prefix ?? 'tenant'],
      tenants,
      steps: scenario.steps,
      source,
    },
  }
}

const tenantsOf = (scenario: Readonly<Record<string, unknown>>) =>
  isObject(scenario.tenants)
    ? Object.entries(scenario.tenants).map(([name, given]) => ({ name, given: given as Given }))
    : [{ name: 'main', given: (scenario.given ?? {}) as Given }]

/** Folders below `suite` are themes. */
const themeOf = (file: string): string => {
  const folders = file.split(sep).slice(0, -1)
  const own = folders.lastIndexOf('issuer-suite')
  if (own >= 0) return ['issuer contract', ...folders.slice(own + 1)].join('/')
  return folders.slice(folders.lastIndexOf('suite') + 1).join('/') || 'scenarios'
}

/** By how much a step advances the clock, where that is known before it runs. */
const durationOf = ({ advance }: Step): number => Duration.safeParse(advance).data ?? 0

const needsOf = (scenario: Scenario, steps: readonly Placed[]): Capability[] => {
  const ofSteps = steps.flatMap(({ step, word }) => [
    ...(actions[word].needs?.(step[word]) ?? []),
    ...(step.with === 'approver' || String(step.as ?? '').includes('@')
      ? ['approver' as const]
      : []),
  ])
  const ofTenants = [scenario.given, ...Object.values(scenario.tenants ?? {})].flatMap((given) =>
    (given?.policy ?? given?.dialect ?? given?.approver) ? ['control' as const] : [],
  )
  return [...new Set([...(scenario.needs ?? []), ...ofSteps, ...ofTenants])]
}

const checkSteps = (steps: readonly unknown[], path: Path, report: Report): void => {
  for (const [index, step] of steps.entries()) {
    const here = [...path, index]
    if (!isObject(step)) {
      report(`expected a step: an action and its modifiers, received ${show(step)}`, here)
      continue
    }
    const words = Object.keys(step).filter(isWord)
    const [word, second] = words
    if (word === undefined) {
      const unknown = Object.keys(step).find((key) => !modifierWords.includes(key))
      if (unknown === undefined) report('a step needs an action', here)
      else {
        const hint =
          didYouMean(unknown, Object.keys(actions)) ||
          `; actions are ${Object.keys(actions).join(', ')}`
        report(`unknown action "${unknown}"${hint}`, [...here, unknown], { part: 'key' })
      }
      continue
    }
    if (second !== undefined) {
      report(`a step has exactly one action, found "${word}" and "${second}"`, [...here, second], {
        part: 'key',
      })
      continue
    }
    const sound = checkSchema(stepOf(word), step, here, report)
    if (!sound) continue
    checkExpectations(step, word, here, report)
    for (const nest of actions[word].nests?.(step[word]) ?? []) {
      checkSteps(nest.steps, [...here, word, ...nest.at], report)
    }
  }
}

const checkExpectations = (step: Step, word: Word, path: Path, report: Report) => {
  const expectations =
    word === 'assert'
      ? [{ expect: (step.assert as { expect: unknown }).expect, at: [...path, 'assert', 'expect'] }]
      : [{ expect: step.expect, at: [...path, 'expect'] }]
  for (const { expect, at } of expectations) {
    for (const mistake of mistakes(expect, at)) {
      report(mistake.message, mistake.at, { part: mistake.key ? 'key' : 'value' })
    }
  }
  if (actions[word].looks !== 'answer' || !isObject(step.save)) return
  for (const [name, from] of Object.entries(step.save)) {
    const [part = ''] = placeOfSaved(from)
    if (answerParts.includes(part)) continue
    const hint = didYouMean(part, answerParts) || `; expected ${answerParts.join(', ')}`
    report(`an answer has no "${part}"${hint}`, [...path, 'save', name])
  }
}

const sharedTitles = (scenarios: readonly Loaded[]): Problem[] =>
  scenarios.flatMap((scenario, index) => {
    const first = scenarios.findIndex((it) => it.title === scenario.title)
    if (first === index) return []
    const message = `this is also the title of ${scenarios[first]?.file}`
    return [{ at: scenario.source.locate(['scenario']), message, severity: 'error' as const }]
  })

const sortProblems = (problems: readonly Problem[]) =>
  problems.toSorted((a, b) => a.at.line - b.at.line || a.at.column - b.at.column)
