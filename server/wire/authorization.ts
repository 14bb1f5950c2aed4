import { z } from 'zod'
import { AuthorizationDetail } from './authorization-detail.ts'
import { clientFields } from './client-fields.ts'
import type { ErrorCode } from './error-codes.ts'
import { AuthorizationDetailsText } from './token.ts'

/**
 * Parameters of an authorization request (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1, RFC 8707, RFC
 * 9396).
 */
const parameters = {
  response_type: z.string().optional(),
  client_id: z.string().optional(),
  redirect_uri: z.string().max(2048).optional(),
  scope: z.string().max(1024).optional(),
  state: z.string().max(2048).optional(),
  nonce: z.string().max(512).optional(),
  code_challenge: z.string().optional(),
  code_challenge_method: z.string().optional(),
  response_mode: z.string().optional(),
  prompt: z.string().optional(),
  max_age: z.string().optional(),
  access_type: z.string().optional(),
  login_hint: z.string().max(256).optional(),
  resource: z.union([z.string(), z.array(z.string())]).optional(),
  authorization_details: z.string().max(8192).optional(),
  /** The only agent that may act for the user (draft-oauth-ai-agents-on-behalf-of-user). */
  requested_actor: z.string().max(256).optional(),
  /** Refers to parameters sent to the PAR endpoint (RFC 9126). */
  request_uri: z.string().max(256).optional(),
}

/** The maximum length of a parameter. A longer value is an error that is redirected to the client. */
const maxLengthOf = (name: string): number => {
  const schema = parameters[name as keyof typeof parameters]?.unwrap()
  return (schema instanceof z.ZodString ? schema.maxLength : undefined) ?? Number.POSITIVE_INFINITY
}

/** Accepts repeated and overlong parameters: they are rejected after the client and its redirect_uri are known. */
const anything = Object.fromEntries(
  [...Object.keys(parameters), 'request', 'registration'].map((name) => [
    name,
    z.union([z.string(), z.array(z.string())]).optional(),
  ]),
) as Record<
  keyof typeof parameters | 'request' | 'registration',
  z.ZodOptional<z.ZodUnion<[z.ZodString, z.ZodArray<z.ZodString>]>>
>

/** The query of `GET B/oauth/authorize`, and the form of an authentication request by POST. */
export const AuthorizeRequest = z.object(anything).meta({ id: 'AuthorizeRequest' })
export type AuthorizeRequest = z.infer<typeof AuthorizeRequest>

/** A parsed authorization request: the valid parameters, and the first error. */
export type ReadAuthorization = Readonly<{
  query: AuthorizeQuery
  flaw?: Readonly<{ error: ErrorCode; reason: string }>
}>

/** Reads an authorization request; a parameter that is repeated or too long is left out, and named. */
export const readAuthorization = (request: AuthorizeRequest): ReadAuthorization => {
  const { resource, request: object, registration, ...others } = request
  const query: Record<string, string | string[]> = resource === undefined ? {} : { resource }
  const flaws: { error: ErrorCode; reason: string }[] = []
  for (const [name, value] of Object.entries(others)) {
    if (value === undefined || value === '') continue
    const most = maxLengthOf(name)
    if (typeof value !== 'string') {
      flaws.push({ error: 'invalid_request', reason: `${name}: expected it once (RFC 6749, 3.1)` })
    } else if (value.length > most) {
      flaws.push({
        error: 'invalid_request',
        reason: `${name}: expected at most ${most} characters`,
      })
    } else query[name] = value
  }
  if (typeof query.max_age === 'string' && !/^\d{1,10}$/.test(query.max_age)) {
    flaws.push({ error: 'invalid_request', reason: 'max_age: expected whole seconds' })
  }
  if (object !== undefined) {
    flaws.push({ error: 'request_not_supported', reason: 'request: request objects are not read' })
  }
  if (registration !== undefined) {
    flaws.push({ error: 'registration_not_supported', reason: 'registration: it is not read' })
  }
  const uri = query.request_uri
  if (typeof uri === 'string' && !uri.startsWith('urn:ietf:params:oauth:request_uri:')) {
    delete query.request_uri
    flaws.push({
      error: 'request_uri_not_supported',
      reason: 'request_uri: expected one that was pushed (RFC 9126)',
    })
  }
  const [flaw] = flaws
  return { query: AuthorizeQuery.parse(query), ...(flaw === undefined ? {} : { flaw }) }
}

/** The parameters of an authorization request, once each. Further ones are ignored. */
export const AuthorizeQuery = z.object(parameters).meta({ id: 'AuthorizeQuery' })
export type AuthorizeQuery = z.infer<typeof AuthorizeQuery>

/**
 * The form on the consent page: the same parameters, who it is, and what they decided. Without decision and
 * csrf it is an authentication request (OpenID Connect Core §3.1.2.1).
 */
export const AuthorizeForm = z
  .object({
    ...anything,
    user: z.string().optional(),
    decision: z.enum(['allow', 'deny']).optional(),
    csrf: z.string().min(1).optional(),
  })
  .meta({ id: 'AuthorizeForm' })
export type AuthorizeForm = z.infer<typeof AuthorizeForm>

/** Body of `POST B/oauth/par` (RFC 9126 §2.1). */
export const PushForm = z
  .object({
    ...parameters,
    /** Not supported. */
    request: z.string().optional(),
    /** Not supported. */
    registration: z.string().optional(),
    client_secret: z.string().optional(),
    client_assertion: z.string().optional(),
    client_assertion_type: z.string().optional(),
  })
  .meta({ id: 'PushForm' })
export type PushForm = z.infer<typeof PushForm>

/** Answer of `POST B/oauth/par` (RFC 9126 §2.2). */
export const Pushed = z
  .object({
    request_uri: z.string().startsWith('urn:ietf:params:oauth:request_uri:'),
    expires_in: z.int().positive(),
  })
  .meta({ id: 'Pushed' })
export type Pushed = z.infer<typeof Pushed>

/** `POST B/oauth/device_authorization` (RFC 8628 §3.1). */
export const DeviceForm = z
  .object({
    ...clientFields,
    scope: z.string().max(1024).optional(),
  })
  .meta({ id: 'DeviceForm' })
export type DeviceForm = z.infer<typeof DeviceForm>

/** RFC 8628 §3.2. */
export const DeviceStarted = z
  .object({
    device_code: z.string().min(1),
    user_code: z.string().min(1),
    verification_uri: z.url(),
    verification_uri_complete: z.url(),
    expires_in: z.int().positive(),
    interval: z.int().positive(),
  })
  .meta({ id: 'DeviceStarted' })
export type DeviceStarted = z.infer<typeof DeviceStarted>

/** `GET B/oauth/device`: the page on which a person enters the code. */
export const DeviceQuery = z
  .object({ user_code: z.string().max(64).optional() })
  .meta({ id: 'DeviceQuery' })
export type DeviceQuery = z.infer<typeof DeviceQuery>

/** The decision of the person on that page. */
export const DeviceDecision = z
  .object({
    user_code: z.string().max(64),
    user: z.string().optional(),
    decision: z.enum(['allow', 'deny']),
    csrf: z.string().min(1),
  })
  .meta({ id: 'DeviceDecision' })
export type DeviceDecision = z.infer<typeof DeviceDecision>

/** `POST B/oauth/bc-authorize` (OpenID Connect CIBA Core §7.1), with RFC 9396 details. */
export const BackchannelForm = z
  .object({
    ...clientFields,
    scope: z.string().max(1024).optional(),
    login_hint: z.string().max(256).optional(),
    binding_message: z.string().max(256).optional(),
    requested_expiry: z.union([z.string(), z.int()]).optional(),
    authorization_details: z
      .union([AuthorizationDetailsText, z.array(AuthorizationDetail).min(1).max(32)])
      .optional(),
  })
  .meta({ id: 'BackchannelForm' })
export type BackchannelForm = z.infer<typeof BackchannelForm>

/** CIBA Core §7.3. */
export const BackchannelStarted = z
  .looseObject({
    auth_req_id: z.string().min(1),
    expires_in: z.int().positive(),
    interval: z.int().positive(),
  })
  .meta({ id: 'BackchannelStarted' })
export type BackchannelStarted = z.infer<typeof BackchannelStarted>

/** Parameters of `B/oauth/logout`, by GET and by POST (OpenID Connect RP-Initiated Logout §2). */
export const LogoutRequest = z
  .object({
    id_token_hint: z.string().optional(),
    client_id: z.string().optional(),
    post_logout_redirect_uri: z.string().max(2048).optional(),
    state: z.string().max(2048).optional(),
  })
  .meta({ id: 'LogoutRequest' })
export type LogoutRequest = z.infer<typeof LogoutRequest>

/** Validates `authorization_details` of a request whose other parameters are valid. */
export const ConsentDetails = AuthorizationDetailsText.optional()
