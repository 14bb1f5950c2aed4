import { type Place, readYaml } from '../../server/wire/yaml-source.ts'
import type { Path } from './match.ts'

export type Position = Place & Readonly<{ file: string }>

/** A YAML file with the position of each value. */
export type Source = Readonly<{
  file: string
  value: unknown
  /** Problems the YAML parser reports. */
  problems: readonly Readonly<{ message: string; at: Position }>[]
  /** The position of the value at a path, or of its key; the nearest existing one. */
  locate(path: Path, part?: 'key' | 'value'): Position
  /**
   * The numbered lines around a position, with a mark under the column. Begins at `first` if that
   * is near.
   */
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

/** `file:line:column`, which editors and terminals turn into a link. */
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
