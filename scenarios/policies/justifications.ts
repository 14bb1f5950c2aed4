import { justificationLacks } from '../../server/issuer/policy.ts'
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

/** The longest justification of a request. */
const longest = 4096

/**
 * The classes of justifications that the requirements distinguish. For regular expressions, sample texts
 * are tried. Another combination may have a text, too: it is a class without a known text.
 */
export const justificationClasses = (stated: readonly Requirement[]) => {
  const requirements = [...new Map(stated.map((it) => [JSON.stringify(it), it])).values()]
  const index = new Map(requirements.map((it, at) => [JSON.stringify(it), at]))
  const found = new Map<string, JustificationClass>()
  for (const text of textsFor(requirements)) {
    const lacks = requirements.flatMap((it, at) => (justificationLacks(it, text) ? [at] : []))
    if (!found.has(lacks.join())) {
      found.set(lacks.join(), { text, isKnown: true, lacks: new Set(lacks) })
    }
  }
  const hasPatterns = requirements.some(({ pattern }) => pattern !== undefined)
  const isOpen = hasPatterns && requirements.length > most
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

/** Texts of each length; and samples of one pattern or of several, of each length. */
const textsFor = (requirements: readonly Requirement[]): (string | undefined)[] => {
  const lengths = [...new Set(requirements.map(({ length = 1 }) => length))]
    .filter((it) => it <= longest)
    .sort((a, b) => a - b)
  const samples = requirements.flatMap(({ pattern }) =>
    pattern === undefined ? [] : (sampleText(pattern) ?? []),
  )
  const texts = [
    '',
    ...samples,
    ...samples.flatMap((one) => samples.map((other) => `${one} ${other}`)),
    samples.join(' '),
    samples.toReversed().join(' '),
  ]
  return [
    undefined,
    ...texts,
    ...lengths.flatMap((length) =>
      texts.flatMap((text) => {
        const missing = length - text.length
        if (missing <= 0) return []
        return [text + 'x'.repeat(missing), 'x'.repeat(missing) + text].concat(
          missing > 1 && text !== ''
            ? [`${text} ${'x'.repeat(missing - 1)}`, `${'x'.repeat(missing - 1)} ${text}`]
            : [],
        )
      }),
    ),
  ].filter((it) => it === undefined || it.length <= longest)
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
