import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { decode } from './decode.ts'

export type Path = readonly (string | number)[]

/** One difference between received and expected. `at` is the path of the matcher. */
export type Difference = Readonly<{ path: string; expected: string; received: string; at: Path }>

/**
 * Compares received with expected. Objects match as subsets, arrays member by member, other values
 * exactly; matchers are looser.
 */
export const match = (
  expected: unknown,
  received: unknown,
  path = '',
  at: Path = [],
): Difference[] => {
  if (isMatcher(expected)) {
    return Object.entries(expected).flatMap(([word, argument]) =>
      matchers[word as Matcher].test(argument, received, path, [...at, word]),
    )
  }
  if (Array.isArray(expected)) return matchList(expected, received, path, at)
  if (isObject(expected)) return matchFields(expected, received, path, at)
  return Object.is(expected, received) ? [] : [difference(show(expected), received, path, at)]
}

type Test<A> = (argument: A, received: unknown, path: string, at: Path) => Difference[]
type Definition<S extends z.ZodType> = {
  says: string
  example: string
  takes: S
  /** Whether its argument is an expectation or a plain value. */
  nests: boolean
  test: Test<z.output<S>>
}
const matcher = <S extends z.ZodType>(it: Definition<S>): Definition<z.ZodType> =>
  it as unknown as Definition<z.ZodType>

/** An expectation: a literal, a list, fields, or matchers. Checked by {@link mistakes}. */
export const Expected = z.unknown()

const Moment = z.union([z.number(), z.iso.datetime()])

/** All matchers: name, argument and meaning. Several in one object must all match. */
export const matchers = {
  equals: matcher({
    says: 'exactly this value',
    example: '{ equals: { type: file_access } }',
    takes: z.unknown(),
    nests: false,
    test: (value, received, path, at) =>
      isDeepStrictEqual(value, received)
        ? []
        : [difference(`exactly ${show(value)}`, received, path, at)],
  }),
  at_most: matcher({
    says: 'a number, or a date-time, no greater than this',
    example: '{ at_most: 900 }',
    takes: Moment,
    nests: false,
    test: (limit, received, path, at) =>
      compare(received, limit) <= 0 ? [] : [difference(`at most ${limit}`, received, path, at)],
  }),
  at_least: matcher({
    says: 'a number, or a date-time, no less than this',
    example: '{ at_least: 1, at_most: 900 }',
    takes: Moment,
    nests: false,
    test: (limit, received, path, at) =>
      compare(received, limit) >= 0 ? [] : [difference(`at least ${limit}`, received, path, at)],
  }),
  matches: matcher({
    says: 'a text that this regular expression (JavaScript) matches',
    example: "{ matches: '^task_' }",
    takes: z.string().refine(isRegExp, { error: 'expected a regular expression' }),
    nests: false,
    test: (pattern, received, path, at) =>
      typeof received === 'string' && new RegExp(pattern, 'u').test(received)
        ? []
        : [difference(`a text that matches /${pattern}/`, received, path, at)],
  }),
  one_of: matcher({
    says: 'any of these',
    example: '{ one_of: [200, 201] }',
    takes: z.array(Expected).min(1),
    nests: true,
    test: (choices, received, path, at) =>
      choices.some((choice) => match(choice, received).length === 0)
        ? []
        : [difference(`one of ${show(choices)}`, received, path, at)],
  }),
  contains: matcher({
    says: 'an array with such a member, or a text that contains this',
    example: '{ contains: { type: file_access } }',
    takes: Expected,
    nests: true,
    test: (part, received, path, at) => {
      const found = Array.isArray(received)
        ? received.some((member) => match(part, member).length === 0)
        : typeof received === 'string' && typeof part === 'string' && received.includes(part)
      return found ? [] : [difference(`contains ${show(part)}`, received, path, at)]
    },
  }),
  in_any_order: matcher({
    says: 'an array of exactly these members, in any order',
    example: '{ in_any_order: [200, 403] }',
    takes: z.array(Expected),
    nests: true,
    test: (members, received, path, at) =>
      Array.isArray(received) && canPairUp(members, received)
        ? []
        : [difference(`in any order ${show(members)}`, received, path, at)],
  }),
  length: matcher({
    says: 'the length of an array or a text',
    example: '{ length: { at_least: 2 } }',
    takes: Expected,
    nests: true,
    test: (expected, received, path, at) =>
      Array.isArray(received) || typeof received === 'string'
        ? match(expected, received.length, `${path}.length`, at)
        : [difference('a list or a text', received, path, at)],
  }),
  absent: matcher({
    says: 'absent (null is present)',
    example: '{ absent: true }',
    takes: z.literal(true),
    nests: false,
    test: (_, received, path, at) =>
      received === undefined ? [] : [difference('nothing', received, path, at)],
  }),
  present: matcher({
    says: 'present, with any value',
    example: '{ present: true }',
    takes: z.literal(true),
    nests: false,
    test: (_, received, path, at) =>
      received === undefined ? [difference('anything', received, path, at)] : [],
  }),
  decodes_as: matcher({
    says: 'a JWT with this `header` and these `claims`, or base64 of this JSON',
    example: '{ decodes_as: { claims: { jit: true } } }',
    takes: Expected,
    nests: true,
    test: (expected, received, path, at) => {
      const decoded = decode(received)
      return decoded === undefined
        ? [difference('a JWT, or base64 of JSON', received, path, at)]
        : match(expected, decoded, `${path}⟨decoded⟩`, at)
    },
  }),
  not: matcher({
    says: 'any value except this',
    example: '{ not: approved }',
    takes: Expected,
    nests: true,
    test: (expected, received, path, at) =>
      match(expected, received).length > 0
        ? []
        : [difference(`not ${show(expected)}`, received, path, at)],
  }),
} satisfies Record<string, Definition<z.ZodType>>

export type Matcher = keyof typeof matchers

/** Whether the keys of an object are matchers. A mixture is an error. */
export const isMatcher = (value: unknown): value is Readonly<Record<Matcher, unknown>> =>
  isObject(value) && Object.keys(value).length > 0 && Object.keys(value).every(isMatcherWord)

export type Mistake = Readonly<{ message: string; at: Path; key: boolean }>

/** The syntax errors of an expectation. */
export const mistakes = (expected: unknown, at: Path = []): Mistake[] => {
  if (Array.isArray(expected)) return expected.flatMap((it, index) => mistakes(it, [...at, index]))
  if (!isObject(expected)) return []
  const entries = Object.entries(expected)
  const words = entries.map(([key]) => key).filter(isMatcherWord)
  const fields = entries.map(([key]) => key).filter((key) => !isMatcherWord(key))
  if (words.length === 0) return entries.flatMap(([key, it]) => mistakes(it, [...at, key]))
  if (fields[0] !== undefined) {
    const message = `an object has either matchers or fields, found the matcher "${words[0]}" and the field "${fields[0]}"`
    return [{ message, at: [...at, fields[0]], key: true }]
  }
  return words.flatMap((word) => {
    const { takes, nests } = matchers[word]
    const argument = expected[word]
    const here = [...at, word]
    if (isVariable(argument)) return []
    const parsed = takes.safeParse(argument)
    if (!parsed.success) {
      const says = `"${word}" takes ${matchers[word].example}`
      return [{ message: `${parsed.error.issues[0]?.message}; ${says}`, at: here, key: false }]
    }
    return nests ? mistakes(argument, here) : []
  })
}

/** A value in YAML flow style, on one line. */
export const show = (value: unknown, limit = 300): string => {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > limit ? `${text.slice(0, limit)}… (${text.length} characters)` : text
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isMatcherWord = (key: string): key is Matcher => Object.hasOwn(matchers, key)

const isVariable = (value: unknown) => typeof value === 'string' && /^\$[A-Za-z_]/.test(value)

const difference = (expected: string, received: unknown, path: string, at: Path): Difference => ({
  path: path || 'value',
  expected,
  received: show(received),
  at,
})

const matchList = (expected: readonly unknown[], received: unknown, path: string, at: Path) => {
  if (!Array.isArray(received)) return [difference(show(expected), received, path, at)]
  if (received.length !== expected.length) {
    const says = `a list of ${expected.length}: ${show(expected)}`
    return [difference(says, received, path, at)]
  }
  return expected.flatMap((member, index) =>
    match(member, received[index], `${path}[${index}]`, [...at, index]),
  )
}

const matchFields = (
  expected: Readonly<Record<string, unknown>>,
  received: unknown,
  path: string,
  at: Path,
) => {
  if (!isObject(received)) return [difference(`fields ${show(expected)}`, received, path, at)]
  return Object.entries(expected).flatMap(([key, value]) =>
    match(
      value,
      Object.hasOwn(received, key) ? received[key] : undefined,
      path === '' ? key : `${path}.${key}`,
      [...at, key],
    ),
  )
}

/** Assigns each expected member a received one (backtracking; the lists are short). */
const canPairUp = (expected: readonly unknown[], received: readonly unknown[]): boolean => {
  const [first, ...others] = expected
  if (expected.length !== received.length) return false
  if (expected.length === 0) return true
  return received.some(
    (candidate, index) =>
      match(first, candidate).length === 0 && canPairUp(others, received.toSpliced(index, 1)),
  )
}

const compare = (received: unknown, limit: number | string): number => {
  if (typeof received === 'number' && typeof limit === 'number') return received - limit
  if (typeof received === 'string' && typeof limit === 'string') {
    return Date.parse(received) - Date.parse(limit)
  }
  return Number.NaN
}

function isRegExp(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u') instanceof RegExp
  } catch {
    return false
  }
}
