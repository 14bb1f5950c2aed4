/**
 * Excluded from mutation: texts for people, as `reason`, `what` and `description` of refusals and
 * schemas, and the messages of errors. A text with a space in it counts as prose.
 */
type Node = Readonly<{
  type: string
  value?: unknown
  quasis?: readonly Readonly<{ value: Readonly<{ raw: string }> }>[]
  name?: string
  key?: Node
  callee?: Node
  property?: Node
}>
type Path = Readonly<{ node: Node; parent: Node | undefined }>

const texts = ['reason', 'what', 'why', 'says', 'description', 'summary']
const takers = ['refuseGrant', 'unacceptable', 'forbid', 'describe']

const isText = ({ type, value, quasis }: Node): boolean =>
  (type === 'StringLiteral' && String(value).includes(' ')) ||
  (type === 'TemplateLiteral' && (quasis ?? []).some((it) => it.value.raw.includes(' ')))

const isProse = ({ node, parent }: Path): boolean => {
  if (!isText(node) || parent === undefined) return false
  if (parent.type === 'ObjectProperty') return texts.includes(parent.key?.name ?? '')
  const called = parent.callee?.name ?? parent.callee?.property?.name ?? ''
  return parent.type === 'NewExpression'
    ? called.endsWith('Error')
    : parent.type === 'CallExpression' && takers.includes(called)
}

export const strykerPlugins = [
  {
    kind: 'Ignore',
    name: 'prose',
    value: { shouldIgnore: (path: Path) => (isProse(path) ? 'prose' : undefined) },
  },
]
