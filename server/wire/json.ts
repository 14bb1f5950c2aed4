/**
 * Maximum depth of objects and lists in any JSON that is read. Deeper JSON overflows the stack of
 * recursive functions.
 */
export const deepestJson = 64

/**
 * Maximum number of values, on all levels together, in the JSON of a request, of a token, and of JSON
 * texts within these.
 */
export const mostJsonValues = 10_000

/** Maximum number of values in a conversation with the scripted model. */
export const mostConversationValues = 30_000

/** Maximum number of values in an answer that a client reads. */
export const mostAnswerValues = 100_000

/** Thrown for JSON that is nested too deeply or has too many values. */
export class JsonBoundsError extends Error {
  override readonly name = 'JsonBoundsError'
}

export type ReadJsonOptions = Readonly<{
  /** Maximum number of values, on all levels together. Default `mostJsonValues`. */
  mostValues?: number
  /** Member names that are rejected, such as `__proto__`. Default: none. */
  refusedNames?: readonly string[]
}>

/**
 * Parses a JSON text. All JSON of other parties is parsed here.
 * @throws {JsonBoundsError} beyond `deepestJson` levels or `mostValues` values, before anything is
 * parsed
 * @throws {SyntaxError} for invalid JSON, or a member whose name is rejected
 */
export const readJson = (text: string, options: ReadJsonOptions = {}): unknown => {
  const { mostValues = mostJsonValues, refusedNames = [] } = options
  const excess = findExcess(text, deepestJson, mostValues)
  if (excess !== undefined) throw new JsonBoundsError(excess)
  if (!refusedNames.some((name) => text.includes(name) || text.includes('\\u'))) {
    return JSON.parse(text)
  }
  return JSON.parse(text, (name, value) => {
    if (refusedNames.includes(name)) throw new SyntaxError(`the member ${name} is not allowed`)
    return value
  })
}

/** Parses the JSON of an answer; undefined for invalid JSON and for JSON beyond the bounds. */
export const parseJson = (text: string): unknown => {
  try {
    return readJson(text, { mostValues: mostAnswerValues })
  } catch {
    return undefined
  }
}

/**
 * The first bound that a JSON text exceeds, as the end of a sentence such as "the body …". Reads each
 * character once and parses nothing. A comma counts as one more value, and so does an opening bracket.
 */
export const findExcess = (
  text: string,
  levels: number = deepestJson,
  mostValues: number = mostJsonValues,
): string | undefined => {
  let depth = 0
  let values = 1
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case quote:
        at = endOfString(text, at)
        break
      case leftBracket:
      case leftBrace:
        depth += 1
        values += 1
        if (depth > levels) return `is nested deeper than ${levels} levels`
        break
      case rightBracket:
      case rightBrace:
        depth -= 1
        break
      case comma:
        values += 1
    }
    if (values > mostValues) return `has more than ${mostValues} values`
  }
  return undefined
}

/** Whether a parsed value is nested deeper than JSON may be. */
export const isDeeper = (value: unknown, levels: number = deepestJson): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1)))

const quote = 0x22
const comma = 0x2c
const leftBracket = 0x5b
const backslash = 0x5c
const rightBracket = 0x5d
const leftBrace = 0x7b
const rightBrace = 0x7d

/** Where the string that begins here ends: at a quote with an even number of backslashes before it. */
const endOfString = (text: string, start: number): number => {
  let end = start
  for (;;) {
    end = text.indexOf('"', end + 1)
    if (end === -1) return text.length
    let before = end - 1
    while (text.charCodeAt(before) === backslash) before -= 1
    if ((end - 1 - before) % 2 === 0) return end
  }
}
