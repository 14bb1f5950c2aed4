import type { IssuerContext } from './issuer.ts'
import { type Handlers, ok } from './message.ts'

export const agentHandlers: Handlers<'oauth.userinfo', IssuerContext> = {
  'oauth.userinfo': ({ tenancy, principal }) => {
    const { agent, user } = principal()
    const { slug } = tenancy.tenant
    if (user !== undefined) {
      const { id: sub, name, email } = user
      return ok({ sub, name, email, email_verified: true, tenant: slug })
    }
    return ok({
      sub: `agent:${agent?.name}`,
      name: agent?.name,
      agent_id: agent?.id,
      identity_type: 'agent',
      capabilities: agent?.capabilities,
      budget_policy: {},
      tenant: slug,
    })
  },
}
