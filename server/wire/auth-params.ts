/** One challenge of a `WWW-Authenticate` field (RFC 9110 §11.6.1). Its names are in lower case. */
export type AuthChallenge = Readonly<{ scheme: string; parameters: ReadonlyMap<string, string> }>

/**
 * Longest `WWW-Authenticate` field, in characters, that is parsed. Node accepts no more for all fields
 * together.
 */
export const longestField = 16_384

/**
 * Writes one challenge as a field value, with every parameter as a quoted string. Removes characters
 * that a header field must not contain.
 */
export const formatChallenge = (
  scheme: string,
  parameters: Readonly<Record<string, string>>,
): string =>
  `${scheme} ${Object.entries(parameters)
    .map(([name, value]) => `${name}=${quoteString(value)}`)
    .join(', ')}`

/** Any text as a quoted string (RFC 9110 §5.6.4), after `removeUnsendable`. */
export const quoteString = (text: string): string =>
  `"${removeUnsendable(text).replace(/["\\]/g, '\\$&')}"`

/** Removes the characters that a header field must not contain: controls, and all beyond Latin-1. */
export const removeUnsendable = (text: string): string =>
  [...text].filter((it) => isFieldCharacter(it.codePointAt(0) ?? 0)).join('')

/** RFC 9110 §5.5: tab, space, visible ASCII and obs-text. */
const isFieldCharacter = (code: number) =>
  code === 0x09 || (code >= 0x20 && code <= 0xff && code !== 0x7f)

/**
 * Parses the challenges of a field by their grammar (RFC 9110 §11.2 to §11.6.1), so a parameter name
 * inside a quoted string does not count. Beyond the grammar, an unquoted value may be base64, as the
 * drafts write it.
 * @returns undefined when the field is not a list of challenges, repeats a parameter, or is too long
 */
export const parseChallenges = (field: string): readonly AuthChallenge[] | undefined => {
  if (field.length > longestField) return undefined
  const read = createReader(field)
  const challenges: { scheme: string; parameters: Map<string, string> }[] = []
  while (read(separator) && !read.atEnd()) {
    const scheme = read(challengeStart)?.[1]
    if (scheme !== undefined)
      challenges.push({ scheme: scheme.toLowerCase(), parameters: new Map() })
    const parameters = challenges.at(-1)?.parameters
    const isComplete = scheme !== undefined && (read(token68) !== null || read(elementEnd) !== null)
    if (!isComplete && (parameters === undefined || !readParameter(read, parameters))) {
      return undefined
    }
    if (!read(elementEnd)) return undefined
  }
  return challenges
}

type Reader = ((pattern: RegExp) => RegExpExecArray | null) & { atEnd(): boolean }

/** Applies one sticky pattern after the other, each at the end of the previous match. */
const createReader = (text: string): Reader => {
  let at = 0
  const read = (pattern: RegExp) => {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found !== null) at = pattern.lastIndex
    return found
  }
  return Object.assign(read, { atEnd: () => at === text.length })
}

const readParameter = (read: Reader, parameters: Map<string, string>): boolean => {
  const name = read(parameterName)?.[1]?.toLowerCase()
  const value = read(quoted)?.[1]?.replace(/\\(.)/g, '$1') ?? read(unquoted)?.[0]
  if (name === undefined || value === undefined || parameters.has(name)) return false
  parameters.set(name, value)
  return true
}

/* Sticky, and each pattern linear: no text matches a pattern in two ways. */
const separator = /[\t ,]*/y
const elementEnd = /[\t ]*(?=,|$)/y
const challengeStart = /([\w!#$%&'*+.^`|~-]+)(?: +(?=[^\t ,=])|(?=[\t ]*(?:,|$)))/y
const token68 = /[\w.~+/-]+=*(?=[\t ]*(?:,|$))/y
const parameterName = /([\w!#$%&'*+.^`|~-]+)[\t ]*=[\t ]*/y
const quoted = /"((?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*)"/y
const unquoted = /[\w!#$%&'*+.^`|~/-]+=*/y
