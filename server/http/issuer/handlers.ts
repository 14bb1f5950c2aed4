import type { Agent } from '../../issuer/event.ts'
import type { IssuerRoute } from '../../wire/index.ts'
import type { Area, Routed } from '../core.ts'
import type { Handlers } from '../message.ts'
import { answerWith } from '../refusals.ts'
import type { TenantContext } from '../tenant-context.ts'
import { aauthHandlers } from './aauth.ts'
import { agentHandlers } from './agents.ts'
import { approvalHandlers } from './approvals.ts'
import { jitHandlers } from './jit.ts'
import { mcpHandlers } from './mcp.ts'
import { agentBearer, bearer, type Principal } from './oauth/bearer.ts'
import { discoveryHandlers } from './oauth/discovery.ts'
import { oauthHandlers } from './oauth/handlers.ts'
import { permissionHandlers } from './permissions.ts'
import { signalHandlers } from './signals.ts'

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
    return answerWith(404, 'tenant_not_found', `there is no tenant ${slug} here`)
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

const issuerHandlers: Handlers<IssuerRoute, IssuerContext> = {
  ...oauthHandlers,
  ...discoveryHandlers,
  ...jitHandlers,
  ...agentHandlers,
  ...approvalHandlers,
  ...permissionHandlers,
  ...signalHandlers,
  ...aauthHandlers,
  ...mcpHandlers,
}

/** The issuer: everything below `/t/TENANT/api/v1` and `/orgs/TENANT/api/v1`. */
export const issuerArea: Area<IssuerRoute, IssuerContext> = {
  handlers: issuerHandlers,
  authenticate: issuerContext,
}
