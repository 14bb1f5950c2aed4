import { issueAgentToken, revokeToken } from '../issuer/tokens.ts'
import type { TokenAnswer } from '../wire/index.ts'
import { accessToken, verifyOwn } from './access-token.ts'
import { bearer, bearerToken, clientOf, hasClientCredentials } from './authenticate.ts'
import type { IssuerContext } from './issuer.ts'
import { type Answer, type Call, type Handlers, ok } from './message.ts'
import { answerWith } from './refusals.ts'

const noStore = { 'cache-control': 'no-store', pragma: 'no-cache' }

/** Answers that bear a token are not to be stored (RFC 6749 §5.1). */
const issued = (body: TokenAnswer): Answer => ({ status: 200, headers: noStore, body })

type TokenCall = Call<'oauth.token'> & IssuerContext
type Grant = (call: TokenCall) => Promise<Answer>

const clientCredentials: Grant = async ({ tenancy, request, body }) => {
  const agent = clientOf(tenancy, request, body)
  const [{ token }] = tenancy.tenant.run(issueAgentToken, { agent, scope: body.scope })
  return issued({
    access_token: await accessToken(tenancy, token, request.path),
    token_type: 'Bearer',
    expires_in: token.expiresAt - token.issuedAt,
    ...(token.scope === undefined ? {} : { scope: token.scope }),
  })
}

const grants: Readonly<Record<string, Grant>> = {
  client_credentials: clientCredentials,
}

export const oauthHandlers: Handlers<
  'oauth.token' | 'oauth.introspect' | 'oauth.revoke',
  IssuerContext
> = {
  'oauth.token': (call) => {
    const grant = Object.hasOwn(grants, call.body.grant_type) && grants[call.body.grant_type]
    if (!grant) {
      return answerWith(
        400,
        'unsupported_grant_type',
        `expected one of ${Object.keys(grants).join(', ')}`,
      )
    }
    return grant(call)
  },
  'oauth.introspect': async ({ tenancy, request, body }) => {
    clientOf(tenancy, request, body)
    const live = await verifyOwn(tenancy, body.token)
    if (live === undefined) return { status: 200, headers: noStore, body: { active: false } }
    const { claims, token } = live
    return {
      status: 200,
      headers: noStore,
      body: { active: true, token_type: 'Bearer', ...claims, username: token.sub },
    }
  },
  'oauth.revoke': async ({ tenancy, request, body }) => {
    const clientId =
      !hasClientCredentials(request, body) && bearerToken(request) !== undefined
        ? (await bearer(tenancy, request)).claims.client_id
        : clientOf(tenancy, request, body).clientId
    const live = await verifyOwn(tenancy, body.token)
    if (live !== undefined) {
      if (live.token.clientId !== clientId) {
        answerWith(400, 'unauthorized_client', 'the token was issued to another client')
      }
      tenancy.tenant.run(revokeToken, { jti: live.token.jti, clientId })
    }
    return { ...ok({}), headers: noStore }
  },
}

/** The grants the token endpoint knows; metadata lists them. */
export const supportedGrants: readonly string[] = Object.keys(grants)
