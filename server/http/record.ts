import type { Routed, Step } from './core.ts'

/**
 * Records what went over the wire at issuer and API, as the client saw it. The control plane is not
 * recorded: it is the harness itself that is asked there.
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
