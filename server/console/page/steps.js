/** The participants of a task, from left to right; the approver only where a person came in. */
export const lanes = [
  { id: 'agent', name: 'Agent' },
  { id: 'api', name: 'API' },
  { id: 'issuer', name: 'Issuer' },
  { id: 'approver', name: 'Approver' },
]

/**
 * The events of a task, in order: exchanges with the entries that they caused, and entries without an
 * exchange, such as a person's decision on this page.
 *
 * @returns {{exchange?: object, entries: object[], inner?: object[], from?: string, to?: string}[]}
 */
export const stepsOf = ({ exchanges, entries }) => {
  const left = new Set(entries)
  const during = exchanges.map((exchange) => {
    const [before, after] = exchange.meanwhile ?? [0, 0]
    const own = entries.filter(
      (entry) =>
        left.has(entry) && entry.seq > before && entry.seq <= after && mayCome(exchange, entry),
    )
    for (const entry of own) left.delete(entry)
    return own
  })
  const steps = []
  const inner = new Map()
  for (const [at, exchange] of exchanges.entries()) {
    const caller = callThatAsked(exchange, exchanges.slice(at + 1))
    if (caller) {
      const asked = { exchange, entries: [], from: 'api', to: 'issuer' }
      inner.set(caller, [...(inner.get(caller) ?? []), asked])
      continue
    }
    const [before] = exchange.meanwhile ?? [Number.POSITIVE_INFINITY]
    const earlier = [...left].filter(({ seq }) => seq <= before)
    for (const entry of earlier) left.delete(entry)
    steps.push(...alone(earlier))
    steps.push({
      exchange,
      entries: during[at],
      inner: inner.get(exchange) ?? [],
      from: callerOf(exchange),
      to: exchange.seat,
    })
  }
  return [...steps, ...alone([...left])]
}

/** Which lanes there are to draw. */
export const lanesOf = (steps) =>
  lanes.filter(({ id }) => id !== 'approver' || steps.some(({ from }) => from === 'approver'))

/** The API introspects a token while its caller waits, so that exchange is over first. */
const callThatAsked = ({ route, tokens = [] }, later) => {
  if (route !== 'oauth.introspect') return undefined
  const about = tokens.find(({ where }) => where === 'request token')?.claims.jti
  return later.find(
    ({ seat, tokens: shown = [] }) =>
      seat === 'api' &&
      shown.some(({ where, claims }) => where === 'request authorization' && claims.jti === about),
  )
}

/** A read causes no entries, even if entries appear while it runs. */
const mayCome = ({ route, request }, { type }) =>
  !(type.startsWith('permission.') && request.method === 'GET') && route !== 'oauth.introspect'

const callerOf = ({ route, request, tokens = [] }) => {
  if (route === 'oauth.introspect') return 'api'
  if (route === 'jit.pending' || route === 'jit.approve' || route === 'jit.deny') return 'approver'
  const claims = tokens.find(({ where }) => where === 'request authorization')?.claims
  return claims && !('agent_id' in claims) && request.path.includes('/jit/') ? 'approver' : 'agent'
}

const decisions = ['permission.endorsed', 'permission.approved', 'permission.denied']

/**
 * A person's decision is an arrow from the approver; everything else is a note at the issuer. The
 * last yes and the approval it makes are one decision.
 */
const alone = (entries) =>
  entries
    .filter(({ type, requestId, by }, at) => {
      const next = entries[at + 1]
      const decided = next?.type === 'permission.approved' && next.requestId === requestId
      return !(type === 'permission.endorsed' && decided && next.by === by)
    })
    .map((entry) =>
      decisions.includes(entry.type) && entry.by !== 'policy'
        ? { entries: [entry], from: 'approver', to: 'issuer' }
        : { entries: [entry] },
    )
