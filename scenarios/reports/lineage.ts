import { isObject } from '../language/match.ts'
import type { Result, SeenToken } from '../runner/verdict.ts'
import { bearerOf } from './exchange-summary.ts'

/** The history of a token: origin, uses and end. */
export type Lineage = Readonly<{
  token: SeenToken
  /** Index of the exchange that returned it. */
  from: number | undefined
  /** The exchanges that sent it. */
  uses: readonly number[]
  end: Readonly<{ exchange: number; how: string }> | undefined
  /** The tokens obtained with it. */
  children: readonly Lineage[]
}>

/** The tokens of a scenario as a tree: the agent's own token, then those obtained with it. */
export const lineageOf = (result: Pick<Result, 'tokens' | 'exchanges'>): readonly Lineage[] => {
  const { tokens, exchanges } = result
  const given = new Map(
    tokens.map(({ name }) => [name, exchanges.findIndex((it) => it.answer.body.includes(name))]),
  )
  const givenAt = (name: string) => given.get(name) ?? -1
  /** The token it was obtained with. */
  const parentOf = ({ name }: SeenToken): string | undefined => {
    const giver = exchanges[givenAt(name)]
    const parent = giver === undefined || giver.seat === 'control' ? undefined : bearerOf(giver)
    return parent !== undefined && given.has(parent) && givenAt(parent) < givenAt(name)
      ? parent
      : undefined
  }
  const grow = (token: SeenToken): Lineage => ({
    token,
    from: givenAt(token.name) < 0 ? undefined : givenAt(token.name),
    uses: exchanges.flatMap((it, index) => (bearerOf(it) === token.name ? [index] : [])),
    end: endOf(token, result),
    children: tokens.filter((it) => parentOf(it) === token.name).map(grow),
  })
  return tokens.filter((it) => parentOf(it) === undefined).map(grow)
}

const endOf = ({ name, claims }: SeenToken, { exchanges }: Pick<Result, 'exchanges'>) => {
  const task = isObject(claims) ? claims.task_id : undefined
  const exchange = exchanges.findIndex(
    ({ route, request, answer }) =>
      answer.status < 300 &&
      ((route === 'jit.task.complete' && typeof task === 'string' && request.url.includes(task)) ||
        (route === 'oauth.revoke' && request.body.includes(name))),
  )
  if (exchange < 0) return undefined
  const how = exchanges[exchange]?.route === 'oauth.revoke' ? 'revoked' : 'its task was completed'
  return { exchange, how }
}
