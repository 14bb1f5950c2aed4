import { isMatcher, isObject, type Matcher, matchers, type Path } from './match.ts'

/** A place where a variable is used. */
export type Reference = Readonly<{ name: string; path: readonly string[]; at: Path }>

/** Every use of a variable in a value: `$name.path` as a whole, `${name.path}` within a text. */
export const references = (value: unknown, at: Path = []): Reference[] => {
  if (typeof value === 'string') {
    const whole = readWhole(value)
    if (whole !== undefined) return [{ ...whole, at }]
    return [...value.matchAll(within)].map(([, name = '', path = '']) => ({
      name,
      path: segments(path),
      at,
    }))
  }
  if (Array.isArray(value)) return value.flatMap((it, index) => references(it, [...at, index]))
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([key, it]) => references(it, [...at, key]))
}

export type Lookup = (name: string) => unknown

/** The value with its variables filled in; a whole-value variable keeps its type. `$$` means `$`. */
export const fill = (value: unknown, lookup: Lookup): unknown => {
  if (typeof value === 'string') return fillText(value, lookup)
  if (Array.isArray(value)) return value.map((it) => fill(it, lookup))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, fill(it, lookup)]))
}

/** As {@link fill}, for an expectation: the value of a variable must be equal. */
export const fillExpected = (expected: unknown, lookup: Lookup): unknown => {
  if (typeof expected === 'string') {
    const filled = fillText(expected, lookup)
    return typeof filled === 'object' && filled !== null ? { equals: filled } : filled
  }
  if (Array.isArray(expected)) return expected.map((it) => fillExpected(it, lookup))
  if (isMatcher(expected)) {
    return Object.fromEntries(
      Object.entries(expected).map(([word, it]) => [
        word,
        matchers[word as Matcher].nests ? fillExpected(it, lookup) : fill(it, lookup),
      ]),
    )
  }
  if (!isObject(expected)) return expected
  return Object.fromEntries(
    Object.entries(expected).map(([key, it]) => [key, fillExpected(it, lookup)]),
  )
}

/** A used part of a variable does not exist. */
export class NoSuchPart extends Error {
  override readonly name = 'NoSuchPart'
}

/**
 * The part of a value at a dotted path, or undefined. `*` is the only member, whatever its name.
 */
export const partOf = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((it, key) => {
    if (!isObject(it) && !Array.isArray(it)) return undefined
    const members: unknown[] = Object.values(it)
    if (key === '*') return members.length === 1 ? members[0] : undefined
    return Object.hasOwn(it, key) ? (it as Record<string, unknown>)[key] : undefined
  }, value)

/** `a.b[0].c` and `a.b.0.c` alike, as keys. */
export const segments = (path: string): string[] =>
  path
    .replaceAll(/\[(\d+)\]/g, '.$1')
    .split('.')
    .filter((key) => key !== '')

const whole = /^\$([A-Za-z_]\w*)((?:\.[\w-]+|\[\d+\])*)$/
const within = /(?<!\$)\$\{([A-Za-z_]\w*)((?:\.[\w-]+|\[\d+\])*)\}/g

const readWhole = (text: string) => {
  const [, name, path = ''] = whole.exec(text) ?? []
  return name === undefined ? undefined : { name, path: segments(path) }
}

const fillText = (text: string, lookup: Lookup): unknown => {
  const variable = readWhole(text)
  if (variable !== undefined) return value(variable.name, variable.path, lookup)
  return text
    .replaceAll(within, (_, name: string, path: string) => {
      const part = value(name, segments(path), lookup)
      return typeof part === 'string' ? part : JSON.stringify(part)
    })
    .replaceAll(/^\$\$|\$\$(?=\{)/g, '$')
}

const value = (name: string, path: readonly string[], lookup: Lookup): unknown => {
  const found = partOf(lookup(name), path)
  if (found === undefined) throw new NoSuchPart(`$${[name, ...path].join('.')} is not set`)
  return found
}
