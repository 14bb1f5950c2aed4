import { globSync, readFileSync } from 'node:fs'
import { parseAst } from 'vitest/node'
import { root } from './running.ts'

/** A node of the syntax tree of a source, in ESTree. */
export type Node = Readonly<{ type: string; start: number; end: number }> &
  Readonly<Record<string, unknown>>

/** Every node of every source we publish, with its file and its text. */
export const sourceNodes = (): { node: Node; file: string; text: string }[] =>
  globSync('{server,client,scenarios}/**/*.{ts,js}', { cwd: root })
    .sort()
    .flatMap((file) => {
      const source = readFileSync(`${root}/${file}`, 'utf8')
      const found: Node[] = []
      collect(parseAst(source, { lang: file.endsWith('.js') ? 'js' : 'ts' }), found)
      return found.map((node) => ({ node, file, text: source.slice(node.start, node.end) }))
    })

const collect = (value: unknown, found: Node[]): void => {
  if (value === null || typeof value !== 'object') return
  if ('type' in value && 'start' in value) found.push(value as Node)
  for (const part of Object.values(value)) collect(part, found)
}
