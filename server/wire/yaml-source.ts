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

/**
 * What a YAML (or JSON) text says, as a schema wants it.
 * @throws {FlawedFile}
 */
export const parseYaml = <S extends z.ZodType>(
  file: string,
  text: string,
  schema: S,
): z.output<S> => {
  const lines = new (yaml().LineCounter)()
  const { document, value } = read(file, text, lines)
  const at = (offset: number, message: string): Flaw => {
    const { line, col } = lines.linePos(offset)
    return { file, line, column: col, message }
  }
  if (document.errors.length > 0) {
    throw new FlawedFile(
      document.errors.map(({ pos, message }) => at(pos[0], message.split('\n', 1)[0] ?? message)),
    )
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new FlawedFile(
    parsed.error.issues.map((issue) => {
      const path =
        issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path
      const where = issue.path.map(String).join('.')
      return at(
        offsetOf(document, path),
        where === '' ? issue.message : `${where}: ${issue.message}`,
      )
    }),
  )
}

const read = (file: string, text: string, lineCounter: InstanceType<Yaml['LineCounter']>) => {
  try {
    const document = yaml().parseDocument(text, { lineCounter, uniqueKeys: true })
    return { document, value: readValue(document) }
  } catch (thrown) {
    throw new FlawedFile([{ file, line: 1, column: 1, message: unreadable(thrown) }])
  }
}

/**
 * What a document says; undefined when it has errors.
 * @throws for what only shows while reading: aliases that lead nowhere or multiply, too deep a nest
 */
export const readValue = (parsed: Document): unknown => {
  if (isDeeper(parsed.contents, deepest)) throw new RangeError('too deep')
  return parsed.errors.length > 0 ? undefined : parsed.toJS()
}

/** Why a YAML text could not even be read. */
export const unreadable = (thrown: unknown): string =>
  thrown instanceof ReferenceError ? thrown.message : 'expected YAML that is not nested so deeply'

/** Collections as keys within one another take the YAML library a time that grows with their cube. */
const deepest = 100

const isDeeper = (node: unknown, levels: number): boolean => {
  const { isCollection, isPair } = yaml()
  if (isPair(node)) return isDeeper(node.key, levels) || isDeeper(node.value, levels)
  if (!isCollection(node)) return false
  return levels === 0 || node.items.some((item) => isDeeper(item, levels - 1))
}

/** Where the key of a path stands, or the nearest thing around it. */
const offsetOf = (document: Document, path: readonly PropertyKey[]): number => {
  const { isMap, isNode, isPair } = yaml()
  for (let length = path.length; length > 0; length -= 1) {
    const parent = document.getIn(path.slice(0, length - 1), true)
    const key = path[length - 1]
    const pair = isMap(parent) && parent.items.find((it) => isPair(it) && String(it.key) === key)
    if (pair && isNode(pair.key) && pair.key.range) return pair.key.range[0]
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return document.contents?.range?.[0] ?? 0
}

type Yaml = typeof import('yaml')

/** Loaded with the first text: most starts read none, and it takes a tenth of their time. */
const yaml = (): Yaml => {
  loaded ??= createRequire(import.meta.url)('yaml') as Yaml
  return loaded
}

let loaded: Yaml | undefined
