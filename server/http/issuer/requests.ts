import { scopeDetail } from '../../issuer/oauth/scopes.ts'
import { refuse } from '../../issuer/refusal.ts'
import { exchangeRequest, requestPermission, requireOwnRequest } from '../../issuer/requests.ts'
import {
  type AuthorizationDetail,
  accessTokenType,
  type RequestPermission,
} from '../../wire/index.ts'
import { type Handlers, ok } from '../message.ts'
import { issuersOf, namesOf } from '../origin/issuer-urls.ts'
import { answerWith } from '../refusals.ts'
import { letApproverAnswer } from '../tenant/scripted-approver.ts'
import type { TenantContext } from '../tenant/tenant-context.ts'
import type { IssuerContext } from './context.ts'
import { accessToken } from './oauth/access-token.ts'
import { audienceOf } from './oauth/resource-indicators.ts'
import { isPending, toAgentView } from './request-views.ts'

/** Routes with which agents make permission requests, poll them, and exchange them. */
export const requestHandlers: Handlers<
  'jit.request' | 'jit.request.status' | 'jit.request.token',
  IssuerContext
> = {
  'jit.request': ({ context, agent, body, request }) => {
    const { tenant, outbound } = context
    const objection = body.callback_url && outbound.objection(body.callback_url)
    if (objection) answerWith(400, 'invalid_request', `callback_url: ${objection}`)
    const [{ request: made }] = tenant.run(requestPermission, {
      agentId: agent().id,
      taskId: body.task_id,
      detail: detailOf(body),
      justification: body.justification,
      requestedTtl: body.requested_ttl,
      callbackUrl: body.callback_url,
    })
    const seen = toAgentView(context, made.id, request.path)
    const status = seen.status === 'pending' ? Number(tenant.state.dialect.pending_status) : 201
    return { status, body: seen }
  },

  'jit.request.status': ({ context, agent, params, request }) => {
    const { requestId = '' } = params
    const { tenant, polls } = context
    requireOwnRequest(tenant.state, requestId, agent().id)
    refuseFasterThanInterval(context, requestId)
    letApproverAnswer(context)
    polls.note(requestId, isPending(context, requestId), tenant.clock.now())
    return ok(toAgentView(context, requestId, request.path))
  },

  'jit.request.token': async ({ context, agent, params, request, body }) => {
    const { requestId = '' } = params
    const { tenant } = context
    letApproverAnswer(context)
    const { request: own } = requireOwnRequest(tenant.state, requestId, agent().id)
    const [{ token }] = tenant.run(exchangeRequest, {
      requestId,
      agentId: agent().id,
      audience: jitAudienceOf(context, own.detail, body.resource),
    })
    return {
      status: 200,
      headers: { 'cache-control': 'no-store', pragma: 'no-cache' },
      body: {
        access_token: await accessToken(context, token, request.path),
        token_type: 'Bearer',
        expires_in: token.expiresAt - token.issuedAt,
        issued_token_type: accessTokenType,
        authorization_details: [token.detail],
        task_id: token.taskId,
        jit_request_id: token.requestId,
      },
    }
  },
}

const detailOf = ({ authorization_details, scope = '' }: RequestPermission): AuthorizationDetail =>
  authorization_details ?? scopeDetail(scope.split(' ').filter((it) => it !== ''))

/**
 * The audience of a JIT token: those locations of its detail, or those known resource servers, that the
 * agent names.
 * @throws {Refused} `invalid_target` for any other audience, including the issuer
 */
const jitAudienceOf = (
  context: TenantContext,
  { locations = [] }: AuthorizationDetail,
  resource: readonly string[] | undefined,
): readonly string[] | undefined => {
  if (resource === undefined) return undefined
  const places = locations.flatMap((place) => URL.parse(place)?.origin ?? [])
  const names = places.length > 0 ? resource : audienceOf(context, { resource })?.names
  const isUsable = (name: string) =>
    places.length > 0
      ? places.includes(URL.parse(name)?.origin ?? '')
      : ![...issuersOf(context), ...namesOf(context.origins, 'issuer')].includes(name)
  if (names?.every(isUsable)) return names
  return refuse({
    error: 'invalid_target',
    reason: `resource: expected ${places.join(' or ') || 'a resource server'}`,
  })
}

/** RFC 8628 §3.5, if the dialect `slow_down` is on. */
const refuseFasterThanInterval = (context: TenantContext, requestId: string) => {
  const { tenant, polls } = context
  const before = polls.get(requestId)
  if (tenant.state.dialect.slow_down === 'off' || before === undefined) return
  const { poll_interval: interval } = tenant.state.policy
  const isFast = tenant.clock.now() < before.lastAt + interval
  if (isFast && isPending(context, requestId)) refuse({ error: 'slow_down', interval })
}
