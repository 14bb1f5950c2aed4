import { z } from 'zod'
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
  access_type: z.string().optional(),
  login_hint: z.string().max(256).optional(),
  resource: z.union([z.string(), z.array(z.string())]).optional(),
  authorization_details: z.string().max(8192).optional(),
  /** The only agent that may act for the user (draft-oauth-ai-agents-on-behalf-of-user). */
  requested_actor: z.string().max(256).optional(),
  /** Refers to parameters sent to the PAR endpoint (RFC 9126). */
  request_uri: z.string().max(256).optional(),
}

/** Query of `GET B/oauth/authorize`. Unknown parameters are ignored. */
export const AuthorizeQuery = z.object(parameters).meta({ id: 'AuthorizeQuery' })
export type AuthorizeQuery = z.infer<typeof AuthorizeQuery>

/** The form of the consent page: the same parameters, the user, and the user's decision. */
export const AuthorizeForm = z
  .object({
    ...parameters,
    user: z.string().optional(),
    decision: z.enum(['allow', 'deny']),
    csrf: z.string().min(1),
  })
  .meta({ id: 'AuthorizeForm' })
export type AuthorizeForm = z.infer<typeof AuthorizeForm>

/** Body of `POST B/oauth/par` (RFC 9126 §2.1). */
export const PushForm = z
  .object({
    ...parameters,
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

/** Query of `GET B/oauth/logout` (OpenID Connect RP-Initiated Logout §2). */
export const LogoutQuery = z
  .object({
    id_token_hint: z.string().optional(),
    client_id: z.string().optional(),
    post_logout_redirect_uri: z.string().max(2048).optional(),
    state: z.string().max(2048).optional(),
  })
  .meta({ id: 'LogoutQuery' })
export type LogoutQuery = z.infer<typeof LogoutQuery>

/** Validates `authorization_details` of a request whose other parameters are valid. */
export const ConsentDetails = AuthorizationDetailsText.optional()
