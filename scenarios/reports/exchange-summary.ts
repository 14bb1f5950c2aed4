import { isModelPath } from '../../server/wire/index.ts'
import { parseJson } from '../../server/wire/json.ts'
import { decode } from '../language/decode.ts'
import { isObject } from '../language/match.ts'
import type { Exchange } from '../runner/exchange.ts'

/** The participants of an exchange. */
export type Part = 'person' | 'model' | 'agent' | 'issuer' | 'api' | 'harness'

/**
 * The seat that answered. The scripted model shares the issuer's origin but is not part of the
 * issuer.
 */
export const answererOf = ({ seat, request }: Exchange): Part => {
  if (isModelPath(new URL(request.url).pathname)) return 'model'
  return seat === 'control' ? 'harness' : seat
}

/** The sender of a request, derived from its token or from routes that only an API calls. */
export const senderOf = (exchange: Exchange): Part => {
  const { route, request } = exchange
  const answerer = answererOf(exchange)
  if (answerer === 'model') return 'agent'
  if (answerer === 'harness') return 'harness'
  if (route === 'oauth.introspect') return 'api'
  return /‹user token|‹session/.test(request.headers.authorization ?? '') ? 'person' : 'agent'
}

/** The name of the token in a request. */
export const bearerOf = ({ request }: Exchange): string | undefined =>
  /‹[^‹›]*token \d+›/.exec(request.headers.authorization ?? '')?.[0]

/** The request as a short text: its path below the base, with ids shortened. */
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

/** The answer as a short text. */
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

/** The tool calls in a model's answer, streamed or not. */
const toolsIn = (body: string): string => {
  const names = [...body.matchAll(/"name":"(\w+)","arg(?:ument)?s":/g)].map(([, name]) => name)
  return [...new Set(names)].join(', ')
}

/** A detail as a short text. */
export const detailText = (detail: unknown): string => {
  if (!isObject(detail)) return JSON.stringify(detail)
  const { type, actions, identifier } = detail
  const words = [type, ...(Array.isArray(actions) ? [actions.join(' ')] : []), identifier]
  return words.filter((it) => typeof it === 'string').join(' ')
}

/** The grant and the lifetime of a token, as text. */
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
  return needed === undefined ? 'needs an unreadable detail' : `needs ${detailText(needed)}`
}
