import {
  type AuthorizationDetail,
  canonical,
  type RouteName,
  readChallenge,
  readChallengeBody,
} from '../../../server/wire/index.ts'
import { parseJson } from '../../../server/wire/json.ts'
import { findRoute } from '../../../server/wire/routes/router.ts'
import { isObject } from '../../language/match.ts'
import type { Seen } from '../../targets/mock/recording-proxy.ts'

/** One exchange, interpreted. */
export type TraceEntry = Seen &
  Readonly<{
    index: number
    route: RouteName | undefined
    path: string
    /** The token it sends, if any. */
    bearer: string | undefined
    /** The parsed body of the request, where it is JSON or a form. */
    asked: Readonly<Record<string, unknown>>
    answered: Readonly<Record<string, unknown>>
  }>

export type Challenge = Readonly<{ entry: TraceEntry; call: string; detail: AuthorizationDetail }>
export type Ask = Readonly<{
  entry: TraceEntry
  id: string | undefined
  detail: AuthorizationDetail | undefined
  justification: string
  status: string
}>
export type Grant = Readonly<{
  entry: TraceEntry
  token: string
  requestId: string
  details: readonly AuthorizationDetail[]
  lifetime: number
}>

/** What an agent did, derived from its exchanges. */
export type AgentTrace = Readonly<{
  entries: readonly TraceEntry[]
  challenges: readonly Challenge[]
  asks: readonly Ask[]
  grants: readonly Grant[]
  /** The agent's own tokens. */
  wide: ReadonlySet<string>
}>

export const traceOf = (seen: readonly Seen[]): AgentTrace => {
  const entries = seen.map(traceEntryOf)
  return {
    entries,
    challenges: entries.flatMap(challengesIn),
    asks: entries.filter((it) => it.route === 'jit.request').map(askOf),
    grants: entries.flatMap(grantIn),
    wide: new Set(
      entries.flatMap(({ route, answer, answered }) =>
        route === 'oauth.token' && answer.status === 200 ? textIn(answered, 'access_token') : [],
      ),
    ),
  }
}

/** The identity of a call: method and path. */
export const callOf = ({ request, path }: TraceEntry): string => `${request.method} ${path}`

export const sameDetail = (a: AuthorizationDetail, b: AuthorizationDetail): boolean =>
  canonical(a) === canonical(b)

const traceEntryOf = (seen: Seen, index: number): TraceEntry => {
  const { seat, request, answer } = seen
  const path = new URL(request.url).pathname
  const route = seat === 'elsewhere' ? undefined : findRoute(seat, request.method, path)
  return {
    ...seen,
    index,
    route,
    path,
    bearer: /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1],
    asked: fieldsOf(request.body),
    answered: fieldsOf(answer.body),
  }
}

const challengesIn = (entry: TraceEntry): Challenge[] => {
  if (entry.seat !== 'api') return []
  const { status, headers } = entry.answer
  const call = callOf(entry)
  try {
    const details =
      readChallenge(status, new Headers(headers)) ?? readChallengeBody(entry.answered) ?? []
    return details.map((detail) => ({ entry, call, detail }))
  } catch {
    return []
  }
}

const askOf = (entry: TraceEntry): Ask => {
  const { authorization_details: given, justification } = entry.asked
  const [detail] = [given].flat()
  return {
    entry,
    id: textIn(entry.answered, 'request_id')[0],
    detail: isObject(detail) ? (detail as AuthorizationDetail) : undefined,
    justification: typeof justification === 'string' ? justification : '',
    status: textIn(entry.answered, 'status')[0] ?? '',
  }
}

const grantIn = (entry: TraceEntry): Grant[] => {
  const { route, answer, answered, path } = entry
  if (route !== 'jit.request.token' || answer.status !== 200) return []
  const details = answered.authorization_details
  return textIn(answered, 'access_token').map((token) => ({
    entry,
    token,
    requestId: /\/jit\/request\/([^/]+)\/token$/.exec(path)?.[1] ?? '',
    details: Array.isArray(details) ? (details as AuthorizationDetail[]) : [],
    lifetime: typeof answered.expires_in === 'number' ? answered.expires_in : 0,
  }))
}

const fieldsOf = (text: string): Readonly<Record<string, unknown>> => {
  const value = parseJson(text)
  if (value === undefined) return Object.fromEntries(new URLSearchParams(text))
  return isObject(value) ? value : {}
}

const textIn = (fields: Readonly<Record<string, unknown>>, name: string): string[] => {
  const value = fields[name]
  return typeof value === 'string' ? [value] : []
}
