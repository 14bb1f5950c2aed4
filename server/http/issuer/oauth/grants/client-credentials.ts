import { mayUse } from '../../../../issuer/oauth/clients.ts'
import { issueClientToken } from '../../../../issuer/oauth/tokens.ts'
import { answerWith } from '../../../refusals.ts'
import { clientOf } from '../client-authentication.ts'
import { audienceOf } from '../resource-indicators.ts'
import { type GrantHandler, tokenResponse } from '../token-response.ts'

/**
 * RFC 6749 §4.4. Rejects `authorization_details`: an agent gets them by a permission request only
 * (RAR-06).
 */
export const clientCredentials: GrantHandler = async ({ context, request, body }) => {
  const client = await clientOf(context, request, body)
  const { tenant } = context
  mayUse(tenant.state, client, 'client_credentials')
  if (body.authorization_details !== undefined) {
    answerWith(
      400,
      'invalid_authorization_details',
      'expected no authorization_details: request a permission within a task instead',
    )
  }
  const audience = audienceOf(context, body)
  const [{ token }] = tenant.run(issueClientToken, { client, scope: body.scope, audience })
  return tokenResponse(context, token, request.path)
}
