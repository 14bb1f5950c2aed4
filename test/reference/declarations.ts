import { readFileSync } from 'node:fs'
import { parseAst } from 'rolldown/parseAst'

/** A member of a type, with the docstring before it ('' if it has none). */
export type Member = Readonly<{ name: string; text: string; says: string }>

type Node = Readonly<{ type: string; start: number; end: number; [key: string]: unknown }>

/** The members of a type, through `Readonly<…>` and intersections, in the order of the file. */
export const membersOf = (file: string, type: string): Member[] => {
  const { source, alias } = aliasOf(file, type)
  return literalsIn(alias).flatMap((literal) => {
    const members = literal.members as readonly Node[]
    return members.map((member, at) => {
      const before = at === 0 ? literal.start + 1 : (members[at - 1]?.end ?? 0)
      const key = member.key as Node
      return {
        name: source.slice(key.start, key.end),
        text: source.slice(key.end, member.end).replace(/\s+/g, ' '),
        says: docOf(source.slice(before, member.start)),
      }
    })
  })
}

/** The object types of a union that are told apart by their member `type`. */
export const variantsOf = (
  file: string,
  type: string,
): readonly Readonly<{ name: string; members: readonly string[]; says: string }>[] => {
  const { source, alias } = aliasOf(file, type)
  const types = (alias as unknown as { types: readonly Node[] }).types
  return types.map((it, at) => {
    const members = it.members as readonly Node[]
    const text = (member: Node | undefined) => source.slice(member?.start, member?.end)
    const before = at === 0 ? 0 : (types[at - 1]?.end ?? 0)
    return {
      name: text(members[0]).replace(/^type: '|'$/g, ''),
      members: members
        .slice(1)
        .map((member) => text(member.key as Node) + (member.optional ? '?' : '')),
      says: docOf(source.slice(before, it.start)),
    }
  })
}

const aliasOf = (file: string, name: string): { source: string; alias: Node } => {
  const source = readFileSync(file, 'utf8')
  const { body } = parseAst(source, { lang: 'ts' }) as unknown as { body: readonly Node[] }
  for (const statement of body) {
    const declared = (statement.declaration ?? statement) as Node
    const { name: id } = (declared.id ?? {}) as { name?: string }
    if (declared.type === 'TSTypeAliasDeclaration' && id === name) {
      return { source, alias: declared.typeAnnotation as Node }
    }
  }
  throw new Error(`${file} declares no type ${name}`)
}

const literalsIn = (node: Node): Node[] => {
  if (node.type === 'TSTypeLiteral') return [node]
  const inner = [
    ...((node.types as readonly Node[] | undefined) ?? []),
    ...((node.typeArguments as { params: readonly Node[] } | undefined)?.params ?? []),
  ]
  return inner.flatMap(literalsIn)
}

/** The last docstring of a piece of source, as one line. */
export const docOf = (text: string): string => {
  const [, doc = ''] = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:\|\s*)?$/.exec(text) ?? []
  return doc
    .replace(/^\s*\* ?/gm, '')
    .replace(/\s+/g, ' ')
    .trim()
}
