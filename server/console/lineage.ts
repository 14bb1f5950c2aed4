import type { Entry, EventOf } from '../issuer/event.ts'
import type { Exchange, TokenView } from '../wire/index.ts'

/**
 * The exchanges of a task: those that contain its id or the id of one of its requests, those with a
 * token of it, and the agent's calls to the API that led to its requests.
 */
export const exchangesOf = (
  taskId: string,
  requestIds: readonly string[],
  entries: readonly Entry[],
  exchanges: readonly Exchange[],
): Exchange[] => {
  const isNamed = mentions([taskId, ...requestIds])
  const tokens = new Set(
    entries.flatMap((entry) => (entry.type === 'token.issued' ? entry.token.jti : [])),
  )
  const named = exchanges.filter(
    (exchange) => isNamed(exchange) || jtisOf(exchange).some((jti) => tokens.has(jti)),
  )
  const agents = new Set(
    named.flatMap((exchange) => (exchange.seat === 'issuer' ? findPresentedTokens(exchange) : [])),
  )
  const [from, to] = [named[0]?.seq ?? 0, named.at(-1)?.seq ?? 0]
  const challenged = exchanges.filter(
    (exchange) =>
      exchange.seat === 'api' &&
      exchange.seq > from &&
      exchange.seq < to &&
      exchange.answer.status >= 400 &&
      findPresentedTokens(exchange).some((jti) => agents.has(jti)),
  )
  const granted = exchanges.filter(
    (exchange) =>
      exchange.route === 'oauth.token' && jtisOf(exchange).some((jti) => agents.has(jti)),
  )
  const introspected = exchanges.filter(
    (exchange) =>
      exchange.route === 'oauth.introspect' &&
      challenged.some(
        (call) =>
          call.seq === exchange.seq + 1 &&
          jtisOf(exchange).includes(findPresentedTokens(call)[0] ?? ''),
      ),
  )
  const all = [...granted, ...named, ...challenged, ...introspected]
  return [...new Set(all)].sort((a, b) => a.seq - b.seq)
}

/** The tokens of a task, the agent's own first, with their history. */
export const lineageOf = (
  taskId: string,
  entries: readonly Entry[],
  exchanges: readonly Exchange[],
): TokenView[] => {
  const seen = new Set(exchanges.flatMap(findPresentedTokens))
  const issued = entries.filter(
    (entry): entry is Entry & EventOf<'token.issued'> =>
      entry.type === 'token.issued' &&
      (entry.taskId === taskId ||
        (seen.has(entry.token.jti) && entry.taskId === undefined && entry.token.kind === 'agent')),
  )
  const revoked = new Map(
    entries.flatMap((entry) => (entry.type === 'token.revoked' ? [[entry.jti, entry]] : [])),
  )
  return issued.map(({ token }) => {
    const revocation = revoked.get(token.jti)
    const obtained = exchanges.find(
      (exchange) => exchange.seat === 'issuer' && findIssuedTokens(exchange).includes(token.jti),
    )
    return {
      jti: token.jti,
      kind: token.kind,
      subject: token.sub,
      scope: token.scope ?? null,
      detail: token.detail ?? null,
      request_id: token.requestId ?? null,
      from: obtained === undefined ? null : (findPresentedTokens(obtained)[0] ?? null),
      issued_at: token.issuedAt,
      expires_at: token.expiresAt,
      revoked: revocation ? { at: revocation.at, reason: revocation.reason } : null,
      uses: exchanges
        .filter(
          (exchange) =>
            exchange.seat === 'api' && findPresentedTokens(exchange).includes(token.jti),
        )
        .map(({ seq }) => seq),
    }
  })
}

/** Whether an exchange contains one of the ids. Searches for the prefixes of the ids, not for each id. */
const mentions = (names: readonly string[]) => {
  const ids = new Set(names)
  const prefixes = new Set(names.map((id) => id.slice(0, id.indexOf('_') + 1 || id.length)))
  const lengths = new Set(names.map((id) => id.length))
  const isIn = (text: string): boolean => {
    for (const prefix of prefixes) {
      for (let at = text.indexOf(prefix); at >= 0; at = text.indexOf(prefix, at + 1)) {
        for (const length of lengths) if (ids.has(text.slice(at, at + length))) return true
      }
    }
    return false
  }
  return ({ request, answer }: Exchange): boolean =>
    isIn(request.path) || isIn(request.body) || isIn(answer.body)
}

const jtisOf = ({ tokens = [] }: Exchange): string[] => tokens.flatMap(({ claims }) => jti(claims))

/** The `jti` of the token in `Authorization`. */
const findPresentedTokens = ({ tokens = [] }: Exchange): string[] =>
  tokens.flatMap(({ where, claims }) => (where === 'request authorization' ? jti(claims) : []))

const findIssuedTokens = ({ tokens = [] }: Exchange): string[] =>
  tokens.flatMap(({ where, claims }) => (where.startsWith('answer ') ? jti(claims) : []))

const jti = ({ jti: id }: Readonly<Record<string, unknown>>): string[] =>
  typeof id === 'string' ? [id] : []
