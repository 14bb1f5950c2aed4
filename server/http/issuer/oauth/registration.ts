import { registerClient } from '../../../issuer/clients.ts'
import { hashSecret } from '../../../signing/secrets.ts'
import { created, type Handlers } from '../../message.ts'
import { answerWith } from '../../refusals.ts'
import type { IssuerContext } from '../context.ts'
import { newSecret } from '../new-secret.ts'
import { bearer } from './bearer.ts'
import { noStore } from './token-response.ts'

/** Dynamic client registration (RFC 7591). Only this answer contains the secret. */
export const registrationHandlers: Handlers<'oauth.register', IssuerContext> = {
  'oauth.register': async ({ context, request, body }) => {
    const { tenant } = context
    const { registration } = tenant.state.dialect
    if (registration === 'closed') {
      answerWith(403, 'registration_not_allowed', 'dynamic client registration is disabled')
    }
    const { authorization, 'x-api-key': key } = request.headers
    const isKnown = authorization !== undefined || key !== undefined
    const by =
      isKnown || registration === 'authenticated' ? await bearer(context, request) : undefined
    const { token_endpoint_auth_method: method } = body
    const secret = /^client_secret/.test(method) ? newSecret(context, 'secret') : undefined
    const [{ client }] = tenant.run(registerClient, {
      asked: body,
      clientId: tenant.id('client'),
      secretHash: secret && hashSecret(secret),
      vouched: by?.claims.scope?.split(' '),
    })
    return {
      ...created({
        client_id: client.clientId,
        ...(secret === undefined ? {} : { client_secret: secret }),
        client_id_issued_at: tenant.clock.now(),
        client_secret_expires_at: 0,
        client_name: client.name,
        redirect_uris: [...(client.redirectUris ?? [])],
        grant_types: [...(client.grantTypes ?? [])],
        response_types: client.grantTypes?.includes('authorization_code') ? ['code'] : [],
        scope: client.capabilities.join(' '),
        token_endpoint_auth_method: method,
        ...(body.jwks === undefined ? {} : { jwks: body.jwks }),
      }),
      headers: noStore,
    }
  },
}
