import { z } from 'zod'

/** A JSON Web Key Set (RFC 7517 §5). Contains only public keys. */
export const Jwks = z
  .object({
    keys: z
      .array(
        z
          .looseObject({
            kty: z.string(),
            kid: z.string(),
            use: z.literal('sig'),
            alg: z.string(),
          })
          .refine((key) => !('d' in key), {
            error: 'expected a public key: "d" is a private member',
          }),
      )
      .min(1),
  })
  .meta({ id: 'Jwks' })
export type Jwks = z.infer<typeof Jwks>

/** Protected resource metadata (RFC 9728 §2). */
export const ProtectedResource = z
  .looseObject({
    resource: z.url(),
    authorization_servers: z.array(z.url()).min(1),
    bearer_methods_supported: z.array(z.string()),
    scopes_supported: z.array(z.string()).optional(),
  })
  .meta({ id: 'ProtectedResource' })
export type ProtectedResource = z.infer<typeof ProtectedResource>

/** Authorization server metadata (RFC 8414 §2); OpenID Connect Discovery §3 for the OIDC document. */
export const ServerMetadata = z
  .looseObject({
    issuer: z.url(),
    authorization_endpoint: z.url(),
    token_endpoint: z.url(),
    registration_endpoint: z.url(),
    jwks_uri: z.url(),
    introspection_endpoint: z.url(),
    revocation_endpoint: z.url(),
    response_types_supported: z.array(z.string()),
    grant_types_supported: z.array(z.string()).min(1),
    token_endpoint_auth_methods_supported: z.array(z.string()).min(1),
    token_endpoint_auth_signing_alg_values_supported: z.array(z.string()).min(1),
    code_challenge_methods_supported: z.array(z.string()).min(1),
    scopes_supported: z.array(z.string()),
    authorization_details_types_supported: z.array(z.string()).optional(),
  })
  .meta({ id: 'ServerMetadata' })
export type ServerMetadata = z.infer<typeof ServerMetadata>
