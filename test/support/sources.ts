import { globSync, readFileSync } from 'node:fs'
import { parseAst } from 'vitest/node'
import { root } from './running.ts'

/** A node of the syntax tree of a source, as ESTree has it. */
export type Node = Readonly<{ type: string; start: number; end: number }> &
  Readonly<Record<string, unknown>>

/** Every node of every source we publish, with the file it is in and the line it begins on. */
export function* sourceNodes(): Generator<{ node: Node; where: string; text: string }> {
  for (const file of globSync('{server,client,scenarios}/**/*.{ts,js}', { cwd: root }).sort()) {
    const source = readFileSync(`${root}/${file}`, 'utf8')
    for (const node of within(parseAst(source, { lang: file.endsWith('.js') ? 'js' : 'ts' }))) {
      const line = source.slice(0, node.start).split('\n').length
      yield { node, where: `${file}:${line}`, text: source.slice(node.start, node.end) }
    }
  }
}

function* within(value: unknown): Generator<Node> {
  if (value === null || typeof value !== 'object') return
  if ('type' in value && 'start' in value) yield value as Node
  for (const part of Object.values(value)) yield* within(part)
}
