import { describe, expect, it } from 'vitest'
import { type Node, sourceNodes } from '../support/sources.ts'

/**
 * Whoever compares a secret with `===` tells by the time it takes how much of a guess is right. `same`
 * and `hasSecret` do not; nor does looking up a digest. What has the name of a secret and is none:
 */
const harmless: Readonly<Record<string, string>> = {
  'client/agent.ts: value === token': 'both are its own',
  'client/examples/mcp/crew.ts: error.code !== ErrorCode.UrlElicitationRequired': 'of an error',
  'client/examples/mcp/waiting.ts: error.code !== ErrorCode.UrlElicitationRequired': 'of an error',
  "client/tools/tool.ts: ['network_error', 'deadline_exceeded'].includes(error.code)":
    'of an error',
  'server/console/event-stream.ts: key === lastKey': 'tells whether a pulse is news',
  'server/issuer/clients.ts: byKey !== (asked.jwks !== undefined)': 'are booleans',
  'server/issuer/grants.ts: proof !== grant.challenge':
    'digests; the challenge was sent in the open',
  'server/issuer/grants.ts: record.refresh?.hash !== usedHash': 'digests',
  'server/issuer/grants.ts: record.refresh?.hash === refreshHash': 'digests',
  'server/signing/forge.ts: signature === (await hmac(publicJwk, `${head}.${claims}`))':
    'misbehaves on purpose',
  'server/signing/keys.ts: it !== key': 'keys, by identity',
  'server/signing/verify.ts: candidates.includes(before.key)': 'public keys, by identity',
  'server/wire/authorization-detail.ts: (lists as readonly string[]).includes(key)':
    'a name of a member',
}

/** Whoever runs these holds the secrets, or is a browser. */
const isElsewhere = /^(?:scenarios|server\/console\/page)\//

const isSecretName =
  /(?:secret|token|password|csrf|csrfToken|apiKey|verifier|hash|hashes|signature|proof|digest|credentials|code|key)$/i

/** The last name of `a.b.c`, `a?.b.c` and the like. */
const nameOf = (node: Node): string => {
  const { type, name, property, expression, argument } = node as Node &
    Record<'name', string> &
    Record<'property' | 'expression' | 'argument', Node>
  if (type === 'Identifier' || type === 'PrivateIdentifier') return name
  if (type === 'MemberExpression') return nameOf(property)
  return expression || argument ? nameOf(expression ?? argument) : ''
}

const isPlain = ({ type, name }: Node) =>
  type === 'Literal' ||
  type === 'TemplateLiteral' ||
  name === 'undefined' ||
  type === 'UnaryExpression'

/** The two sides of whatever ends at the first difference. */
const sidesOf = (node: Node): Node[] => {
  if (node.type === 'BinaryExpression' && /^[!=]==?$/.test(String(node.operator))) {
    return [node.left as Node, node.right as Node]
  }
  const { callee, arguments: given = [] } = node as Node & { callee?: Node; arguments?: Node[] }
  if (callee?.type !== 'MemberExpression') return []
  return /^(?:includes|indexOf|startsWith|endsWith|localeCompare|equals|compare)$/.test(
    nameOf(callee),
  )
    ? [callee.object as Node, ...given]
    : []
}

describe('a secret', () => {
  it('is compared in constant time', () => {
    const found = [...sourceNodes()].flatMap(({ node, file, text }) => {
      const sides = sidesOf(node)
      const isMeant = sides.some((side) => isSecretName.test(nameOf(side)))
      return isElsewhere.test(file) || !isMeant || sides.some(isPlain) ? [] : [`${file}: ${text}`]
    })

    expect([...new Set(found)].sort()).toEqual(Object.keys(harmless).sort())
  }, 30_000)
})
