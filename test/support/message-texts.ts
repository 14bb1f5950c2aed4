import { parseAst } from 'rolldown/parseAst'

type Node = Readonly<{ type: string; start: number; end: number }> &
  Readonly<Record<string, unknown>>

/** A text for people in a source, and the position of its first character. */
export type MessageText = Readonly<{ text: string; at: number }>

/**
 * The texts of a source that explain something to a person: those passed to errors and to the
 * functions that refuse, fail or skip, to zod checks, and those under a key that holds prose. A
 * text without a space is a code or a name.
 */
export const messageTexts = (source: string): readonly MessageText[] => {
  const found = new Map<number, string>()
  visit(parseAst(source, { lang: 'ts' }), (node) => {
    for (const part of messagesOf(node)) collectTexts(part, source, found)
  })
  return [...found].map(([at, text]) => ({ at, text })).sort((a, b) => a.at - b.at)
}

/** The source with a prefix before each of its texts for people. */
export const alterMessages = (source: string, prefix: string): string =>
  messageTexts(source).reduceRight(
    (altered, { at }) => altered.slice(0, at) + prefix + altered.slice(at),
    source,
  )

const keys = new Set(['reason', 'what', 'why', 'says', 'message', 'error', 'error_description'])
const takers =
  /^(refuse\w*|forbid|unacceptable|fail\w*|skip\w*|problem\w*|describeForbiddenWrite|refine|min|max|regex)$/
const classes =
  /(Error|Refused|Skip\w+|Failed|Broken|NoAnswer|NotSent|NoSuchPart|NotGreen|InvalidToken)$/
const reasons = /^(skipReason\w*|describe\w*|findRoles)$/

const messagesOf = (node: Node): readonly unknown[] => {
  switch (node.type) {
    case 'NewExpression':
      return classes.test(nameOf(node.callee)) ? (node.arguments as unknown[]) : []
    case 'CallExpression':
      return takers.test(nameOf(node.callee)) ? (node.arguments as unknown[]) : []
    case 'Property':
      return keys.has(nameOf(node.key)) ? [node.value] : []
    case 'VariableDeclarator':
      return reasons.test(nameOf(node.id)) ? returnsOf(node.init as Node) : []
    default:
      return []
  }
}

const nameOf = (node: unknown): string => {
  const { name, property } = (node ?? {}) as { name?: string; property?: { name?: string } }
  return name ?? property?.name ?? ''
}

const returnsOf = (value: Node): readonly unknown[] => {
  if (value.type !== 'ArrowFunctionExpression') return []
  const body = value.body as Node
  if (body.type !== 'BlockStatement') return [body]
  const found: unknown[] = []
  visit(body, (node) => {
    if (node.type === 'ReturnStatement') found.push(node.argument)
  })
  return found
}

/** The texts that an expression may evaluate to. */
const collectTexts = (value: unknown, source: string, found: Map<number, string>): void => {
  const node = value as Node | null
  const text = node ? source.slice(node.start + 1, node.end - 1) : ''
  switch (node?.type) {
    case 'Literal':
      if (typeof node.value === 'string' && text.includes(' ')) found.set(node.start + 1, text)
      return
    case 'TemplateLiteral':
      if (text.replaceAll(/\$\{[^}]*\}/g, '').includes(' ')) found.set(node.start + 1, text)
      return
    case 'ConditionalExpression':
      for (const part of [node.consequent, node.alternate]) collectTexts(part, source, found)
      return
    case 'LogicalExpression':
      for (const part of [node.left, node.right]) collectTexts(part, source, found)
      return
    case 'BinaryExpression':
      collectTexts(node.left, source, found)
      return
    case 'ArrowFunctionExpression':
      for (const part of returnsOf(node)) collectTexts(part, source, found)
  }
}

const visit = (value: unknown, see: (node: Node) => void): void => {
  if (value === null || typeof value !== 'object') return
  if ('type' in value && 'start' in value) see(value as Node)
  for (const part of Object.values(value)) visit(part, see)
}
