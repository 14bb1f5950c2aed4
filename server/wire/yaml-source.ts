import { createRequire } from 'node:module'
import type { Document, YAMLMap } from 'yaml'
import type { z } from 'zod'
import { deepestJson } from './json.ts'
import { describeUnknownKey, keysAt, withoutUnions } from './schema-issues.ts'

/** One error in a text, with its position. */
export type Flaw = Readonly<{ file: string; line: number; column: number; message: string }>

/**
 * Thrown for a file with errors. Its message lists all of them, one `file:line:column: message` per
 * line.
 */
export class FlawedFile extends Error {
  override readonly name = 'FlawedFile'
  readonly flaws: readonly Flaw[]

  constructor(flaws: readonly Flaw[]) {
    super(
      flaws
        .map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`)
        .join('\n'),
    )
    this.flaws = flaws
  }
}

/** A position in a text: line and column from 1. */
export type Place = Readonly<{ line: number; column: number }>

/** A parsed YAML or JSON text that maps values to positions. */
export type YamlSource = Readonly<{
  /** The parsed value; undefined when there are problems. */
  value: unknown
  /** Errors of the YAML parser. */
  problems: readonly (Place & Readonly<{ message: string }>)[]
  /**
   * Position of the value at a path, or of its key; of the nearest existing parent when the path does
   * not exist.
   */
  locate(path: readonly PropertyKey[], part: 'key' | 'value'): Place
}>

/**
 * Maximum number of tokens of the YAML library in a text from the network. A key with its value is
 * about seven tokens.
 */
export const mostForeignTokens = 15_000

/**
 * Parses a YAML text.
 * @param mostTokens maximum number of tokens; absent: unlimited, for local files
 */
export const readYaml = (
  text: string,
  mostTokens: number = Number.POSITIVE_INFINITY,
): YamlSource => {
  const lineCounter = new (yaml().LineCounter)()
  const placeAt = (offset: number): Place => {
    const { line, col } = lineCounter.linePos(offset)
    return { line, column: col }
  }
  const unreadable = (message: string): YamlSource => {
    const place = { line: 1, column: 1 }
    return { value: undefined, problems: [{ ...place, message }], locate: () => place }
  }
  if (/^(\ufffd\ufffd|.?\0)/s.test(text)) return unreadable(notUtf8)
  try {
    const excess = findExcess(text, mostTokens)
    if (excess !== undefined) return unreadable(excess)
    // The library compares each key of a map with all others: 20 000 keys take it 10 s.
    const options = { lineCounter, prettyErrors: false, uniqueKeys: false, merge: true }
    const document = yaml().parseDocument(text, options)
    if (isDeeper(document.contents, deepestJson)) return unreadable(tooDeep)
    const repeated = repeatedKeys(document).map((pos) => ({
      pos,
      message: 'Map keys must be unique',
    }))
    const errors = [
      ...document.errors.map(({ code, message, pos }) => ({
        pos: pos[0],
        message: code === 'MULTIPLE_DOCS' ? severalDocuments : message,
      })),
      ...repeated,
      ...inexactNumbers(document).map((pos) => ({ pos, message: inexact })),
    ].sort((a, b) => a.pos - b.pos)
    return {
      value: errors.length > 0 ? undefined : document.toJS(),
      problems: errors
        .slice(0, mostFlaws)
        .map(({ message, pos }) => ({ ...placeAt(pos), message })),
      locate: (path, part) => placeAt(offsetOf(document.contents, path, part)),
    }
  } catch (thrown) {
    // Errors that appear only when the value is built: unknown aliases, and too many of them.
    if (thrown instanceof ReferenceError) return unreadable(thrown.message)
    const isMerge = thrown instanceof Error && thrown.message.startsWith('Merge sources')
    return unreadable(isMerge ? 'expected a map, or an alias of one, after <<' : tooDeep)
  }
}

const notUtf8 = 'expected UTF-8: this looks like UTF-16; save the file as UTF-8'
const severalDocuments =
  'expected one document a file: what follows --- belongs into a file of its own'
const inexact = 'this integer is too large to be kept exactly: put it in quotes'
const tooDeep = 'expected YAML that is not nested so deeply'

/** Maximum number of errors reported for one text, and of unknown keys reported for one value. */
export const mostFlaws = 100

/**
 * Parses a YAML or JSON text with a schema.
 * @param mostTokens as in `readYaml`
 * @throws {FlawedFile} with at most a hundred errors
 */
export const parseYaml = <S extends z.ZodType>(
  file: string,
  text: string,
  schema: S,
  mostTokens?: number,
): z.output<S> => {
  const { value, problems, locate } = readYaml(text, mostTokens)
  if (problems.length > 0) throw new FlawedFile(problems.map((it) => ({ file, ...it })))
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const flaws = withoutUnions(parsed.error.issues).flatMap((issue) => {
    const where = issue.path.map(String).join('.')
    const flaw = (message: string, path: readonly PropertyKey[]) => ({
      file,
      ...locate(path, 'key'),
      message: where === '' ? message : `${where}: ${message}`,
    })
    if (issue.code !== 'unrecognized_keys') return [flaw(issue.message, issue.path)]
    const known = keysAt(schema, issue.path)
    return issue.keys
      .slice(0, mostFlaws)
      .map((key) => flaw(describeUnknownKey(key, known), [...issue.path, key]))
  })
  throw new FlawedFile(flaws.slice(0, mostFlaws))
}

/** Checks the bounds of a text by its tokens, because parsing takes several times as long. */
const findExcess = (text: string, mostTokens: number): string | undefined => {
  let tokens = 0
  let depth = 0
  for (const token of new (yaml().Lexer)().lex(text)) {
    tokens += 1
    if (tokens > mostTokens) return `expected YAML of at most ${mostTokens} tokens`
    if (token === '[' || token === '{') depth += 1
    else if (token === ']' || token === '}') depth -= 1
    // The YAML library takes cubic time for collections nested as keys.
    if (depth > deepestJson) return tooDeep
  }
  return undefined
}

/** Finds a repeated key in a map. */
const repeatedKeys = (document: Document): number[] => {
  const { isMap, isNode, isPair, isScalar, visit } = yaml()
  const found: number[] = []
  visit(document, {
    Map: (_, map) => {
      if (!isMap(map)) return
      const seen = new Set<unknown>()
      for (const pair of map.items) {
        const { key } = isPair(pair) ? pair : {}
        const name = isScalar(key) ? key.value : key
        if (seen.has(name)) found.push((isNode(key) && key.range?.[0]) || 0)
        seen.add(name)
      }
    },
  })
  return found
}

/** Where integers stand that a number of JavaScript cannot hold: others would be equal to them. */
const inexactNumbers = (document: Document): number[] => {
  const { visit } = yaml()
  const found: number[] = []
  visit(document, {
    Scalar: (_, { value, source, range }) => {
      if (typeof value !== 'number' || Number.isSafeInteger(value)) return
      if (/^[-+]?(\d+|0x[\da-f]+|0o[0-7]+)$/i.test(source ?? '')) found.push(range?.[0] ?? 0)
    },
  })
  return found
}

const isDeeper = (node: unknown, levels: number): boolean => {
  const { isCollection, isPair } = yaml()
  if (isPair(node)) return isDeeper(node.key, levels) || isDeeper(node.value, levels)
  if (!isCollection(node)) return false
  return levels === 0 || node.items.some((item) => isDeeper(item, levels - 1))
}

const offsetOf = (root: unknown, path: readonly PropertyKey[], part: 'key' | 'value'): number => {
  let node = root
  let offset = startOf(root) ?? 0
  for (const key of path) {
    const child = childOf(node, key)
    if (child === undefined) break
    const wanted = part === 'key' ? child.key : child.value
    offset = startOf(wanted) ?? startOf(child.value) ?? startOf(child.key) ?? offset
    node = child.value
  }
  return offset
}

const childOf = (node: unknown, key: PropertyKey) => {
  const { isMap, isPair, isSeq } = yaml()
  if (isMap(node)) {
    const pair = pairsOf(node).get(String(key))
    return isPair(pair) ? { key: pair.key, value: pair.value } : undefined
  }
  if (!isSeq(node)) return undefined
  const value = node.items[Number(key)]
  return value === undefined ? undefined : { key: undefined, value }
}

/** The pairs of a map by key, indexed once: a large map may have an error at every key. */
const pairsOf = (map: YAMLMap): ReadonlyMap<string, unknown> => {
  const known = indexes.get(map)
  if (known !== undefined) return known
  const { isScalar } = yaml()
  const index = new Map(
    map.items.flatMap((pair) =>
      isScalar(pair.key) ? [[String(pair.key.value), pair] as const] : [],
    ),
  )
  indexes.set(map, index)
  return index
}

const indexes = new WeakMap<YAMLMap, ReadonlyMap<string, unknown>>()

const startOf = (node: unknown): number | undefined =>
  yaml().isNode(node) ? node.range?.[0] : undefined

type Yaml = typeof import('yaml')

/** Imported on first use: most starts parse no YAML, and the import takes a tenth of the start time. */
const yaml = (): Yaml => {
  loaded ??= createRequire(import.meta.url)('yaml') as Yaml
  return loaded
}

let loaded: Yaml | undefined
