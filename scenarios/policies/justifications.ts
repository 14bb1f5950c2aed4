import { justificationLacks } from '../../server/issuer/policy/policy.ts'
import type { Condition } from '../../server/wire/index.ts'
import { sampleText } from './sample-text.ts'

type Requirement = NonNullable<Condition['justification_lacks']>

/** Justifications that lack the same requirements. A class without a known text may be empty. */
export type JustificationClass = Readonly<{
  text: string | undefined
  isKnown: boolean
  /** Indexes of the requirements that it lacks. */
  lacks: ReadonlySet<number>
}>

/** Maximum number of requirements for which classes without a known text are listed. */
const most = 8

/** Maximum number of times that a text is compared with a requirement, when not all classes are listed. */
const mostTries = 250_000

/** The longest justification of a request. */
const longest = 4096

/**
 * The classes of justifications that the requirements distinguish. For regular expressions, sample texts
 * are tried. Another combination may have a text, too: it is a class without a known text.
 */
export const justificationClasses = (stated: readonly Requirement[]) => {
  const requirements = [...new Map(stated.map((it) => [JSON.stringify(it), it])).values()]
  const index = new Map(requirements.map((it, at) => [JSON.stringify(it), at]))
  const hasPatterns = requirements.some(({ pattern }) => pattern !== undefined)
  const isOpen = hasPatterns && requirements.length > most
  const found = new Map<string, JustificationClass>()
  let tries = 0
  for (const text of textsFor(requirements)) {
    tries += requirements.length
    if (isOpen && tries > mostTries) break
    const lacks = requirements.flatMap((it, at) => (justificationLacks(it, text) ? [at] : []))
    if (!found.has(lacks.join())) {
      found.set(lacks.join(), { text, isKnown: true, lacks: new Set(lacks) })
    }
  }
  if (hasPatterns && !isOpen) {
    for (const lacks of combinations(requirements)) {
      if (found.has(lacks.join())) continue
      found.set(lacks.join(), { text: undefined, isKnown: false, lacks: new Set(lacks) })
    }
  }
  return {
    classes: [...found.values()],
    isComplete: !isOpen,
    indexOf: (wanted: unknown) => index.get(JSON.stringify(wanted)) as number,
  }
}

/**
 * Texts of each length; and samples of one pattern or of several, of each length. Those that matter most
 * come first.
 */
function* textsFor(requirements: readonly Requirement[]): Generator<string | undefined> {
  const lengths = [...new Set(requirements.map(({ length = 1 }) => length))]
    .filter((it) => it <= longest)
    .sort((a, b) => a - b)
  const samples = requirements.flatMap(({ pattern }) =>
    pattern === undefined ? [] : (sampleText(pattern) ?? []),
  )
  const single = ['', ...samples, samples.join(' '), samples.toReversed().join(' ')]
  yield undefined
  for (const text of allOf(single, lengths)) if (text.length <= longest) yield text
  for (const one of samples) {
    const pairs = samples.map((other) => `${one} ${other}`)
    for (const text of allOf(pairs, lengths)) if (text.length <= longest) yield text
  }
}

/** The texts as they are, then filled up to each length. */
function* allOf(texts: readonly string[], lengths: readonly number[]): Generator<string> {
  yield* texts
  for (const length of lengths) {
    for (const text of texts) {
      const missing = length - text.length
      if (missing <= 0) continue
      yield text + 'x'.repeat(missing)
      yield 'x'.repeat(missing) + text
      if (missing === 1 || text === '') continue
      yield `${text} ${'x'.repeat(missing - 1)}`
      yield `${'x'.repeat(missing - 1)} ${text}`
    }
  }
}

/** All combinations that the lengths allow: a text that lacks a length lacks every greater one. */
function* combinations(requirements: readonly Requirement[]): Generator<number[]> {
  for (let bits = 0; bits < 2 ** requirements.length; bits += 1) {
    const lacks = requirements.flatMap((_, at) => (bits & (1 << at) ? [at] : []))
    if (isPossible(requirements, new Set(lacks))) yield lacks
  }
}

const isPossible = (requirements: readonly Requirement[], lacks: ReadonlySet<number>): boolean =>
  requirements.every((one, at) => {
    if (lacks.has(at)) {
      // A text with the greater length has the smaller one, too, and matches the same pattern.
      return requirements.every(
        (other, index) =>
          lacks.has(index) ||
          (other.length ?? 1) < (one.length ?? 1) ||
          (one.pattern !== undefined && other.pattern !== one.pattern),
      )
    }
    return (one.length ?? 1) <= longest
  })
