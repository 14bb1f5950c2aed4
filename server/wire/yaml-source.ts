import { createRequire } from 'node:module'
import type { Document } from 'yaml'
import type { z } from 'zod'
import { deepestJson } from './json.ts'
import { describeUnknownKey, keysAt, withoutUnions } from './schema-issues.ts'

/** One thing wrong with a text somebody wrote, and where. */
export type Flaw = Readonly<{ file: string; line: number; column: number; message: string }>

/** A file that cannot be used: everything wrong with it at once, one `file:line:column: what` a line. */
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

/** A place in a text, by line and column from 1. */
export type Place = Readonly<{ line: number; column: number }>

/** A YAML (or JSON) text that knows where each of its values stands. */
export type YamlSource = Readonly<{
  /** What it says; undefined where it has problems. */
  value: unknown
  /** What the YAML parser itself has to say. */
  problems: readonly (Place & Readonly<{ message: string }>)[]
  /** Where the value of a path stands, or its key; the nearest that exists. */
  locate(path: readonly PropertyKey[], part: 'key' | 'value'): Place
}>

/** Tokens of the YAML library in a text from the network: a key with its value has some seven. */
export const mostForeignTokens = 15_000

/**
 * Reads a YAML text, however malformed it is.
 * @param mostTokens tokens it may have; absent: any number, as in a file of one's own
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
  try {
    const excess = findExcess(text, mostTokens)
    if (excess !== undefined) return unreadable(excess)
    // The library compares each key of a map with all others: 20 000 keys take it 10 s.
    const options = { lineCounter, prettyErrors: false, uniqueKeys: false }
    const document = yaml().parseDocument(text, options)
    if (isDeeper(document.contents, deepestJson)) return unreadable(tooDeep)
    const repeated = repeatedKeys(document).map((pos) => ({
      pos,
      message: 'Map keys must be unique',
    }))
    const errors = [
      ...document.errors.map(({ message, pos }) => ({ pos: pos[0], message })),
      ...repeated,
    ].sort((a, b) => a.pos - b.pos)
    return {
      value: errors.length > 0 ? undefined : document.toJS(),
      problems: errors
        .slice(0, mostFlaws)
        .map(({ message, pos }) => ({ ...placeAt(pos), message })),
      locate: (path, part) => placeAt(offsetOf(document.contents, path, part)),
    }
  } catch (thrown) {
    // What only shows while reading: aliases that lead nowhere or multiply.
    return unreadable(thrown instanceof ReferenceError ? thrown.message : tooDeep)
  }
}

const tooDeep = 'expected YAML that is not nested so deeply'

/** Flaws of one text that are told. */
const mostFlaws = 100

/**
 * What a YAML (or JSON) text says, as a schema wants it.
 * @param mostTokens as of `readYaml`
 * @throws {FlawedFile} with the first hundred flaws
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
    return issue.keys.map((key) => flaw(describeUnknownKey(key, known), [...issue.path, key]))
  })
  throw new FlawedFile(flaws.slice(0, mostFlaws))
}

/** What is beyond the bounds of a text, told by its tokens: parsing takes several times as long. */
const findExcess = (text: string, mostTokens: number): string | undefined => {
  let tokens = 0
  let depth = 0
  for (const token of new (yaml().Lexer)().lex(text)) {
    tokens += 1
    if (tokens > mostTokens) return `expected YAML of at most ${mostTokens} tokens`
    if (token === '[' || token === '{') depth += 1
    else if (token === ']' || token === '}') depth -= 1
    // Collections as keys within one another take the YAML library a time that grows with their cube.
    if (depth > deepestJson) return tooDeep
  }
  return undefined
}

/** Where a map has a key once more. */
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

const isDeeper = (node: unknown, levels: number): boolean => {
  const { isCollection, isPair } = yaml()
  if (isPair(node)) return isDeeper(node.key, levels) || isDeeper(node.value, levels)
  if (!isCollection(node)) return false
  return levels === 0 || node.items.some((item) => isDeeper(item, levels - 1))
}

const offsetOf = (root: unknown, path: readonly PropertyKey[], part: 'key' | 'value'): number => {
  let node = root
  let offset = startOf(root) ?? 0
  for (const [index, key] of path.entries()) {
    const child = childOf(node, key)
    if (child === undefined) break
    const isLast = index === path.length - 1 || childOf(child.value, path[index + 1]) === undefined
    const wanted = part === 'key' && isLast ? child.key : child.value
    offset = startOf(wanted) ?? startOf(child.value) ?? startOf(child.key) ?? offset
    node = child.value
  }
  return offset
}

const childOf = (node: unknown, key: PropertyKey | undefined) => {
  const { isMap, isPair, isScalar, isSeq } = yaml()
  if (isMap(node)) {
    const pair = node.items.find((it) => isScalar(it.key) && String(it.key.value) === String(key))
    return isPair(pair) ? { key: pair.key, value: pair.value } : undefined
  }
  if (!isSeq(node)) return undefined
  const value = node.items[Number(key)]
  return value === undefined ? undefined : { key: undefined, value }
}

const startOf = (node: unknown): number | undefined =>
  yaml().isNode(node) ? node.range?.[0] : undefined

type Yaml = typeof import('yaml')

/** Loaded with the first text: most starts read none, and it takes a tenth of their time. */
const yaml = (): Yaml => {
  loaded ??= createRequire(import.meta.url)('yaml') as Yaml
  return loaded
}

let loaded: Yaml | undefined
