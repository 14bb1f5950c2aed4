import { type Place, readYaml } from '../../server/wire/yaml-source.ts'
import type { Path } from './match.ts'

export type Position = Place & Readonly<{ file: string }>

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
  const { value, problems, locate } = readYaml(text)
  return {
    file,
    value,
    problems: problems.map(({ message, ...at }) => ({ message, at: { file, ...at } })),
    locate: (path, part = 'value') => ({ file, ...locate(path, part) }),
    excerpt: (at, first = at.line) => excerpt(text, at, first),
  }
}

/** `file:line:column`, as editors and terminals make it a link. */
export const placeOf = ({ file, line, column }: Position): string => `${file}:${line}:${column}`

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
