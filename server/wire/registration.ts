import { z } from 'zod'
import { authMethods } from './token.ts'

const Text = z.string().min(1).max(256)
/** Unsupported grants are omitted, and the answer lists the others (§3.2.1). */
const Names = z.array(Text).min(1).max(32)

/** Body of `POST B/connect/register` (RFC 7591 §2). Unknown members are ignored (§2). */
export const RegisterClient = z
  .object({
    redirect_uris: z.array(z.string().max(2048)).max(16).default([]),
    /** Where a logout may redirect to (OpenID Connect RP-Initiated Logout §3.1). */
    post_logout_redirect_uris: z.array(z.string().max(2048)).max(16).optional(),
    client_name: Text.optional(),
    grant_types: Names.optional(),
    response_types: Names.optional(),
    scope: z.string().max(1024).optional(),
    token_endpoint_auth_method: z.enum(authMethods).default('client_secret_basic'),
    /** Where the client publishes its keys, instead of `jwks`. */
    jwks_uri: z.string().min(1).max(2048).optional(),
    jwks: z
      .object({
        keys: z
          .array(z.looseObject({ kty: z.string() }))
          .min(1)
          .max(8),
      })
      .optional(),
  })
  .meta({ id: 'RegisterClient' })
export type RegisterClient = z.infer<typeof RegisterClient>

/** `PUT B/connect/register/{id}` (RFC 7592 §2.2): the metadata of the client as a whole. */
export const ReplaceClient = RegisterClient.extend({
  /** Has to be the one of the path; looked at once the caller is authenticated. */
  client_id: z.string().max(256).optional(),
  client_secret: z.string().max(256).optional(),
}).meta({ id: 'ReplaceClient' })
export type ReplaceClient = z.infer<typeof ReplaceClient>

/** Answer of a registration (RFC 7591 §3.2.1): the registered metadata and the credentials. */
export const ClientRegistered = z
  .looseObject({
    client_id: z.string().min(1),
    client_secret: z.string().optional(),
    client_id_issued_at: z.int(),
    client_secret_expires_at: z.int(),
    redirect_uris: z.array(z.string()),
    post_logout_redirect_uris: z.array(z.string()).optional(),
    grant_types: z.array(z.string()),
    response_types: z.array(z.string()),
    token_endpoint_auth_method: z.string(),
    scope: z.string(),
    jwks_uri: z.string().optional(),
    registration_client_uri: z.url().optional(),
    registration_access_token: z.string().optional(),
  })
  .meta({ id: 'ClientRegistered' })
export type ClientRegistered = z.infer<typeof ClientRegistered>
