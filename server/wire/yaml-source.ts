import { createRequire } from 'node:module'
import type { Document } from 'yaml'
import type { z } from 'zod'

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

/** Reads a YAML text, however malformed it is. */
export const readYaml = (text: string): YamlSource => {
  const lineCounter = new (yaml().LineCounter)()
  const placeAt = (offset: number): Place => {
    const { line, col } = lineCounter.linePos(offset)
    return { line, column: col }
  }
  try {
    const document = yaml().parseDocument(text, { lineCounter, prettyErrors: false })
    return {
      value: readValue(document),
      problems: document.errors.map(({ message, pos }) => ({ ...placeAt(pos[0]), message })),
      locate: (path, part) => placeAt(offsetOf(document.contents, path, part)),
    }
  } catch (thrown) {
    const place = { line: 1, column: 1 }
    const message =
      thrown instanceof ReferenceError
        ? thrown.message
        : 'expected YAML that is not nested so deeply'
    return { value: undefined, problems: [{ ...place, message }], locate: () => place }
  }
}

/**
 * What a YAML (or JSON) text says, as a schema wants it.
 * @throws {FlawedFile}
 */
export const parseYaml = <S extends z.ZodType>(
  file: string,
  text: string,
  schema: S,
): z.output<S> => {
  const { value, problems, locate } = readYaml(text)
  if (problems.length > 0) throw new FlawedFile(problems.map((it) => ({ file, ...it })))
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new FlawedFile(
    parsed.error.issues.map((issue) => {
      const path =
        issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path
      const where = issue.path.map(String).join('.')
      const message = where === '' ? issue.message : `${where}: ${issue.message}`
      return { file, ...locate(path, 'key'), message }
    }),
  )
}

/**
 * What a document says; undefined when it has errors.
 * @throws for what only shows while reading: aliases that lead nowhere or multiply, too deep a nest
 */
const readValue = (parsed: Document): unknown => {
  if (isDeeper(parsed.contents, deepest)) throw new RangeError('too deep')
  return parsed.errors.length > 0 ? undefined : parsed.toJS()
}

/** Collections as keys within one another take the YAML library a time that grows with their cube. */
const deepest = 100

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
