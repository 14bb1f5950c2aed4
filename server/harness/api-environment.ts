import type { TenantCreated } from '../wire/index.ts'

/** What an API needs to know to accept the tokens of a tenant. */
export type ApiEnvironment = Readonly<
  Record<
    | 'LUMOAUTH_ISSUER'
    | 'LUMOAUTH_JWKS_URI'
    | 'LUMOAUTH_INTROSPECTION_ENDPOINT'
    | 'LUMOAUTH_AUDIENCE'
    | 'API_CLIENT_ID'
    | 'API_CLIENT_SECRET',
    string
  >
>

/**
 * The environment of an API that accepts the tokens of a tenant.
 * @param audience the `aud` of the tokens that it accepts
 */
export const apiEnvironment = (
  { urls, api_client }: Pick<TenantCreated, 'urls' | 'api_client'>,
  audience: string,
): ApiEnvironment => ({
  LUMOAUTH_ISSUER: urls.tenant,
  LUMOAUTH_JWKS_URI: `${urls.tenant}/.well-known/jwks.json`,
  LUMOAUTH_INTROSPECTION_ENDPOINT: `${urls.tenant}/oauth/introspect`,
  LUMOAUTH_AUDIENCE: audience,
  API_CLIENT_ID: api_client.client_id,
  API_CLIENT_SECRET: api_client.client_secret,
})
