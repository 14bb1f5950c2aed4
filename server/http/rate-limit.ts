import { createHash } from 'node:crypto'
import type { RateLimits, RouteName } from '../wire/index.ts'
import { errorAnswer } from './errors.ts'
import type { Answer, HttpRequest } from './message.ts'
import type { Tenancy } from './tenancy.ts'

/** Callers counted apart in one window; those beyond share a count. */
const most = 10_000

type Window = { start: number; counts: Map<string, number> }

/** How often each caller has come, by group of routes, in windows of the tenant's clock. */
export class Visits {
  readonly #windows = new Map<keyof RateLimits, Window>()

  /** Counts one visit more. @returns which of the window it is */
  count(group: keyof RateLimits, caller: string, start: number): number {
    const known = this.#windows.get(group)
    const window = known?.start === start ? known : { start, counts: new Map<string, number>() }
    this.#windows.set(group, window)
    const { counts } = window
    const key = counts.has(caller) || counts.size < most ? caller : 'the rest'
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    return count
  }
}

/**
 * The answer, with what is left of the caller's rate in its headers; 429 where nothing is. Without
 * a limit for the group nothing is counted and no header is sent (contract §5.6).
 */
export const limited = async (
  { tenant, visits }: Tenancy,
  route: RouteName,
  request: HttpRequest,
  answer: () => Promise<Answer>,
): Promise<Answer> => {
  const group = groupOf(route)
  const rule = tenant.state.limits[group]
  if (rule === undefined) return answer()
  const { limit, window } = rule
  const now = tenant.clock.now()
  const start = now - (now % window)
  const count = visits.count(group, callerOf(request), start)
  const reset = start + window
  const headers = {
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(Math.max(0, limit - count)),
    'x-ratelimit-reset': String(reset),
  }
  if (count <= limit) {
    const answered = await answer()
    return { ...answered, headers: { ...answered.headers, ...headers } }
  }
  const wait = reset - now
  return errorAnswer(
    429,
    tenant.state.dialect.rate_limited,
    `no more than ${limit} calls in ${window} seconds`,
    { retry_after: wait },
    { ...headers, 'retry-after': String(wait) },
  )
}

const groupOf = (route: RouteName): keyof RateLimits => {
  if (route === 'oauth.token') return 'token'
  if (route === 'oauth.introspect') return 'introspect'
  if (route === 'oauth.authorize') return 'authorize'
  return route.startsWith('jit.') ? 'jit' : 'api'
}

/** By what the request says of itself, unverified: a limit protects before anything is looked up. */
const callerOf = ({ headers, body }: HttpRequest): string => {
  const credentials = headers.authorization ?? headers['x-api-key']
  const said = credentials ?? /(?:^|&)client_id=([^&]*)/.exec(body)?.[1] ?? ''
  return createHash('sha256').update(said).digest('base64url')
}
