import { matchesPattern } from '../../server/issuer/policy/policy.ts'
import {
  type Condition,
  documentedActions,
  knownTypes,
  type Policy,
  RequestFacts,
  type TimeWindow,
} from '../../server/wire/index.ts'
import { type Field, fullSet, setOf } from './constraints.ts'
import { justificationClasses } from './justifications.ts'
import { momentClasses } from './moments.ts'
import { mostWork, textClasses } from './text-classes.ts'

/** A field of requests, with one value per class. */
export type UniverseField = Field &
  Readonly<{
    /** Whether all classes are listed. */
    isComplete: boolean
    values: readonly unknown[]
    /** The classes that a pattern of the policies matches. For fields of texts. */
    matching?: (pattern: string) => bigint
    /** Whether a condition holds for a class. For fields without texts. */
    holds: (name: keyof Condition, wanted: unknown, at: number) => boolean
  }>

/** Lists of an authorization detail. */
export const lists = ['actions', 'locations', 'datatypes', 'privileges'] as const
export type ListName = (typeof lists)[number]

/** Conditions that are patterns for a text, or for each text of a list. */
export const textConditions = [
  'type',
  'identifier',
  ...lists,
  'agent',
  'task_type',
  'on_behalf_of',
] as const
export type TextName = (typeof textConditions)[number]

/** The fields, with the classes that the conditions of the policies distinguish. */
export const fieldsOf = (policies: readonly Policy[]): UniverseField[] => {
  const rules = policies.flatMap((it) => it.rules)
  const stated = <K extends keyof Condition>(name: K): NonNullable<Condition[K]>[] =>
    rules.map(({ when }) => when[name]).filter((it) => it !== undefined)
  const patterns = (name: TextName): string[] =>
    stated(name).flatMap((it) => (typeof it === 'boolean' ? [] : it))
  const sensitive = (name: 'types' | 'identifiers'): readonly string[] =>
    policies.flatMap((it) => it.sensitive[name] ?? [])

  // Fields with many stars share the work, so that lint takes bounded time.
  const costly = textConditions.filter(
    (name) => patterns(name).filter((it) => it.includes('*')).length > 50,
  )
  const most = mostWork / Math.max(1, costly.length)

  return [
    textField('type', [...patterns('type'), ...sensitive('types'), 'scope'], {
      min: 1,
      max: 256,
      most,
      usual: Object.keys(knownTypes),
    }),
    textField('identifier', [...patterns('identifier'), ...sensitive('identifiers')], {
      max: 1024,
      most,
    }),
    textField('actions', [...patterns('actions'), ...documentedActions], {
      most,
      kind: 'list',
      min: 1,
      max: 1024,
      usual: ['read', 'write'],
    }),
    ...(['locations', 'datatypes', 'privileges'] as const).map((name) =>
      textField(name, patterns(name), { kind: 'list', min: 1, max: 1024, most }),
    ),
    textField('agent', patterns('agent'), {
      kind: 'list',
      isNeverEmpty: true,
      min: 1,
      max: 64,
      most,
      usual: ['report-bot'],
    }),
    textField('task_type', patterns('task_type'), { max: 64, most }),
    userField(patterns('on_behalf_of'), most),
    numberField(
      'requested_ttl',
      stated('ttl_over').map((it) => Math.floor(it) + 1),
      'more',
    ),
    numberField('score', stated('score_from')),
    numberField('denials', stated('denials_from')),
    numberField('agent_denials', stated('agent_denials_from')),
    numberField('requests_last_minute', stated('requests_last_minute_from')),
    justificationField(stated('justification_lacks')),
    momentField([...stated('time'), ...stated('outside')]),
  ]
}

type TextOptions = Readonly<{
  kind?: 'one' | 'list'
  isNeverEmpty?: boolean
  min?: number
  max: number
  /** Maximum work to enumerate the classes. */
  most: number
  /** Texts that make good examples. */
  usual?: readonly string[]
}>

/** A text, which is absent when it may be empty; or a list of texts. */
const textField = (
  name: TextName,
  all: readonly string[],
  { kind = 'one', isNeverEmpty = false, min = 0, max, most, usual = [] }: TextOptions,
): UniverseField => {
  const patterns = [...new Set(all)]
  const classes = textClasses(patterns, { min, max, most })
  const matchesOf = matcherOf(patterns)
  const found = classes ?? approximate(patterns, matchesOf, min)
  const better = [...usual, 'other', ...patterns.map(filled)].filter((it) => it.length <= max)
  const texts = withUsual(matchesOf, found, better)
  return {
    name,
    kind,
    min: isNeverEmpty ? 1 : 0,
    size: texts.length,
    known: fullSet(texts.length),
    isComplete: classes !== undefined,
    values: texts.map(({ text }) => text),
    matching: setsOf(
      patterns,
      texts.map(({ matches }) => matches),
    ),
    holds: () => false,
  }
}

type Class = Readonly<{ text: string; matches: ReadonlySet<number> }>
type MatchesOf = (text: string) => readonly number[]

/** The texts of classes in order of preference. Prefers a common text to the shortest. */
const withUsual = (
  matchesOf: MatchesOf,
  classes: readonly Class[],
  usual: readonly string[],
): Class[] => {
  const keyOf = (matches: Iterable<number>) => [...matches].sort((a, b) => a - b).join()
  const better = new Map<string, string>()
  for (const text of usual) {
    const key = keyOf(matchesOf(text))
    if (!better.has(key)) better.set(key, text)
  }
  return classes
    .toSorted((a, b) => a.matches.size - b.matches.size || a.text.length - b.text.length)
    .map(({ text, matches }) => ({
      text: text === '' ? '' : (better.get(keyOf(matches)) ?? text),
      matches,
    }))
}

/** The indexes of the patterns that match a text, evaluated once per text. */
const matcherOf = (patterns: readonly string[]): MatchesOf => {
  const known = new Map<string, readonly number[]>()
  return (text) => {
    const found =
      known.get(text) ??
      patterns.flatMap((pattern, index) => (matchesPattern(pattern, text) ? [index] : []))
    known.set(text, found)
    return found
  }
}

/** Finds the classes of a pattern, by the patterns that each class matches. */
const setsOf = (
  patterns: readonly string[],
  classes: readonly (ReadonlySet<number> | undefined)[],
) => {
  const sets = patterns.map(() => 0n)
  for (const [at, matches] of classes.entries()) {
    for (const index of matches ?? []) sets[index] = (sets[index] ?? 0n) | (1n << BigInt(at))
  }
  const indexOf = new Map(patterns.map((pattern, index) => [pattern, index]))
  return (pattern: string): bigint => sets[indexOf.get(pattern) ?? -1] ?? 0n
}

/** A readable text for a pattern. */
const filled = (pattern: string): string => pattern.replaceAll('*', 'x')

/** A part of the classes, when there are too many. */
const approximate = (patterns: readonly string[], matchesOf: MatchesOf, min: number): Class[] => {
  const texts = [...(min === 0 ? [''] : []), '~', ...patterns.map(filled)]
  const found = texts.map((text) => ({ text, matches: new Set(matchesOf(text)) }))
  return [...new Map(found.map((it) => [[...it.matches].join(), it])).values()]
}

/** The user acted for: absent, or an e-mail address. */
const userField = (all: readonly string[], most: number): UniverseField => {
  const patterns = [...new Set(all)]
  const classes = textClasses(patterns, { min: 1, max: 320, most })
  const usual = [
    'alice@example.com',
    ...patterns.flatMap((pattern) =>
      ['x', '', 'x@example.com', '@example.com', 'example.com', 'x.com'].flatMap((it) => [
        pattern.replaceAll('*', it),
        pattern.replace('*', 'x').replaceAll('*', it),
        pattern.replace('*', it).replaceAll('*', ''),
      ]),
    ),
  ].filter((it) => isEmail(it) && it.length <= 320)
  const matchesOf = matcherOf(patterns)
  const found = (classes ?? approximate(patterns, matchesOf, 1)).filter(
    // Drop a class whose only text is not an address.
    ({ text, matches }) =>
      isEmail(text) || ![...matches].some((it) => !patterns[it]?.includes('*')),
  )
  const texts = withUsual(matchesOf, found, usual)
  const values = [undefined, ...texts.map(({ text }) => text)]
  return {
    name: 'on_behalf_of',
    kind: 'one',
    min: 0,
    size: values.length,
    known: setOf(values.length, (at) => at === 0 || isEmail(String(values[at]))),
    isComplete: classes !== undefined,
    values,
    matching: setsOf(patterns, [undefined, ...texts.map(({ matches }) => matches)]),
    holds: (_, wanted, at) => wanted === (values[at] !== undefined),
  }
}

/** Whether a text is a possible address of a user. */
export const isEmail = (text: string): boolean =>
  RequestFacts.shape.on_behalf_of.safeParse(text).success

/** A number ≥ 0, divided into classes by the thresholds. */
const numberField = (
  name: string,
  thresholds: readonly number[],
  compare: 'from' | 'more' = 'from',
): UniverseField => {
  const values = [...new Set([0, ...thresholds.filter((it) => it > 0)])].sort((a, b) => a - b)
  return {
    name,
    kind: 'one',
    min: 0,
    size: values.length,
    known: fullSet(values.length),
    isComplete: true,
    values,
    holds: (_, wanted, at) => {
      const value = values[at] as number
      return compare === 'more' ? value > (wanted as number) : value >= (wanted as number)
    },
  }
}

const justificationField = (
  stated: readonly NonNullable<Condition['justification_lacks']>[],
): UniverseField => {
  const { classes, isComplete, indexOf } = justificationClasses(stated)
  return {
    name: 'justification',
    kind: 'one',
    min: 0,
    size: classes.length,
    known: setOf(classes.length, (at) => classes[at]?.isKnown === true),
    isComplete,
    values: classes.map(({ text }) => text),
    holds: (_, wanted, at) => classes[at]?.lacks.has(indexOf(wanted)) === true,
  }
}

const momentField = (stated: readonly TimeWindow[]): UniverseField => {
  const windows = [...new Map(stated.map((it) => [JSON.stringify(it), it])).values()]
  const usual = Date.parse(RequestFacts.shape.at.parse(undefined)) / 1000
  const classes = momentClasses(windows, usual)
  const index = new Map(windows.map((it, at) => [JSON.stringify(it), at]))
  return {
    name: 'at',
    kind: 'one',
    min: 0,
    size: classes.length,
    known: fullSet(classes.length),
    isComplete: true,
    values: classes.map(({ at }) => new Date(at * 1000).toISOString().replace('.000Z', 'Z')),
    holds: (name, wanted, at) => {
      const number = index.get(JSON.stringify(wanted)) as number
      return (classes[at]?.within.has(number) === true) === (name === 'time')
    },
  }
}
