import { z } from 'zod'
import { AuthorizationDetail } from './authorization-detail.ts'
import { clientFields } from './client-fields.ts'
import { JsonBoundsError, readJson } from './json.ts'
import { longestTtl } from './permission-request.ts'

/** The `grant_type` of a token exchange (RFC 8693 §2.1). */
export const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
/** The `grant_type` of a request to a person that went without their browser (CIBA Core §10.1). */
export const cibaGrant = 'urn:openid:params:grant-type:ciba'
/** The `grant_type` of a device without a browser (RFC 8628 §3.4). */
export const deviceCodeGrantType = 'urn:ietf:params:oauth:grant-type:device_code'
/** The URI of an access token in a token exchange (RFC 8693 §3). */
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
/** The URI of a JWT in a token exchange (RFC 8693 §3). */
export const jwtTokenType = 'urn:ietf:params:oauth:token-type:jwt'
/** The URI of an ID token in a token exchange (RFC 8693 §3). */
export const idTokenType = 'urn:ietf:params:oauth:token-type:id_token'
/** The `client_assertion_type` of a JWT (RFC 7523 §2.2). */
export const jwtBearerAssertion = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** Every grant of the token endpoint. */
export const grantTypes = [
  'client_credentials',
  'authorization_code',
  'refresh_token',
  tokenExchange,
  cibaGrant,
  deviceCodeGrantType,
] as const
/** A `grant_type` of the token endpoint (RFC 6749 §4, RFC 7523, RFC 8693). */
export type GrantType = (typeof grantTypes)[number]

/** How a client authenticates. `none` is for public clients. */
export const authMethods = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'none',
] as const

/** Allowed signature algorithms of a client assertion (CC-12). */
export const assertionAlgorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'Ed25519', 'EdDSA'],
] as const

/** Scopes that request identity claims, not permissions. */
export const identityScopes = [
  'openid',
  'profile',
  'email',
  'phone',
  'address',
  'offline_access',
] as const

/** The scope required to list and decide permission requests (CONTRACT.md#who-may-decide). */
export const approveScope = 'jit:approve'

/** A parameter that may be repeated. Parses to a list. */
const Repeatable = z
  .union([z.string().transform((one) => [one]), z.array(z.string()).max(16)])
  .optional()

/** `authorization_details` in a form: a JSON array (RFC 9396 §2). */
export const AuthorizationDetailsText = z
  .string()
  .transform((text, context): unknown => {
    try {
      return readJson(text)
    } catch (cause) {
      if (cause instanceof JsonBoundsError) {
        context.addIssue({
          code: 'custom',
          message: `expected JSON within bounds; it ${cause.message}`,
        })
        return z.NEVER
      }
      context.addIssue({ code: 'custom', message: 'expected a JSON array of objects' })
      return z.NEVER
    }
  })
  .pipe(z.array(AuthorizationDetail, { error: 'expected a JSON array of objects' }).min(1).max(32))

/**
 * Body of the token endpoint. A repeated parameter is parsed to an array and rejected unless it may be
 * repeated.
 */
export const TokenForm = z
  .object({
    grant_type: z.string().min(1),
    ...clientFields,
    scope: z.string().optional(),
    resource: Repeatable,
    audience: Repeatable,
    code: z.string().optional(),
    redirect_uri: z.string().optional(),
    code_verifier: z.string().optional(),
    refresh_token: z.string().optional(),
    subject_token: z.string().optional(),
    subject_token_type: z.string().optional(),
    subject_issuer: z.string().optional(),
    actor_token: z.string().optional(),
    actor_token_type: z.string().optional(),
    requested_token_type: z.string().optional(),
    authorization_details: AuthorizationDetailsText.optional(),
    jit_task_id: z.string().optional(),
    auth_req_id: z.string().max(256).optional(),
    device_code: z.string().max(256).optional(),
  })
  .meta({ id: 'TokenForm' })
export type TokenForm = z.infer<typeof TokenForm>

/** Answer of the token endpoint (RFC 6749 §5.1, RFC 8693 §2.2.1, RFC 9396 §7). */
export const TokenAnswer = z
  .looseObject({
    access_token: z.string().min(1),
    token_type: z.literal('Bearer'),
    expires_in: z.int().positive(),
    scope: z.string().optional(),
    refresh_token: z.string().optional(),
    id_token: z.string().optional(),
    issued_token_type: z.string().optional(),
    authorization_details: z.array(AuthorizationDetail).optional(),
  })
  .meta({ id: 'TokenAnswer' })
export type TokenAnswer = z.infer<typeof TokenAnswer>

/** Body of `POST B/jit/request/{id}/token`: optionally the audience of the token (RFC 8707 §2). */
export const ExchangeRequest = z.object({ resource: Repeatable }).meta({ id: 'ExchangeRequest' })
export type ExchangeRequest = z.infer<typeof ExchangeRequest>

/** Answer of `POST B/jit/request/{id}/token` (CONTRACT.md#exchange-for-a-jit-token). */
export const JitTokenAnswer = TokenAnswer.extend({
  expires_in: z.int().min(1).max(longestTtl),
  issued_token_type: z.literal(accessTokenType),
  authorization_details: z.tuple([AuthorizationDetail]),
  task_id: z.string().min(1),
  jit_request_id: z.string().min(1),
}).meta({ id: 'JitTokenAnswer' })
export type JitTokenAnswer = z.infer<typeof JitTokenAnswer>

/** Body of introspection (RFC 7662 §2.1), with client authentication. */
export const IntrospectForm = z
  .object({
    token: z.string().min(1),
    token_type_hint: z.string().optional(),
    ...clientFields,
  })
  .meta({ id: 'IntrospectForm' })
export type IntrospectForm = z.infer<typeof IntrospectForm>

/** Answer of introspection (RFC 7662 §2.2). For an inactive token it contains only `active` (INT-02). */
export const Introspection = z
  .union([
    z.strictObject({ active: z.literal(false) }),
    z.looseObject({
      active: z.literal(true),
      sub: z.string(),
      client_id: z.string(),
      exp: z.int(),
      iat: z.int(),
      iss: z.string(),
      jti: z.string(),
      token_type: z.string(),
      aud: z.union([z.string(), z.array(z.string())]),
      scope: z.string().optional(),
      authorization_details: z.array(AuthorizationDetail).optional(),
      task_id: z.string().optional(),
    }),
  ])
  .meta({ id: 'Introspection' })
export type Introspection = z.infer<typeof Introspection>

/** Body of revocation (RFC 7009 §2.1), with client authentication. */
export const RevokeForm = IntrospectForm.meta({ id: 'RevokeForm' })
export type RevokeForm = z.infer<typeof RevokeForm>

/** Answer of revocation. It is the same for an unknown token (REV-02). */
export const Revoked = z.strictObject({}).meta({ id: 'Revoked' })
export type Revoked = z.infer<typeof Revoked>
