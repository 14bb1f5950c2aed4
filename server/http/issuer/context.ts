import type { Agent } from '../../issuer/event.ts'
import { refuse } from '../../issuer/refusal.ts'
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
      ? await agentBearer(context, request, route.jitToken)
      : route.auth === 'bearer'
        ? await bearer(context, request)
        : undefined
  if (caller?.jitTaskId !== undefined) refuseOtherTask(context, caller.jitTaskId, params)
  const principal = () => caller ?? failMissingPrincipal()
  return { context, caller, principal, agent: () => principal().agent ?? failMissingPrincipal() }
}

/** A JIT token authenticates for its own task, and for the requests made in it. */
const refuseOtherTask = (
  { tenant }: TenantContext,
  own: string,
  { taskId, requestId = '' }: Readonly<Record<string, string>>,
): void => {
  const asked = taskId ?? tenant.state.requests.get(requestId)?.request.taskId
  if (asked !== own) refuse({ error: 'task_forbidden', taskId: asked ?? requestId })
}

const failMissingPrincipal = (): never => {
  throw new Error('the route asks for nobody, but its handler does')
}
