import { isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { readValue, unreadable } from '../../server/wire/yaml-source.ts'
import type { Path } from './match.ts'

export type Position = Readonly<{ file: string; line: number; column: number }>

/** A YAML file that knows where each of its values stands. */
export type Source = Readonly<{
  file: string
  value: unknown
  /** What the YAML parser itself has to say. */
  problems: readonly Readonly<{ message: string; at: Position }>[]
  /** Where the value a path leads to stands (or its key); the nearest that exists. */
  locate(path: Path, part?: 'key' | 'value'): Position
  /** The lines around a position, numbered, with a mark under the column; from `first` on, if that is near. */
  excerpt(at: Position, first?: number): string
}>

export const readSource = (file: string, text: string): Source => {
  const lines = new LineCounter()
  const { contents, value, errors } = read(text, lines)
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { file, line, column: col }
  }

  return {
    file,
    value,
    problems: errors.map(({ message, pos }) => ({ message, at: position(pos[0]) })),
    locate: (path, part = 'value') => position(offsetOf(contents, path, part)),
    excerpt: (at, first = at.line) => excerpt(text, at, first),
  }
}

type Read = Readonly<{
  contents?: unknown
  value?: unknown
  errors: readonly Readonly<{ message: string; pos: readonly [number, number] }>[]
}>

const read = (text: string, lineCounter: LineCounter): Read => {
  try {
    const document = parseDocument(text, { lineCounter, prettyErrors: false })
    const { contents, errors } = document
    return { contents, errors, value: readValue(document) }
  } catch (thrown) {
    return { errors: [{ message: unreadable(thrown), pos: [0, 0] }] }
  }
}

/** `file:line:column`, as editors and terminals make it a link. */
export const placeOf = ({ file, line, column }: Position): string => `${file}:${line}:${column}`

const offsetOf = (root: unknown, path: Path, part: 'key' | 'value'): number => {
  let node = root
  let offset = startOf(root) ?? 0
  for (const [index, key] of path.entries()) {
    const child = childOf(node, key)
    if (child === undefined) return offset
    const wantsKey = part === 'key' && index === path.length - 1
    offset =
      (wantsKey ? startOf(child.key) : undefined) ??
      startOf(child.value) ??
      startOf(child.key) ??
      offset
    node = child.value
  }
  return offset
}

const childOf = (node: unknown, key: string | number) => {
  if (isMap(node)) {
    const pair = node.items.find((it) => isScalar(it.key) && String(it.key.value) === String(key))
    return isPair(pair) ? { key: pair.key, value: pair.value } : undefined
  }
  if (!isSeq(node)) return undefined
  const value = node.items[Number(key)]
  return value === undefined ? undefined : { key: undefined, value }
}

const startOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined)

const around = 2
const near = 8

const excerpt = (text: string, { line, column }: Position, from: number): string => {
  const first = Math.max(1, Math.min(line - around, line - from > near ? line : from))
  const shown = text.split(/\r?\n/).slice(first - 1, line + around)
  const width = String(first + shown.length).length
  return shown
    .flatMap((content, index) => {
      const number = first + index
      const row = `${number === line ? '>' : ' '} ${String(number).padStart(width)} | ${content}`
      return number === line ? [row, `  ${' '.repeat(width)} | ${' '.repeat(column - 1)}^`] : [row]
    })
    .map((row) => row.trimEnd())
    .join('\n')
}
