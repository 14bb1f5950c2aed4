import { isModelPath } from '../../server/wire/index.ts'
import { parseJson } from '../../server/wire/json.ts'
import { decode } from '../language/decode.ts'
import { isObject } from '../language/match.ts'
import type { Exchange } from '../runner/exchange.ts'

/** Who takes part in an exchange, as far as it tells. */
export type Part = 'person' | 'model' | 'agent' | 'issuer' | 'api' | 'harness'

/** Who answered. The scripted model stands on the origin of the issuer, and is no part of it. */
export const answererOf = ({ seat, request }: Exchange): Part => {
  if (isModelPath(new URL(request.url).pathname)) return 'model'
  return seat === 'control' ? 'harness' : seat
}

/** Who sent the request: told by the token it bears, or by what only an API does. */
export const senderOf = (exchange: Exchange): Part => {
  const { route, request } = exchange
  const answerer = answererOf(exchange)
  if (answerer === 'model') return 'agent'
  if (answerer === 'harness') return 'harness'
  if (route === 'oauth.introspect') return 'api'
  return /‹user token|‹session/.test(request.headers.authorization ?? '') ? 'person' : 'agent'
}

/** The token a request bears, by its name. */
export const bearerOf = ({ request }: Exchange): string | undefined =>
  /‹[^‹›]*token \d+›/.exec(request.headers.authorization ?? '')?.[0]

/** The request in a few words: the path below its base, ids cut short. */
export const describeRequest = (exchange: Exchange): string => {
  const { seat, request } = exchange
  if (answererOf(exchange) === 'model') {
    return request.method === 'POST' ? 'ask the model' : 'ask which models there are'
  }
  const { pathname, search } = new URL(request.url)
  const base =
    seat === 'control'
      ? /^\/_harness\/tenants\/[^/]+/
      : seat === 'issuer'
        ? /^\/(t|orgs)\/[^/]+\/api\/v1(?=\/)/
        : /^\/t\/[^/]+(?=\/)/
  const path = `${pathname.replace(base, '') || pathname}${search}`
  return `${request.method} ${path.replaceAll(/([a-z]_[0-9a-f]{4})[0-9a-f]{12}\b/g, '$1…')}`
}

/** What an answer says, in a few words. */
export const summarizeExchange = (exchange: Exchange): string => {
  const { request, answer } = exchange
  if (answererOf(exchange) === 'model' && answer.status < 400) return toolsIn(answer.body)
  const body = parseJson(answer.body)
  if (!isObject(body)) return ''
  const { error, status, risk_level: risk, access_token: token, active } = body
  const sent = new URLSearchParams(request.body)
  const parts = [
    error,
    typeof status === 'string' ? status : undefined,
    risk,
    typeof token === 'string' ? token : undefined,
    typeof active === 'boolean' && sent.has('token')
      ? active
        ? 'active'
        : 'not active'
      : undefined,
    neededOf(answer.headers),
  ]
  return parts.filter((it) => typeof it === 'string').join(', ')
}

/** The tools that a model wants to be called: a name beside arguments, streamed or not. */
const toolsIn = (body: string): string => {
  const names = [...body.matchAll(/"name":"(\w+)","arguments":/g)].map(([, name]) => name)
  return [...new Set(names)].join(', ')
}

/** One detail as a person would say it. */
export const detailText = (detail: unknown): string => {
  if (!isObject(detail)) return JSON.stringify(detail)
  const { type, actions, identifier } = detail
  const words = [type, ...(Array.isArray(actions) ? [actions.join(' ')] : []), identifier]
  return words.filter((it) => typeof it === 'string').join(' ')
}

/** What a token is good for, and for how long. */
export const grantText = (claims: unknown): string => {
  if (!isObject(claims)) return ''
  const { authorization_details: details, scope, exp, iat } = claims
  const seconds = Number(exp) - Number(iat)
  return [
    ...(Array.isArray(details) ? [details.map(detailText).join('; ')] : []),
    ...(typeof scope === 'string' ? [scope] : []),
    ...(Number.isFinite(seconds) ? [`${seconds} s`] : []),
  ].join(' · ')
}

/** The detail a challenge names, as text; undefined where there is no challenge. */
export const neededOf = (headers: Exchange['answer']['headers']): string | undefined => {
  const encoded = headers['insufficient-authorization-details']
  if (encoded === undefined) return undefined
  const needed = decode(encoded)
  return needed === undefined ? 'needs what cannot be read' : `needs ${detailText(needed)}`
}
