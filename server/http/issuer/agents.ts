import { ask, scopesIn, toolFor } from '../../issuer/capability-check.ts'
import { registerAgent } from '../../issuer/oauth/registration.ts'
import { issueClientToken } from '../../issuer/oauth/tokens.ts'
import { hashSecret } from '../../signing/secrets.ts'
import { AuthorizationDetail } from '../../wire/index.ts'
import { isoTime } from '../iso-time.ts'
import { type Handlers, ok } from '../message.ts'
import { basePath } from '../origin/issuer-urls.ts'
import { answerWith } from '../refusals.ts'
import type { IssuerContext } from './context.ts'
import { newSecret } from './new-secret.ts'
import { refuseKeyOfNoAgent } from './oauth/bearer.ts'
import { verifyWorkloadProof } from './oauth/grants/token-exchange.ts'
import { tokenResponse } from './oauth/token-response.ts'

export const agentHandlers: Handlers<
  'agents.me' | 'agents.ask' | 'agents.register' | 'agents.attest' | 'agents.mcp.authorize',
  IssuerContext
> = {
  'agents.me': ({ context, principal, request }) => {
    const { tenant } = context
    const { agent, claims, user, isKey } = principal()
    const workspace = { slug: tenant.slug, api_base: `${basePath(tenant.slug, request.path)}/` }
    if (agent === undefined) {
      if (isKey) return refuseKeyOfNoAgent(context)
      if (user === undefined) {
        return answerWith(403, 'agent_required', 'expected the token of an agent')
      }
      const identity = { id: user.id, type: 'user', tenant: tenant.slug }
      return ok({ identity, capabilities: [], workspace })
    }
    const { id, name, capabilities } = agent
    const { agents_me: form } = tenant.state.dialect
    const spec = {
      identity: {
        id: `agent:${name}`,
        type: 'agent',
        tenant: tenant.slug,
        agent_id: id,
        status: 'active',
      },
      capabilities,
      workspace,
    }
    const docs = {
      agent_id: id,
      name,
      scopes: (claims.scope ?? '').split(' ').filter((it) => it !== ''),
      expires_at: isoTime(claims.exp),
      ...(user === undefined ? {} : { delegated_by: user.id }),
    }
    return ok({ ...(form === 'docs' ? {} : spec), ...(form === 'spec' ? {} : docs) })
  },

  'agents.ask': ({ context: { tenant }, agent, body }) => {
    const { action, question, context } = body
    const [{ allowed, reason, auditId }] = tenant.run(ask, {
      agent: agent(),
      action,
      question,
      context,
    })
    const required = action === undefined ? scopesIn(question ?? '', agent()) : [action]
    const { ask_answer: form } = tenant.state.dialect
    return ok({
      allowed,
      ...(form === 'question'
        ? {}
        : {
            action: action ?? question,
            context: underPep(context),
            reason,
            decided_by: AuthorizationDetail.safeParse(context?.authorization_details).success
              ? 'policy'
              : 'capability',
          }),
      ...(form === 'action'
        ? {}
        : {
            explanation: reason,
            // Looks for the name of a capability in the question. A question without one is not
            // allowed.
            confidence: required.length === 0 ? 0 : 1,
            required_scopes: required,
          }),
      audit_id: auditId,
    })
  },

  'agents.register': ({ context, principal, body }) => {
    const { tenant } = context
    const { agent, user, agentHeld, permissions } = principal()
    const secret = newSecret(context, 'secret')
    const [{ agent: registered }] = tenant.run(registerAgent, {
      by: agentHeld ? { agent } : { user: user && { ...user, permissions } },
      name: body.name,
      clientId: body.client_id,
      secretHash: hashSecret(secret),
      capabilities: body.capabilities,
    })
    return {
      status: registered.id === agent?.id ? 200 : Number(tenant.state.dialect.register_status),
      headers: { 'cache-control': 'no-store', pragma: 'no-cache' },
      body: {
        success: true,
        agent_id: registered.id,
        client_id: registered.clientId,
        ...(registered.id === agent?.id ? {} : { client_secret: secret }),
        name: body.name,
        workload_identity: `agent:${registered.name}`,
        status: 'active',
        capabilities: registered.capabilities,
      },
    }
  },

  'agents.attest': async ({ context, params, body, request }) => {
    const { tenant } = context
    const { agentId = '' } = params
    const agent = [...tenant.state.agents.values()].find((it) =>
      [it.id, it.clientId, it.name].includes(agentId),
    )
    for (const trust of tenant.state.workloads) {
      if (agent === undefined || trust.agentId !== agent.id) continue
      const proof = await verifyWorkloadProof(context, trust, body.attestation_token)
      if (proof === undefined) continue
      const [{ token }] = tenant.run(issueClientToken, { client: agent, until: proof.exp })
      const answer = await tokenResponse(context, token, request.path)
      const { provider, subject, issuer } = trust
      const identity = { provider, subject, issuer, audience_generic: false }
      return { ...answer, body: { scope: '', ...(answer.body as object), identity } }
    }
    // The same for an unknown agent, one without a workload and a bad token.
    return answerWith(
      401,
      'invalid_attestation',
      'the attestation token is not valid for this agent',
      {},
      { 'www-authenticate': `Bearer realm="${tenant.slug}"` },
    )
  },

  'agents.mcp.authorize': ({ context: { tenant }, agent, body }) => {
    const { server_id: serverId, tool } = body
    const uri =
      toolFor(tenant.state, agent(), serverId, tool) ??
      answerWith(403, 'capability_denied', `the agent has no grant for ${tool} at ${serverId}`)
    return ok({ allowed: true, agent_id: agent().id, resource: { uri, server_id: serverId, tool } })
  },
}

/** What a caller says of its own request counts as told by the enforcement point, under `pep` (README of lumoauth 1.1.0). */
const underPep = (context: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => {
  const entries = Object.entries(context)
  const told = entries.filter(([name]) => pepMembers.includes(name))
  const others = Object.fromEntries(entries.filter(([name]) => !pepMembers.includes(name)))
  return told.length === 0 ? others : { ...others, pep: Object.fromEntries(told) }
}

const pepMembers = ['ip', 'userAgent', 'requestMethod', 'requestPath']
