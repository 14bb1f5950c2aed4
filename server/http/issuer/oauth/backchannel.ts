import { isAddressee } from '../../../issuer/approvals.ts'
import { isAgent, mayUse } from '../../../issuer/oauth/clients.ts'
import { refuse } from '../../../issuer/refusal.ts'
import { exchangeRequest, requestPermission, requireOwnRequest } from '../../../issuer/requests.ts'
import { openTask } from '../../../issuer/tasks.ts'
import { accessTokenType, cibaGrant } from '../../../wire/index.ts'
import { type Handlers, ok } from '../../message.ts'
import { answerWith } from '../../refusals.ts'
import { letApproverAnswer } from '../../tenant/scripted-approver.ts'
import type { IssuerContext } from '../context.ts'
import { toAgentView } from '../request-views.ts'
import { clientOf, refuseSecretsInUri } from './client-authentication.ts'
import { failMissingField, type GrantHandler, noStore, tokenResponse } from './token-response.ts'

/** Agent-initiated CIBA: opens a task with one permission request, which the token endpoint polls. */
export const backchannelHandlers: Handlers<'oauth.backchannel', IssuerContext> = {
  'oauth.backchannel': async ({ context, request, body }) => {
    refuseSecretsInUri(request)
    const { tenant } = context
    const client = await clientOf(context, request, body)
    mayUse(tenant.state, client, cibaGrant)
    if (!isAgent(client)) {
      return answerWith(400, 'unauthorized_client', 'expected a client that is an agent')
    }
    const { login_hint: hint, authorization_details: details, requested_expiry: expiry } = body
    const [detail, ...others] = details ?? []
    if (detail === undefined || others.length > 0) {
      return answerWith(
        400,
        'invalid_authorization_details',
        'authorization_details: expected one; sign-in by CIBA is not part of this harness',
      )
    }
    const ttl = expiry === undefined ? undefined : Number(expiry)
    if (ttl !== undefined && !(Number.isInteger(ttl) && ttl > 0)) {
      answerWith(400, 'invalid_request', 'requested_expiry: expected whole seconds, at least 1')
    }
    const user = hint ?? failMissingField('login_hint')
    if (!isAddressee(tenant.state, client.id, user)) {
      return answerWith(400, 'unknown_user_id', 'login_hint: expected a user of this tenant')
    }
    const [{ task }] = tenant.run(openTask, {
      agentId: client.id,
      name: body.binding_message ?? 'CIBA',
      onBehalfOf: user,
    })
    const [{ request: made }] = tenant.run(requestPermission, {
      agentId: client.id,
      taskId: task.id,
      detail,
      justification: body.binding_message,
      requestedTtl: ttl,
    })
    return {
      ...ok({
        auth_req_id: made.id,
        expires_in: Math.max(1, Math.round(made.expiresAt - tenant.clock.now())),
        interval: tenant.state.policy.poll_interval,
      }),
      headers: noStore,
    }
  },
}

/** CIBA Core §11: the approved token, or the error code while there is none. */
export const backchannelGrant: GrantHandler = async ({ context, request, body }) => {
  const { tenant } = context
  const client = await clientOf(context, request, body)
  mayUse(tenant.state, client, cibaGrant)
  const requestId = body.auth_req_id ?? failMissingField('auth_req_id')
  const unknown = () =>
    refuse({ error: 'invalid_grant', reason: 'auth_req_id: it is unknown, or of another client' })
  if (!isAgent(client) || tenant.state.requests.get(requestId)?.request.agentId !== client.id) {
    return unknown()
  }
  letApproverAnswer(context)
  requireOwnRequest(tenant.state, requestId, client.id)
  const { status } = toAgentView(context, requestId, request.path)
  if (status === 'pending') {
    return answerWith(400, 'authorization_pending', 'the person has not answered yet')
  }
  if (status === 'denied') return answerWith(400, 'access_denied', 'the person has denied it')
  if (status !== 'approved') return answerWith(400, 'expired_token', `the request is ${status}`)
  const [{ token }] = tenant.run(exchangeRequest, { requestId, agentId: client.id })
  return tokenResponse(context, token, request.path, {
    issued_token_type: accessTokenType,
    authorization_details: token.detail === undefined ? [] : [token.detail],
    task_id: token.taskId,
    jit_request_id: token.requestId,
  })
}
