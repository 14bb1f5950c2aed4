import type { Agent } from '../issuer/event.ts'
import type { IssuerRoute } from '../wire/index.ts'
import { aauthHandlers } from './aauth.ts'
import { agentHandlers } from './agents.ts'
import { approvalHandlers } from './approvals.ts'
import { agentBearer, bearer, type Principal } from './authenticate.ts'
import type { Routed } from './core.ts'
import { discoveryHandlers } from './discovery.ts'
import { jitHandlers } from './jit.ts'
import { mcpHandlers } from './mcp.ts'
import type { Handlers } from './message.ts'
import { oauthHandlers } from './oauth.ts'
import { permissionHandlers } from './permissions.ts'
import { answerWith } from './refusals.ts'
import { signalHandlers } from './signals.ts'
import type { Tenancy } from './tenancy.ts'

/** What every handler of the issuer knows beside its call. */
export type IssuerContext = Readonly<{
  tenancy: Tenancy
  /** The bearer, on routes that want one. */
  principal: () => Principal
  /** The agent that asks, on routes that want one. */
  agent: () => Agent
}>

/** Finds the tenant, then the bearer. An unknown tenant is a 404 whoever asks. */
export const openIssuer =
  (find: (call: Pick<Routed<IssuerRoute>, 'request' | 'params'>) => Tenancy | undefined) =>
  async ({ route, request, params }: Routed<IssuerRoute>): Promise<IssuerContext> => {
    const { tenant: slug = 'named' } = params
    const tenancy =
      find({ request, params }) ??
      answerWith(404, 'tenant_not_found', `there is no tenant ${slug} here`)
    const authenticated =
      route.auth === 'agent'
        ? await agentBearer(tenancy, request)
        : route.auth === 'bearer'
          ? await bearer(tenancy, request)
          : undefined
    const principal = () => authenticated ?? missing()
    return { tenancy, principal, agent: () => principal().agent ?? missing() }
  }

const missing = (): never => {
  throw new Error('the route asks for nobody, but its handler does')
}

export const issuerHandlers: Handlers<IssuerRoute, IssuerContext> = {
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
