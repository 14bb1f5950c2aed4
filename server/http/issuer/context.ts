import type { Agent } from '../../issuer/event.ts'
import type { IssuerRoute } from '../../wire/index.ts'
import type { Routed } from '../core.ts'
import { refuseUnknownTenant } from '../refusals.ts'
import type { TenantContext } from '../tenant-context.ts'
import { agentBearer, bearer, type Principal } from './oauth/bearer.ts'

/** What every handler of the issuer knows beside its call. */
export type IssuerContext = Readonly<{
  context: TenantContext
  /** The bearer; undefined on routes that want none. */
  caller: Principal | undefined
  /** The bearer, on routes that want one. */
  principal: () => Principal
  /** The agent that asks, on routes that want one. */
  agent: () => Agent
}>

/** Authenticates the bearer. An unknown tenant is a 404, with credentials or without. */
export const issuerContext = async ({
  context,
  route,
  request,
  params,
}: Pick<
  Routed<IssuerRoute>,
  'context' | 'route' | 'request' | 'params'
>): Promise<IssuerContext> => {
  if (context === undefined) {
    const { tenant: slug = 'named' } = params
    return refuseUnknownTenant(slug)
  }
  const caller =
    route.auth === 'agent'
      ? await agentBearer(context, request)
      : route.auth === 'bearer'
        ? await bearer(context, request)
        : undefined
  const principal = () => caller ?? failMissingPrincipal()
  return { context, caller, principal, agent: () => principal().agent ?? failMissingPrincipal() }
}

const failMissingPrincipal = (): never => {
  throw new Error('the route asks for nobody, but its handler does')
}
