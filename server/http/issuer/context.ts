import type { Agent } from '../../issuer/event.ts'
import { refuse } from '../../issuer/refusal.ts'
import type { IssuerRoute } from '../../wire/index.ts'
import type { Routed } from '../core.ts'
import { refuseUnknownTenant } from '../refusals.ts'
import type { TenantContext } from '../tenant/tenant-context.ts'
import { agentBearer, bearer, type Principal } from './oauth/bearer.ts'

/** The context of every handler of the issuer. */
export type IssuerContext = Readonly<{
  context: TenantContext
  /** The bearer; undefined on routes without authentication. */
  caller: Principal | undefined
  /** The bearer, on routes that require one. */
  principal: () => Principal
  /** The agent, on routes that require one. */
  agent: () => Agent
}>

/** Authenticates the bearer. An unknown tenant gets 404, with or without credentials. */
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
      ? await agentBearer(context, request, route.jitToken)
      : route.auth === 'bearer'
        ? await bearer(context, request)
        : undefined
  if (caller?.jitTaskId !== undefined) refuseOtherTask(context, caller.jitTaskId, params)
  const principal = () => caller ?? failMissingPrincipal()
  return { context, caller, principal, agent: () => principal().agent ?? failMissingPrincipal() }
}

/** A JIT token authenticates for its own task, and for the requests in it. */
const refuseOtherTask = (
  { tenant }: TenantContext,
  own: string,
  { taskId, requestId = '' }: Readonly<Record<string, string>>,
): void => {
  const asked = taskId ?? tenant.state.requests.get(requestId)?.request.taskId
  if (asked === own) return
  refuse({ error: 'task_forbidden', taskId: asked ?? requestId, tokenTaskId: own })
}

const failMissingPrincipal = (): never => {
  throw new Error('the handler requires a bearer, but the route has auth: none')
}
