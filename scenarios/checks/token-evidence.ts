import type { AuthorizationDetail } from '../../server/wire/index.ts'
import { parseJson } from '../../server/wire/json.ts'
import { isObject } from '../language/match.ts'
import { bearerOf, detailText } from '../reports/exchange-summary.ts'
import type { Result } from '../runner/verdict.ts'

/** What a token for a route must have. */
export type ExpectedToken = Readonly<{
  iss: string
  aud: string
  alg: string
  requires: AuthorizationDetail | undefined
}>

/**
 * The result with what was wrong with the token that the API should have rejected, or right with the
 * one it should have accepted, in the message of each failure.
 */
export const withTokenEvidence = (result: Result, expected: ExpectedToken): Result => ({
  ...result,
  failures: result.failures.map((failure) => {
    const exchange = result.exchanges[failure.exchange ?? -1]
    const name = exchange === undefined ? undefined : bearerOf(exchange)
    if (exchange === undefined || name === undefined) return failure
    const evidence = describeToken(name, result, expected)
    const call = `${exchange.request.method} ${new URL(exchange.request.url).pathname}`
    return evidence.length === 0
      ? failure
      : {
          ...failure,
          message: `${call} answered ${exchange.answer.status} to a token with ${evidence.join(', and ')}`,
        }
  }),
})

/** What differs between a token and a sufficient one. */
const describeToken = (
  name: string,
  { tokens, exchanges }: Result,
  expected: ExpectedToken,
): string[] => {
  const token = tokens.find((it) => it.name === name)
  if (token === undefined) return []
  const header = isObject(token.header) ? token.header : {}
  const claims = isObject(token.claims) ? token.claims : {}
  const forge = exchanges.find(
    (it) => it.route === 'control.token.forge' && it.answer.body.includes(name),
  )
  const order = parseJson(forge?.request.body ?? '')
  const now = Date.now() / 1000
  const { requires } = expected
  const granted = [claims.authorization_details ?? []].flat().map(detailText).join('; ')
  const said = (key: string, value: unknown, right: string) =>
    `${key}: ${value === undefined ? 'absent' : JSON.stringify(value)}, expected ${right}`
  const includes = (value: unknown, text: string) => [value].flat().includes(text)
  return [
    ...(includes(claims.aud, expected.aud)
      ? []
      : [said('aud', claims.aud, JSON.stringify(expected.aud))]),
    ...(claims.iss === expected.iss ? [] : [said('iss', claims.iss, JSON.stringify(expected.iss))]),
    ...(typeof claims.exp === 'number' && claims.exp > now
      ? []
      : [said('exp', claims.exp, 'a time in the future')]),
    ...(typeof claims.nbf === 'number' && claims.nbf > now
      ? [said('nbf', claims.nbf, 'a time in the past, or none')]
      : []),
    ...(header.typ === 'at+jwt' ? [] : [said('typ', header.typ, '"at+jwt"')]),
    ...(header.alg === expected.alg ? [] : [said('alg', header.alg, JSON.stringify(expected.alg))]),
    ...(header.crit === undefined ? [] : [said('crit', header.crit, 'none')]),
    ...(isObject(order) && order.key === 'foreign'
      ? ['a signature by a key that is not in the JWKS']
      : []),
    ...(requires === undefined || granted === detailText(requires)
      ? []
      : [`authorization_details: ${granted || 'none'}, required ${detailText(requires)}`]),
  ]
}
