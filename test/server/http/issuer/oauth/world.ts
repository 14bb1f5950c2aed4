import { createHash } from 'node:crypto'
import { createHarness } from '../../../../../server/index.ts'
import { forgeSigned } from '../../../../../server/signing/forge.ts'
import { generateSigningKey, type SigningKey } from '../../../../../server/signing/keys.ts'
import {
  accessTokenType,
  jwtBearerAssertion,
  tokenExchange,
} from '../../../../../server/wire/index.ts'
import { type Seed, serve } from '../../../../support/signed-in.ts'

// biome-ignore lint/suspicious/noExplicitAny: what a foreign client would see
type Json = any

type Fields = Readonly<Record<string, string | readonly string[] | undefined>>

export const harness = await createHarness({
  listen: false,
  algorithm: 'ES256',
  tenants: [{ tenant: 'first' }],
})

const server = await serve(harness)

/** A tenant, and requests that carry only the credentials given to them. */
export const world = (seed: Seed = {}) => {
  const here = server.tenant(seed)
  const { tenant, agent, anonymous: request } = here
  const own = { client_id: agent.client_id, client_secret: agent.client_secret }
  const token = (fields: Fields) => request.post('/oauth/token').type('form').send(fields)

  return {
    ...here,
    own,
    request,
    token,
    /** A user’s token that may be exchanged; `order` says which. */
    userToken: async (order: object = {}): Promise<string> => {
      const asked = { user: 'alice@example.com', ...order }
      return (await here.control.post('/user-token').send(asked)).body.access_token
    },
    exchange: (fields: Fields) =>
      token({ grant_type: tokenExchange, subject_token_type: accessTokenType, ...fields }),
    /** A valid client assertion; the given claims and header members replace the defaults. */
    assertion: async (
      key: SigningKey,
      claims: object = {},
      header: object = {},
    ): Promise<string> => {
      const now = tenant.clock.now()
      return forgeSigned(
        key,
        {
          iss: own.client_id,
          sub: own.client_id,
          aud: tenant.urls.tenant,
          jti: `jti-${++assertions}`,
          iat: now,
          exp: now + 60,
          ...claims,
        },
        { typ: 'JWT', kid: key.kid, ...header },
      )
    },
  }
}

let assertions = 0

export const clientKey = await generateSigningKey('ES256')
export const keyed: Seed = {
  agents: [{ name: 'report-bot', jwks: { keys: [clientKey.publicJwk] } }],
}

export const byAssertion = (client_assertion: string) => ({
  client_assertion,
  client_assertion_type: jwtBearerAssertion,
})

export const delegation = (subject: string, actor: string) => ({
  subject_token: subject,
  actor_token: actor,
  actor_token_type: accessTokenType,
})

export const claimsOf = (jwt: string): Json =>
  JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8'))

export const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
export const challenge = createHash('sha256').update(verifier).digest('base64url')

/** The answer of the token endpoint after a user has signed in to a client on the authorization page. */
export const signIn = async (
  at: Pick<ReturnType<typeof world>, 'request' | 'token'>,
  client: Readonly<{ client_id: string; client_secret?: string | undefined }>,
  { redirect_uri, user, scope }: Readonly<Record<'redirect_uri' | 'user' | 'scope', string>>,
): Promise<Json> => {
  const parameters = {
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri,
    scope,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  }
  const page = await at.request.get(`/oauth/authorize?${new URLSearchParams(parameters)}`)
  const hidden = [...page.text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)]
  const { headers } = await at.request
    .post('/oauth/authorize')
    .set({ cookie: page.headers['set-cookie']?.[0]?.split(';', 1)[0] ?? '' })
    .type('form')
    .send({
      ...Object.fromEntries(hidden.map(([, name, value]) => [name, value])),
      user,
      decision: 'allow',
    })
  const code = new URL(headers.location ?? 'about:blank').searchParams.get('code') ?? undefined
  const fields = { grant_type: 'authorization_code', redirect_uri, code_verifier: verifier }
  return (await at.token({ ...fields, ...client, code })).body
}
