import type { Client, Token, WorkloadTrust } from '../../../../issuer/event.ts'
import { delegate, exchangeForTask, narrow } from '../../../../issuer/oauth/delegation.ts'
import { issueClientToken } from '../../../../issuer/oauth/tokens.ts'
import { refuse } from '../../../../issuer/refusal.ts'
import { peekJwt } from '../../../../signing/peek.ts'
import { verifyAssertion } from '../../../../signing/verify-assertion.ts'
import {
  accessTokenType,
  assertionAlgorithms,
  idTokenType,
  jwtTokenType,
} from '../../../../wire/index.ts'
import { issuersOf, namesOf } from '../../../origin/issuer-urls.ts'
import { answerWith } from '../../../refusals.ts'
import { letApproverAnswer } from '../../../tenant/scripted-approver.ts'
import type { TenantContext } from '../../../tenant/tenant-context.ts'
import { verifyForIssuer, verifyOwn } from '../access-token.ts'
import { clientOf, hasClientCredentials, keySetOf } from '../client-authentication.ts'
import { readIdToken } from '../id-token.ts'
import { audienceOf } from '../resource-indicators.ts'
import {
  failMissingField,
  type GrantHandler,
  type TokenCall,
  tokenResponse,
} from '../token-response.ts'

/**
 * Token exchange (RFC 8693), and the older JIT form with `jit_task_id`. With an `actor_token` the agent
 * gets a token to act for a user; a platform's token gives a workload its agent's token; any other
 * token is exchanged for a narrower one of the same subject.
 */
export const exchangeToken: GrantHandler = async (call) => {
  const { body, context, request } = call
  const subjectToken = body.subject_token ?? failMissingField('subject_token')
  const subjectType = body.subject_token_type ?? failMissingField('subject_token_type')
  refuseUnknownTypes(body)
  const client = await clientIfAny(call)
  if (isForeign(context, subjectToken, subjectType)) return authenticateWorkload(call, subjectToken)

  const subject = await subjectOf(context, subjectToken, subjectType)
  if (body.jit_task_id !== undefined) {
    // In the newer form this token is the bearer of a call to the issuer, so its audience must be the
    // issuer.
    await issuerTokenOf(context, subjectToken, 'subject_token')
    refuseOthersToken(client, subject)
    letApproverAnswer(context)
    const order = { subject, taskId: body.jit_task_id, scope: body.scope }
    const [{ token }] = context.tenant.run(exchangeForTask, order)
    return tokenResponse(context, token, request.path, toTokenType(body))
  }
  const takesOthers =
    body.actor_token !== undefined && context.tenant.state.dialect.unknown_resource !== 'refuse'
  const narrowing = {
    subject,
    scope: body.scope,
    audience: audienceOf(context, body, takesOthers),
    details: body.authorization_details,
  }
  if (body.actor_token === undefined) {
    if (subjectType === idTokenType) {
      // It authenticates the user to its client and authorizes no call (OpenID Connect Core §2).
      refuseExchangeToken(
        context,
        'subject_token',
        'expected an actor_token beside a subject_token that is an ID token',
      )
    }
    refuseOthersToken(client, subject)
    const [{ token }] = context.tenant.run(narrow, narrowing)
    return tokenResponse(context, token, request.path, toTokenType(body))
  }
  const actor = await issuerTokenOf(context, body.actor_token, 'actor_token')
  refuseOthersToken(client, actor)
  const [{ token }] = context.tenant.run(delegate, { ...narrowing, actor })
  return tokenResponse(context, token, request.path, toTokenType(body))
}

type Body = TokenCall['body']

const refuseUnknownTypes = (body: Body): void => {
  const { actor_token: actor, actor_token_type: actorType } = body
  if ((actor === undefined) !== (actorType === undefined)) {
    answerWith(400, 'invalid_request', 'expected actor_token and actor_token_type together')
  }
  const types = [accessTokenType, jwtTokenType, idTokenType]
  if (body.subject_token_type === 'urn:ietf:params:oauth:token-type:refresh_token') {
    answerWith(400, 'invalid_request', 'subject_token_type: a refresh token is not exchanged')
  }
  if (!types.includes(body.subject_token_type ?? '')) {
    answerWith(400, 'unsupported_token_type', `subject_token_type: expected ${types.join(', ')}`)
  }
  if (actorType !== undefined && actorType !== accessTokenType && actorType !== jwtTokenType) {
    answerWith(400, 'unsupported_token_type', `actor_token_type: expected ${accessTokenType}`)
  }
  const { requested_token_type: requested = accessTokenType } = body
  if (requested !== accessTokenType && requested !== jwtTokenType) {
    answerWith(400, 'invalid_request', `requested_token_type: expected ${accessTokenType}`)
  }
}

/** Access tokens are JWTs, so both token types are correct (RFC 8693 §3). */
const toTokenType = ({ requested_token_type: requested }: Body) => ({
  issued_token_type: requested ?? accessTokenType,
})

/**
 * The tokens authenticate the request; client credentials, when sent, must still be valid
 * (CONTRACT.md#token-exchange).
 */
const clientIfAny = async ({ context, request, body }: TokenCall): Promise<Client | undefined> => {
  const required = context.tenant.state.dialect.exchange_client_auth === 'required'
  return required || hasClientCredentials(request, body)
    ? clientOf(context, request, body)
    : undefined
}

const refuseOthersToken = (client: Client | undefined, { clientId }: Token): void => {
  if (client !== undefined && client.clientId !== clientId) {
    refuse({ error: 'invalid_grant', reason: 'the token was issued to another client' })
  }
}

/** A valid token of this issuer. The rules decide whether its subject is allowed. */
const accessTokenOf = async (
  context: TenantContext,
  text: string,
  name: string,
): Promise<Token> => {
  const live = await verifyOwn(context, text)
  return live?.token ?? refuseExchangeToken(context, name)
}

/** As `accessTokenOf`, for a token whose audience must be this issuer. */
const issuerTokenOf = async (
  context: TenantContext,
  text: string,
  name: string,
): Promise<Token> => {
  const live = await verifyForIssuer(context, text)
  return live?.token ?? refuseExchangeToken(context, name)
}

const subjectOf = async (context: TenantContext, text: string, type: string): Promise<Token> => {
  if (type !== idTokenType) return accessTokenOf(context, text, 'subject_token')
  const { state, clock } = context.tenant
  const read = await readIdToken(context, text)
  const record = read && state.grants.get(read.grantId)
  if (record === undefined || record.revoked) return refuseExchangeToken(context, 'subject_token')
  const { grant } = record
  return {
    jti: grant.id,
    kind: 'user',
    sub: grant.userId,
    userId: grant.userId,
    clientId: grant.clientId,
    scope: grant.scope,
    issuedAt: clock.now(),
    expiresAt: read?.expiresAt ?? 0,
    grantId: grant.id,
    ...(grant.audience === undefined ? {} : { audience: grant.audience }),
    ...(grant.details === undefined ? {} : { details: grant.details }),
    ...(grant.mayAct === undefined ? {} : { mayAct: grant.mayAct }),
  }
}

/** Whether a JWT belongs to a workload: its `iss` is not ours. The JWT is not yet verified. */
const isForeign = (context: TenantContext, text: string, type: string): boolean => {
  if (type !== jwtTokenType) return false
  const jwt = peekJwt(text)
  return jwt !== undefined && !issuersOf(context).includes(String(jwt.claims.iss))
}

/** The platform's token identifies the workload; the tenant maps the workload to an agent. */
const authenticateWorkload = async ({ context, body, request }: TokenCall, jwt: string) => {
  const { state, clock } = context.tenant
  const named = body.subject_issuer
  if (named === undefined && state.dialect.subject_issuer === 'required')
    failMissingField('subject_issuer')
  const trusted = state.workloads.filter(
    ({ provider }) => named === undefined || provider === named,
  )
  for (const trust of trusted) {
    const proof = await verifyWorkloadProof(context, trust, jwt)
    const agent = proof && state.agents.get(trust.agentId)
    if (agent === undefined) continue
    const [{ token }] = context.tenant.run(issueClientToken, {
      client: agent,
      scope: body.scope,
      audience: audienceOf(context, body),
      until: proof?.exp ?? clock.now(),
    })
    return tokenResponse(context, token, request.path, toTokenType(body))
  }
  return answerWith(
    401,
    'workload_identity_failed',
    'the platform token is not valid, or its workload is unknown',
    {},
    { 'www-authenticate': `Bearer realm="${context.tenant.slug}"` },
  )
}

export const verifyWorkloadProof = (
  context: TenantContext,
  { keys, issuer, subject }: WorkloadTrust,
  jwt: string,
) =>
  verifyAssertion(jwt, {
    keys: keySetOf(keys),
    algorithms: assertionAlgorithms,
    issuers: [issuer],
    subject,
    audiences: [...issuersOf(context), ...namesOf(context.origins, 'issuer')],
    now: context.tenant.clock.now(),
    longest: 86_400,
  }).catch(() => undefined)

const refuseExchangeToken = (
  { tenant }: TenantContext,
  name: string,
  why = 'it is malformed, expired, revoked, or not of this issuer',
) =>
  refuse({
    error: 'bad_exchange_token',
    as: tenant.state.dialect.exchange_bad_token,
    reason: `${name}: ${why}`,
  })
