import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { undecidedByPolicy } from '../../server/issuer/policy/policy.ts'
import { packageRoot } from '../../server/package-root.ts'
import { didYouMean } from '../../server/wire/closest.ts'
import { Policy, PolicyRule, RequestFacts, RiskLevel } from '../../server/wire/index.ts'
import type { Problem } from '../language/load.ts'
import { isObject, mistakes, type Path } from '../language/match.ts'
import { checkSchema, type Report } from '../language/schema-mistakes.ts'
import { type Position, readSource, type Source } from '../language/source.ts'
import { fill, fillExpected, references } from '../language/variables.ts'
import { PolicyTest } from './format.ts'
import { type PolicySource, policyAt, readPolicy, textOf } from './policy-source.ts'

/** One case, checked for all errors that can be found before it runs. */
export type PolicyCase = Readonly<{
  title: string
  file: string
  /** The policy, with the settings of the case. */
  policy: Policy
  request: RequestFacts
  expect: Readonly<Record<string, unknown>>
  at: Position
  /** The position of a member of `expect`. */
  locate(path: Path): Position
  excerpt(at: Position): string
}>

/** The cases of a file, and the policy that they test. */
export type PolicyTests = Readonly<{
  file: string
  policy: PolicySource
  cases: readonly PolicyCase[]
}>

/** The default policy as a file. */
export const defaultPolicyFile = (): string =>
  fileURLToPath(new URL('scenarios/policies/default.yaml', packageRoot))

/** Reads test files. Returns all problems of all files; a policy is the same object in all of them. */
export const loadPolicyTests = async (files: readonly string[], root = process.cwd()) => {
  const policies = new Map<string, ReturnType<typeof readPolicy>>()
  const policyIn = async (path: string) => {
    const known = policies.get(path)
    if (known !== undefined) return { ...known, problems: [] }
    const read = readPolicy(relative(root, path) || path, await textOf(path))
    policies.set(path, read)
    return read
  }
  const tests: PolicyTests[] = []
  const problems: Problem[] = []
  for (const path of files) {
    const file = relative(root, path) || path
    const source = readSource(file, await textOf(path))
    const read = await readTests(source, (name) => policyIn(resolve(dirname(path), name)))
    problems.push(...read.problems)
    if (read.tests !== undefined) tests.push(read.tests)
  }
  return { tests, problems }
}

type PolicyIn = (
  file: string,
) => Promise<Readonly<{ policy?: PolicySource; problems: readonly Problem[] }>>

const readTests = async (
  source: Source,
  policyIn: PolicyIn,
): Promise<Readonly<{ tests?: PolicyTests; problems: readonly Problem[] }>> => {
  if (source.problems.length > 0) {
    return { problems: source.problems.map((it) => ({ ...it, severity: 'error' })) }
  }
  const problems: Problem[] = []
  const report: Report = (message, path, { part = 'value', severity = 'error' } = {}) => {
    problems.push({ at: source.locate(path, part), message, severity })
  }
  const value = source.value
  if (!isObject(value)) {
    report('expected tests of a policy: an object with "cases"', [])
    return { problems }
  }
  const isSound = checkSchema(PolicyTest, value, [], report)
  const policy = await findPolicy(source, value.policy, policyIn, report)
  problems.push(...policy.problems)
  if (!isSound || policy.policy === undefined) return { problems }
  const tested = policy.policy.policy
  const { cases: written, request: common = {} } = value as PolicyTest
  const cases = written.flatMap((it, index) =>
    readCase(source, it, ['cases', index], common, tested, report),
  )
  if (problems.length > 0) return { problems }
  return { problems, tests: { file: source.file, policy: policy.policy, cases } }
}

const findPolicy = async (
  source: Source,
  value: unknown,
  policyIn: PolicyIn,
  report: Report,
): Promise<Readonly<{ policy?: PolicySource; problems: readonly Problem[] }>> => {
  if (value === undefined) return policyIn(defaultPolicyFile())
  if (typeof value !== 'string') return policyAt(source, value, ['policy'], source.file)
  try {
    return await policyIn(value)
  } catch (failed) {
    report(`${(failed as Error).message}: expected the path of a policy file`, ['policy'])
    return { problems: [] }
  }
}

type Written = PolicyTest['cases'][number]

/** A case, or one for each row of its table. */
const readCase = (
  source: Source,
  written: Written,
  path: Path,
  common: Readonly<Record<string, unknown>>,
  policy: Policy,
  report: Report,
): PolicyCase[] =>
  (written.each ?? [undefined]).flatMap((row, index) => {
    const at = row === undefined ? path : [...path, 'each', index]
    const whole = { ...common, ...written.request }
    const asWritten = { case: written.case, request: whole, expect: written.expect }
    // The position of a value is that of its variable in the row, if it has one.
    const place = (inner: Path): Path => {
      const value = valueAt(asWritten, inner)
      const [used] = typeof value === 'string' ? references(value) : []
      if (row !== undefined && used !== undefined && Object.hasOwn(row, used.name)) {
        return [...at, used.name]
      }
      const [part, name] = inner
      const isCommon = part === 'request' && name !== undefined && !isOwn(written.request, name)
      return isCommon ? inner : [...path, ...inner]
    }
    const inPlace: Report = (message, inner, how) => report(message, place(inner), how)

    const values = row ?? {}
    const unknown = references(asWritten).filter(({ name }) => !Object.hasOwn(values, name))
    for (const { name, at: inner } of unknown) {
      const hint = didYouMean(name, Object.keys(values))
      report(`unknown variable $${name}${hint || '; expected a name of each'}`, place(inner))
    }
    if (unknown.length > 0) return []
    const lookup = (name: string) => values[name]
    const request = fill(whole, lookup)
    const expect = fillExpected(written.expect, lookup) as Record<string, unknown>
    const isSound = checkSchema(RequestFacts, request, [], (message, inner, how) =>
      inPlace(message, ['request', ...inner], how),
    )
    const rules = [...policy.rules.map(({ name }) => name), undecidedByPolicy.name]
    const isClear = checkExpectation(expect, rules, inPlace)
    if (!isSound || !isClear) return []
    return [
      {
        title: titleOf(written.case, lookup, row === undefined ? undefined : index + 1),
        file: source.file,
        policy: withSettings(policy, written.settings ?? {}),
        request: RequestFacts.parse(request),
        expect,
        at: source.locate(at),
        locate: (inner) => source.locate(place(['expect', ...inner])),
        excerpt: (position) => source.excerpt(position),
      },
    ]
  })

/** Numbers the rows that have the same title. */
const titleOf = (
  title: string,
  lookup: (name: string) => unknown,
  row: number | undefined,
): string =>
  row === undefined || references(title).length > 0
    ? String(fill(title, lookup))
    : `${title} (row ${row})`

/** Only written settings change the policy: here, absent settings have no default. */
const withSettings = (policy: Policy, settings: NonNullable<Written['settings']>): Policy => {
  const parsed = Policy.parse(settings) as Record<string, unknown>
  return { ...policy, ...Object.fromEntries(Object.keys(settings).map((it) => [it, parsed[it]])) }
}

/** Reports expected words that no policy returns: such a case could only fail. */
const checkExpectation = (
  expect: Readonly<Record<string, unknown>>,
  rules: readonly string[],
  report: Report,
): boolean => {
  const wrong = mistakes(expect, ['expect'])
  for (const it of wrong) report(it.message, it.at, { part: it.key ? 'key' : 'value' })
  const words = {
    decision: PolicyRule.shape.decision.options,
    risk: RiskLevel.options,
    rule: rules,
  } as const
  const unknown = Object.entries(words).filter(
    ([name, known]) =>
      typeof expect[name] === 'string' && !(known as readonly string[]).includes(expect[name]),
  )
  for (const [name, known] of unknown) {
    const word = String(expect[name])
    const hint = didYouMean(word, known) || `; expected ${known.join(', ')}`
    report(
      name === 'rule'
        ? `the policy has no rule "${word}"${hint}`
        : `unknown ${name} "${word}"${hint}`,
      ['expect', name],
    )
  }
  return wrong.length === 0 && unknown.length === 0
}

const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (it, key) =>
      isObject(it) || Array.isArray(it) ? (it as Record<string | number, unknown>)[key] : undefined,
    value,
  )

const isOwn = (value: object | undefined, name: string | number): boolean =>
  value !== undefined && Object.hasOwn(value, name)

/** Test files in a folder. */
export const testFilePattern = join('**', '*.test.{yaml,yml}')
