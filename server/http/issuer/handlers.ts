import type { IssuerRoute } from '../../wire/index.ts'
import type { Area } from '../core.ts'
import type { Handlers } from '../message.ts'
import { aauthHandlers } from './aauth.ts'
import { agentHandlers } from './agents.ts'
import { approvalHandlers } from './approvals.ts'
import { type IssuerContext, issuerContext } from './context.ts'
import { jitHandlers } from './jit.ts'
import { mcpHandlers } from './mcp.ts'
import { discoveryHandlers } from './oauth/discovery.ts'
import { oauthHandlers } from './oauth/handlers.ts'
import { permissionHandlers } from './permissions.ts'
import { signalHandlers } from './signals.ts'

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
