import type { Routed, Step } from './core.ts'

/**
 * Records the requests and answers of issuer and API, as the client sees them. Does not record the
 * control plane.
 */
export const recordExchange: Step<Routed> = async (routed, next) => {
  const { context, name, request, route } = routed
  if (context === undefined || route.seat === 'control') return next(routed)
  const { journal, clock } = context.tenant
  const before = journal.last
  const answer = await next(routed)
  const meanwhile = [before, journal.last] as const
  context.exchanges.record({
    at: clock.now(),
    seat: route.seat,
    route: name,
    request,
    answer,
    meanwhile,
  })
  return answer
}
