import type { Tenant } from '../issuer/tenant.ts'
import type { RateLimits, RouteName } from '../wire/index.ts'
import { claimedClientId } from './claimed-client.ts'
import type { Next, Routed, Step } from './core.ts'
import { errorAnswer } from './errors.ts'
import type { Answer } from './message.ts'
import type { TenantContext } from './tenant/tenant-context.ts'

/**
 * Counts the call for its caller. Answers 429 over the limit; otherwise headers give the remaining
 * calls. For a group without a limit nothing is counted and no header is sent
 * (CONTRACT.md#rate-limits).
 */
export const limitRate: Step<Routed> = (routed, next) => {
  const { context, name, route } = routed
  const rule = context?.tenant.state.limits[groupOf(name)]
  return context === undefined || route.seat !== 'issuer' || rule === undefined
    ? next(routed)
    : limitBy(rule, context, routed, next)
}

const limitBy = async (
  { limit, window }: Readonly<{ limit: number; window: number }>,
  { tenant, visits }: TenantContext,
  routed: Routed,
  next: Next<Routed>,
): Promise<Answer> => {
  const group = groupOf(routed.name)
  const now = tenant.clock.now()
  const start = now - (now % window)
  const count = visits.count(group, callerOf(tenant, routed), start)
  const reset = start + window
  const headers = {
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(Math.max(0, limit - count)),
    'x-ratelimit-reset': String(reset),
  }
  if (count <= limit) {
    const answer = await next(routed)
    return { ...answer, headers: { ...answer.headers, ...headers } }
  }
  const wait = reset - now
  return errorAnswer(
    429,
    tenant.state.dialect.rate_limited,
    `rate limit exceeded: at most ${limit} calls in ${window} seconds`,
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

/**
 * The key of a caller: the authenticated caller, else the client named in the request. Requests that
 * name no client of the tenant share one count, so invented names have no effect.
 */
const callerOf = ({ state }: Tenant, { authentication, request }: Routed): string => {
  const caller =
    authentication && 'value' in authentication
      ? (authentication.value as Authenticated).caller
      : undefined
  if (caller !== undefined) return `${caller.claims.client_id} ${caller.claims.sub}`
  const clientId = claimedClientId(request)
  if (clientId === undefined) return 'anonymous'
  return state.clients.has(clientId) ? clientId : 'unknown'
}

/** Result of authentication at the issuer, if it identifies the caller. */
type Authenticated = Readonly<{
  caller?: Readonly<{ claims: Readonly<{ client_id: string; sub: string }> }>
}>
