import { timingSafeEqual } from 'node:crypto'
import type { Client } from '../../../issuer/event.ts'
import { isPublic, useAssertion } from '../../../issuer/oauth/clients.ts'
import { createKeySet, type FindKeys } from '../../../signing/key-set.ts'
import { peekJwt } from '../../../signing/peek.ts'
import { hashSecret } from '../../../signing/secrets.ts'
import { verifyAssertion } from '../../../signing/verify-assertion.ts'
import { type BasicCredentials, decodeBasic } from '../../../wire/basic-credentials.ts'
import { assertionAlgorithms, jwtBearerAssertion } from '../../../wire/index.ts'
import { isSecretParameter } from '../../../wire/secret-names.ts'
import type { HttpRequest } from '../../message.ts'
import { assertionAudiences } from '../../origin/issuer-urls.ts'
import { answerWith } from '../../refusals.ts'
import type { TenantContext } from '../../tenant/tenant-context.ts'
import { publishedKeys } from './published-keys.ts'

type ClientFields = Readonly<{
  client_id?: string | undefined
  client_secret?: string | undefined
  client_assertion?: string | undefined
  client_assertion_type?: string | undefined
}>

/**
 * Authenticates the client of a request by exactly one method: HTTP Basic, form fields or an assertion
 * (RFC 6749 §2.3).
 * @throws {HttpError} 401 `invalid_client`, the same for an unknown client and a wrong secret
 */
export const clientOf = async (
  context: TenantContext,
  request: HttpRequest,
  fields: ClientFields,
): Promise<Client> => {
  const { client_id: postedId, client_secret: postedSecret, client_assertion: assertion } = fields
  const basic = basicCredentials(context, request)
  const ways = [basic, postedSecret, assertion].filter((way) => way !== undefined)
  if (ways.length > 1 || (basic && postedId !== undefined && postedId !== basic.id)) {
    answerWith(
      400,
      'invalid_request',
      'expected one method of client authentication, received several',
    )
  }
  if (assertion !== undefined) return clientByAssertion(context, assertion, fields)
  const { id, secret } = basic ?? { id: postedId, secret: postedSecret }
  if (id === undefined || secret === undefined) {
    return refuseClient(
      context,
      'expected client_id and client_secret, in the form or by HTTP Basic, or a client_assertion',
    )
  }
  const client = context.tenant.state.clients.get(id)
  if (!hasSecret(client, secret) || client === undefined) {
    return refuseClient(context, 'unknown client_id or wrong client_secret')
  }
  return client
}

/** As `clientOf`. A public client sends only its `client_id`. */
export const clientOrPublic = async (
  context: TenantContext,
  request: HttpRequest,
  fields: ClientFields,
): Promise<Client> => {
  const named = context.tenant.state.clients.get(fields.client_id ?? '')
  return !hasClientCredentials(request, fields) && named !== undefined && isPublic(named)
    ? named
    : clientOf(context, request, fields)
}

/** Whether a request contains any client credentials. */
export const hasClientCredentials = ({ headers }: HttpRequest, fields: ClientFields): boolean =>
  fields.client_secret !== undefined ||
  fields.client_assertion !== undefined ||
  /^basic /i.test(headers.authorization ?? '')

/** An `id_token_hint` is allowed in a URI (OpenID Connect Core §3.1.2.1). */
export const hasSecretInUri = (query: URLSearchParams): boolean =>
  query.size > 0 &&
  [...query.keys()].some((name) => isSecretParameter(name) && name !== 'id_token_hint')

export const secretInUri = 'expected credentials only in the body or in header fields'

/** Secrets and tokens must not be in a URI, because URIs are logged (CC-04). */
export const refuseSecretsInUri = ({ query }: HttpRequest): void => {
  if (hasSecretInUri(query)) answerWith(400, 'invalid_request', secretInUri)
}

/**
 * `private_key_jwt` (RFC 7523 §3): `aud` must be exactly one name of this server, and each assertion
 * works once.
 */
const clientByAssertion = async (
  context: TenantContext,
  jwt: string,
  { client_id: posted, client_assertion_type: type }: ClientFields,
): Promise<Client> => {
  if (type !== jwtBearerAssertion) {
    answerWith(400, 'invalid_request', `client_assertion_type: expected ${jwtBearerAssertion}`)
  }
  const { tenant } = context
  const clientId = posted ?? String(peekJwt(jwt)?.claims.iss)
  const client = tenant.state.clients.get(clientId)
  const refused = () => refuseClient(context, 'the client assertion is not valid')
  const keys = client && keysOf(context, client)
  if (client === undefined || keys === undefined) return refused()
  const now = tenant.clock.now()
  const { jti, exp } = await verifyAssertion(jwt, {
    keys,
    algorithms: assertionAlgorithms,
    issuers: [clientId],
    subject: clientId,
    audiences: assertionAudiences(context),
    now,
    longest: 3600,
  }).catch(refused)
  if (typeof jti !== 'string' || jti === '' || jti.length > 256) return refused()
  tenant.run(useAssertion, { clientId, jti, expiresAt: Math.ceil(exp) })
  return client
}

const keysOf = (context: TenantContext, { keys, jwksUri }: Client): FindKeys | undefined => {
  if (keys !== undefined) return keySetOf(keys)
  return jwksUri === undefined ? undefined : publishedKeys(context, jwksUri)
}

/** The imported keys of each JWKS. */
export const keySetOf = (jwks: readonly Readonly<Record<string, unknown>>[]): FindKeys => {
  const known = keySets.get(jwks) ?? createKeySet(jwks)
  keySets.set(jwks, known)
  return known
}

const keySets = new WeakMap<object, FindKeys>()

/** @throws {HttpError} also for credentials that would be right without form encoding, unless the dialect allows it */
const basicCredentials = (
  context: TenantContext,
  { headers }: HttpRequest,
): BasicCredentials | undefined => {
  const basic = decodeBasic(headers.authorization)
  if (basic === undefined) return undefined
  const { clients, dialect } = context.tenant.state
  const isRight = ({ id, secret }: BasicCredentials) => hasSecret(clients.get(id), secret)
  if (basic.flaw === undefined && isRight(basic)) return basic
  if (isRight(basic.raw)) {
    return dialect.basic_encoding === 'either'
      ? basic.raw
      : refuseClient(
          context,
          'the Basic credentials are right, but not form-encoded (RFC 6749, 2.3.1)',
        )
  }
  return basic.flaw === undefined
    ? basic
    : refuseClient(context, `the Basic credentials are ${basic.flaw}`)
}

/** Compares in constant time. An unknown client takes as long as a wrong secret (CC-14). */
const hasSecret = (client: Client | undefined, secret: string): boolean => {
  const given = Buffer.from(hashSecret(secret))
  const kept = Buffer.from(client?.secretHash ?? hashSecret(''))
  return timingSafeEqual(given, kept) && client?.secretHash !== undefined
}

const refuseClient = (context: TenantContext, description: string): never =>
  answerWith(
    401,
    'invalid_client',
    description,
    {},
    {
      'www-authenticate': `Basic realm="${context.tenant.slug}"`,
      pragma: 'no-cache',
    },
  )
