import type { Agent } from '../../issuer/event.ts'
import { answerWith } from '../refusals.ts'
import type { TenantContext } from '../tenant/tenant-context.ts'

/**
 * Finds an agent by name, id or client id. Default: the first agent.
 * @throws {HttpError} 400
 */
export const agentNamed = (
  { tenant: { state } }: Pick<TenantContext, 'tenant'>,
  name: string | undefined,
): Agent =>
  [...state.agents.values()].find((agent) =>
    name === undefined
      ? !agent.resourceServer
      : [agent.name, agent.id, agent.clientId].includes(name),
  ) ?? answerWith(400, 'invalid_request', 'agent: expected the name of an agent of this tenant')
