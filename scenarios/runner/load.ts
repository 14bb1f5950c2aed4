import { readFile } from 'node:fs/promises'
import { relative, sep } from 'node:path'
import type { z } from 'zod'
import { Duration, TenantSeed } from '../../server/wire/index.ts'
import type { Capability } from '../targets/target.ts'
import { actions, isWord, type Word } from './actions.ts'
import { didYouMean } from './closest.ts'
import { alwaysSet, answerParts, type Given, modifierWords, Scenario, stepOf } from './format.ts'
import { isObject, mistakes, type Path, show } from './match.ts'
import type { Step } from './scene.ts'
import { type Position, readSource, type Source } from './source.ts'
import { references, segments } from './variables.ts'

/** A scenario that may be run: everything a reader can find wrong in it without running it was right. */
export type Loaded = Readonly<{
  file: string
  theme: string
  title: string
  covers: readonly string[]
  tags: readonly string[]
  needs: readonly Capability[]
  /** How much time its steps let pass, in seconds. */
  takes: number
  prefixes: readonly ('tenant' | 'org')[]
  tenants: readonly Readonly<{ name: string; given: Given }>[]
  steps: readonly Step[]
  source: Source
}>

export type Problem = Readonly<{ at: Position; message: string; severity: 'error' | 'warning' }>

/** Reads scenario files; every problem of every file comes back at once. */
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

/** Reads one scenario. `file` is the name it is known by. */
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
  }
  if (problems.some((it) => it.severity === 'error')) return { problems: inOrder(problems) }

  const scenario = source.value as Scenario
  const every = allSteps(scenario.steps, ['steps'])
  return {
    problems: inOrder(problems),
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

/** The word of a step's action. */
export const wordOf = (step: Step): Word | undefined => Object.keys(step).find(isWord)

type Report = (
  message: string,
  path: Path,
  how?: { part?: 'key' | 'value'; severity?: 'error' | 'warning' },
) => void

const tenantsOf = (scenario: Readonly<Record<string, unknown>>) =>
  isObject(scenario.tenants)
    ? Object.entries(scenario.tenants).map(([name, given]) => ({ name, given: given as Given }))
    : [{ name: 'main', given: (scenario.given ?? {}) as Given }]

/** Folders below `suite` are themes. */
const themeOf = (file: string): string => {
  const folders = file.split(sep).slice(0, -1)
  return folders.slice(folders.lastIndexOf('suite') + 1).join('/') || 'scenarios'
}

const durationOf = (step: Step): number => ('advance' in step ? Duration.parse(step.advance) : 0)

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

/** `times`: how often the step is performed. */
type Placed = Readonly<{ step: Step; word: Word; path: Path; times: number }>

/** Every step, those within steps too, in the order they stand in. */
const allSteps = (steps: readonly unknown[], path: Path, times = 1): Placed[] =>
  steps.flatMap((step, index) => {
    if (!isObject(step)) return []
    const word = wordOf(step)
    if (word === undefined) return []
    const here = [...path, index]
    const inner = actions[word].nests?.(step[word]) ?? []
    return [
      { step, word, path: here, times },
      ...inner.flatMap((nest) =>
        allSteps(nest.steps, [...here, word, ...nest.at], times * (nest.times ?? 1)),
      ),
    ]
  })

const checkSteps = (steps: readonly unknown[], path: Path, report: Report): void => {
  for (const [index, step] of steps.entries()) {
    const here = [...path, index]
    if (!isObject(step)) {
      report(`expected a step: an action and its modifiers, not ${show(step)}`, here)
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
      report(`a step is exactly one action, not "${word}" and "${second}"`, [...here, second], {
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
    const [part = ''] = segments(String(from))
    if (answerParts.includes(part)) continue
    const hint = didYouMean(part, answerParts) || `; expected ${answerParts.join(', ')}`
    report(`an answer has no "${part}"${hint}`, [...path, 'save', name])
  }
}

/** Whether the agents, people and tenants that steps speak of are given. */
const checkNames = (
  steps: readonly unknown[],
  tenants: readonly Readonly<{ name: string; given: Given }>[],
  report: Report,
) => {
  const seeded = (given: Given | undefined) => {
    const { agents, users } = TenantSeed.parse({ ...given, tenant: undefined })
    return [...agents.map((it) => it.name), ...users.map((it) => it.email)]
  }
  for (const { step, path } of allSteps(steps, ['steps'])) {
    const names = tenants.map((it) => it.name)
    if (step.in !== undefined && !names.includes(String(step.in))) {
      const hint = didYouMean(String(step.in), names)
      report(`no tenant "${step.in}"${hint || `; there are ${names.join(', ')}`}`, [...path, 'in'])
      continue
    }
    if (step.as === undefined) continue
    const there = seeded((tenants.find((it) => it.name === step.in) ?? tenants[0])?.given)
    if (there.includes(String(step.as))) continue
    const hint = didYouMean(String(step.as), there) || `; there are ${there.join(', ')}`
    report(`no agent or user "${step.as}"${hint}`, [...path, 'as'])
  }
}

/** Whether every variable holds something when it is used, and is used when it holds something. */
const checkVariables = (steps: readonly unknown[], report: Report) => {
  const used = new Set<string>()
  const saved: { name: string; path: Path }[] = []
  let sound = true

  const check = (
    list: readonly unknown[],
    path: Path,
    before: ReadonlySet<string>,
  ): Set<string> => {
    const known = new Set(before)
    for (const [index, step] of list.entries()) {
      if (!isObject(step)) continue
      const word = wordOf(step)
      if (word === undefined) continue
      const here = [...path, index]
      const nests = actions[word].nests?.(step[word]) ?? []
      const own = nests.length === 0 ? step : { ...step, [word]: undefined }
      for (const { name, at } of references({ ...own, save: undefined, note: undefined }, here)) {
        used.add(name)
        if (known.has(name)) continue
        sound = false
        const setter = setterOf(name)
        const hint =
          setter === undefined
            ? didYouMean(name, known)
            : `; it is set by ${setter}, which comes later or never`
        report(`$${name} holds nothing here${hint}`, at)
      }
      const inside = nests.map((nest) =>
        check(nest.steps, [...here, word, ...nest.at], new Set([...known, 'round'])),
      )
      for (const name of inside.flatMap((names) => [...names]))
        if (name !== 'round') known.add(name)
      for (const name of actions[word].sets ?? []) known.add(name)
      for (const name of Object.keys(isObject(step.save) ? step.save : {})) {
        known.add(name)
        if (reserved.has(name))
          report(`"${name}" is the name of a built-in variable`, [...here, 'save', name], {
            part: 'key',
          })
        saved.push({ name, path: [...here, 'save', name] })
      }
    }
    return known
  }

  check(steps, ['steps'], new Set(alwaysSet))
  if (!sound) return
  for (const { name, path } of saved) {
    if (!used.has(name)) {
      report(`$${name} is saved and never used`, path, { part: 'key', severity: 'warning' })
    }
  }
}

const setterOf = (name: string) =>
  Object.entries(actions).find(([, it]) => it.sets?.includes(name))?.[0]

const reserved = new Set([
  ...alwaysSet,
  'round',
  ...Object.values(actions).flatMap((it) => [...(it.sets ?? [])]),
])

/** Reports what a schema refuses, and whether all is well. */
const checkSchema = (schema: z.ZodType, value: unknown, path: Path, report: Report): boolean => {
  const parsed = schema.safeParse(value)
  if (parsed.success) return true
  for (const issue of parsed.error.issues) reportIssue(issue, schema, value, path, report)
  return false
}

type Issue = z.core.$ZodIssue

const reportIssue = (
  issue: Issue,
  schema: z.ZodType,
  value: unknown,
  base: Path,
  report: Report,
): void => {
  const inner = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))
  const path = [...base, ...inner]
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const branch = nearest(issue.errors)
    const own = issue.message !== 'Invalid input'
    if (!own && branch !== undefined) {
      for (const it of branch) {
        reportIssue(
          { ...it, path: [...issue.path, ...it.path] } as Issue,
          schema,
          value,
          base,
          report,
        )
      }
      return
    }
  }
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, inner)
    for (const key of issue.keys) {
      const hint =
        didYouMean(key, known) || (known.length > 0 ? `; expected ${known.join(', ')}` : '')
      report(`unknown key "${key}"${hint}`, [...path, key], { part: 'key' })
    }
    return
  }
  const received = inner.reduce<unknown>(
    (it, key) =>
      isObject(it) || Array.isArray(it) ? (it as Record<string | number, unknown>)[key] : undefined,
    value,
  )
  if (received === undefined && inner.length > 0) {
    report(`"${inner.at(-1)}" is missing: ${messageOf(issue)}`, path.slice(0, -1))
    return
  }
  report(`${messageOf(issue)}, not ${show(received, 60)}`, path)
}

/** Of the branches of a union, the one whose mistakes lie deepest: most likely the one meant. */
const nearest = (branches: readonly (readonly Issue[])[]) =>
  branches
    .map((issues) => ({
      issues,
      depth: Math.max(
        ...issues.map((it) => it.path.length + (it.code === 'unrecognized_keys' ? 1 : 0)),
      ),
    }))
    .sort((a, b) => b.depth - a.depth || a.issues.length - b.issues.length)[0]?.issues

const messageOf = (issue: Issue): string => {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${/^[aeiou]/.test(issue.expected) ? 'an' : 'a'} ${issue.expected}`
    case 'invalid_value':
      return `expected ${issue.values.map((it) => String(it)).join(', ')}`
    case 'too_small':
      return `expected at least ${issue.minimum} ${issue.origin === 'array' ? 'of them' : ''}`.trim()
    default:
      return issue.message
  }
}

/** The keys an object may have at a path of a schema. */
const keysAt = (schema: unknown, path: Path): string[] => {
  const { def } = schema as { def?: Record<string, unknown> }
  if (def === undefined) return []
  switch (def.type) {
    case 'object': {
      const shape = def.shape as Record<string, unknown>
      const [key, ...rest] = path
      if (key === undefined) return Object.keys(shape)
      return keysAt(shape[key] ?? def.catchall ?? {}, rest)
    }
    case 'array':
      return path.length === 0 ? [] : keysAt(def.element, path.slice(1))
    case 'record':
      return path.length === 0 ? [] : keysAt(def.valueType, path.slice(1))
    case 'union':
      return [...new Set((def.options as unknown[]).flatMap((it) => keysAt(it, path)))]
    case 'pipe':
      return keysAt(def.in, path)
    default:
      return def.innerType === undefined ? [] : keysAt(def.innerType, path)
  }
}

const sharedTitles = (scenarios: readonly Loaded[]): Problem[] =>
  scenarios.flatMap((scenario, index) => {
    const first = scenarios.findIndex((it) => it.title === scenario.title)
    if (first === index) return []
    const message = `this is also the title of ${scenarios[first]?.file}`
    return [{ at: scenario.source.locate(['scenario']), message, severity: 'error' as const }]
  })

const inOrder = (problems: readonly Problem[]) =>
  problems.toSorted((a, b) => a.at.line - b.at.line || a.at.column - b.at.column)
