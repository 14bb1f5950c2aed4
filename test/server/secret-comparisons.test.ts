import { describe, expect, it } from 'vitest'
import { type Node, sourceNodes } from '../support/sources.ts'

/**
 * Comparing a secret with `===` reveals, by its duration, how much of a guess is right. `same` and
 * `hasSecret` do not; nor does looking up a digest. These have the name of a secret and are none:
 */
const harmless: Readonly<Record<string, string>> = {
  'client/agent.ts: value === token': 'both are its own',
  'client/examples/mcp/crew.ts: error.code !== ErrorCode.UrlElicitationRequired': 'of an error',
  'client/examples/mcp/waiting.ts: error.code !== ErrorCode.UrlElicitationRequired': 'of an error',
  "client/tools/tool.ts: ['network_error', 'deadline_exceeded'].includes(error.code)":
    'of an error',
  'server/console/event-stream.ts: key === lastKey': 'tells whether a pulse is news',
  'server/issuer/evolve.ts: before?.replaced?.hash === usedHash': 'digests',
  'server/issuer/oauth/grants.ts: proof !== grant.challenge':
    'digests; the challenge was sent in the open',
  'server/issuer/oauth/grants.ts: refresh?.hash === hash': 'digests',
  'server/issuer/oauth/grants.ts: refresh?.siblings?.includes(hash)': 'digests',
  'server/issuer/oauth/grants.ts: replaced?.hash === usedHash': 'digests',
  'server/misbehaviours/issuer/clients.ts: it.registrationHash === registrationHash':
    'digests, and misbehaves on purpose',
  'server/signing/forge.ts: signature === (await hmac(publicJwk, `${head}.${claims}`))':
    'misbehaves on purpose',
  'server/signing/keys.ts: it !== key': 'keys, by identity',
  'server/signing/verify.ts: candidates.includes(before.key)': 'public keys, by identity',
  'server/wire/authorization-detail.ts: (lists as readonly string[]).includes(key)':
    'a name of a member',
}

/** Code that runs where the secrets are known anyway, or in a browser. */
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

/** The two operands of a comparison that stops at the first difference. */
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
