import type { IssuerRoute } from '../../wire/index.ts'
import type { Area } from '../core.ts'
import type { Handlers } from '../message.ts'
import { aauthHandlers, adminHandlers } from './aauth.ts'
import { agentHandlers } from './agents.ts'
import { approvalHandlers } from './approvals.ts'
import { approverHandlers } from './approvers.ts'
import { type IssuerContext, issuerContext } from './context.ts'
import { mcpHandlers } from './mcp.ts'
import { discoveryHandlers } from './oauth/discovery.ts'
import { oauthHandlers } from './oauth/handlers.ts'
import { permissionHandlers } from './permissions.ts'
import { requestHandlers } from './requests.ts'
import { signalHandlers } from './signals.ts'
import { taskHandlers } from './tasks.ts'
import { tokenVaultHandlers } from './token-vault.ts'

const issuerHandlers: Handlers<IssuerRoute, IssuerContext> = {
  ...oauthHandlers,
  ...discoveryHandlers,
  ...taskHandlers,
  ...requestHandlers,
  ...approverHandlers,
  ...agentHandlers,
  ...approvalHandlers,
  ...permissionHandlers,
  ...signalHandlers,
  ...aauthHandlers,
  ...adminHandlers,
  ...tokenVaultHandlers,
  ...mcpHandlers,
}

/** The issuer: everything below `/t/TENANT/api/v1` and `/orgs/TENANT/api/v1`. */
export const issuerArea: Area<IssuerRoute, IssuerContext> = {
  handlers: issuerHandlers,
  authenticate: issuerContext,
}
