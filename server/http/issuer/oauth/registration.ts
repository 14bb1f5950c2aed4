import type { Client } from '../../../issuer/event.ts'
import { deleteClient, registerClient } from '../../../issuer/oauth/clients.ts'
import { hashSecret, same } from '../../../signing/secrets.ts'
import type { ClientRegistered, RegisterClient } from '../../../wire/index.ts'
import { bearerToken } from '../../authorization-field.ts'
import { created, type Handlers, type HttpRequest, noContent, ok } from '../../message.ts'
import { basePath } from '../../origin/issuer-urls.ts'
import { answerWith } from '../../refusals.ts'
import type { TenantContext } from '../../tenant/tenant-context.ts'
import type { IssuerContext } from '../context.ts'
import { newSecret } from '../new-secret.ts'
import { bearer, refuseToken } from './bearer.ts'
import { noStore } from './token-response.ts'

/** Dynamic registration (RFC 7591, RFC 7592). Secrets are shown when they are made and never again. */
export const registrationHandlers: Handlers<
  | 'oauth.register'
  | 'oauth.registration.read'
  | 'oauth.registration.replace'
  | 'oauth.registration.delete',
  IssuerContext
> = {
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
    refuseJwksUri(context, body)
    const secret = hasSecret(body.token_endpoint_auth_method)
      ? newSecret(context, 'secret')
      : undefined
    const token = newSecret(context, 'reg')
    const [{ client }] = tenant.run(registerClient, {
      asked: body,
      clientId: tenant.id('client'),
      secretHash: secret && hashSecret(secret),
      vouched: by?.claims.scope?.split(' '),
      registrationHash: hashSecret(token),
    })
    return {
      ...created({
        ...registrationOf(context, request, client),
        registration_access_token: token,
        ...(secret === undefined ? {} : { client_secret: secret }),
      }),
      headers: noStore,
    }
  },

  'oauth.registration.read': ({ context, request, params }) => ({
    ...ok(registrationOf(context, request, ownRegistration(context, request, params))),
    headers: noStore,
  }),

  'oauth.registration.replace': ({ context, request, params, body }) => {
    const { tenant } = context
    const before = ownRegistration(context, request, params)
    const { clientId, secretHash, registrationHash } = before
    if (body.client_id !== clientId) {
      answerWith(400, 'invalid_client_metadata', `client_id: expected ${clientId}`)
    }
    refuseJwksUri(context, body)
    const wants = hasSecret(body.token_endpoint_auth_method)
    const made = wants && secretHash === undefined ? newSecret(context, 'secret') : undefined
    const [{ client }] = tenant.run(registerClient, {
      asked: body,
      clientId,
      secretHash: wants ? (made === undefined ? secretHash : hashSecret(made)) : undefined,
      registrationHash,
      replaced: before,
    })
    return {
      ...ok({
        ...registrationOf(context, request, client),
        ...(made === undefined ? {} : { client_secret: made }),
      }),
      headers: noStore,
    }
  },

  'oauth.registration.delete': ({ context, request, params }) => {
    const { clientId } = ownRegistration(context, request, params)
    context.tenant.run(deleteClient, { clientId })
    return noContent
  },
}

/** A URI that the issuer would never fetch is refused at registration (THR-09). */
const refuseJwksUri = (
  { outbound }: TenantContext,
  { jwks_uri: uri }: Pick<RegisterClient, 'jwks_uri'>,
): void => {
  const objection = uri === undefined ? undefined : outbound.objection(uri)
  if (objection !== undefined) {
    answerWith(400, 'invalid_client_metadata', `jwks_uri: ${objection}`)
  }
}

const hasSecret = (method: string) => /^client_secret/.test(method)

/**
 * The client whose registration_access_token a request shows.
 * @throws {HttpError} 401, the same for an unknown client and for the token of another one
 */
const ownRegistration = (
  context: TenantContext,
  request: HttpRequest,
  { clientId = '' }: Readonly<Record<string, string>>,
): Client => {
  const client = context.tenant.state.clients.get(clientId)
  const token = bearerToken(request)
  const isOwn =
    token !== undefined && same(hashSecret(token), client?.registrationHash ?? hashSecret(''))
  return client?.registrationHash !== undefined && isOwn ? client : refuseToken(context)
}

const registrationOf = (
  context: TenantContext,
  request: HttpRequest,
  client: Client,
): ClientRegistered => {
  const { tenant, origins } = context
  const base = origins.issuer + basePath(tenant.slug, request.path)
  return {
    client_id: client.clientId,
    client_id_issued_at: client.registeredAt ?? 0,
    client_secret_expires_at: 0,
    client_name: client.name,
    redirect_uris: [...(client.redirectUris ?? [])],
    ...(client.logoutUris === undefined
      ? {}
      : { post_logout_redirect_uris: [...client.logoutUris] }),
    grant_types: [...(client.grantTypes ?? [])],
    response_types: client.grantTypes?.includes('authorization_code') ? ['code'] : [],
    scope: client.capabilities.join(' '),
    token_endpoint_auth_method: client.authMethod ?? 'client_secret_basic',
    application_type: 'web',
    registration_client_uri: `${base}/connect/register/${encodeURIComponent(client.clientId)}`,
    ...(client.keys === undefined ? {} : { jwks: { keys: client.keys } }),
    ...(client.jwksUri === undefined ? {} : { jwks_uri: client.jwksUri }),
  }
}
