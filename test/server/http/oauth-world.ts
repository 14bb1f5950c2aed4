import { createHash } from 'node:crypto'
import { createHarness, type Harness } from '../../../server/index.ts'
import { forgeSigned } from '../../../server/signing/forge.ts'
import { generateSigningKey, type SigningKey } from '../../../server/signing/keys.ts'
import { accessTokenType, jwtBearerAssertion, tokenExchange } from '../../../server/wire/index.ts'

export type Seed = NonNullable<Parameters<Harness['createTenant']>[0]>

// biome-ignore lint/suspicious/noExplicitAny: what a foreign client would see
type Json = any

export type Answered = Readonly<{ status: number; headers: Headers; text: string; body: Json }>

type Fields = Readonly<Record<string, string | readonly string[] | undefined>>

export const harness = await createHarness({
  listen: false,
  algorithm: 'ES256',
  tenants: [{ tenant: 'first' }],
})

/** A tenant of its own, and clients that send what they are told to. */
export const world = (seed: Seed = {}) => {
  const tenant = harness.createTenant(seed)
  const [agent] = tenant.agents
  if (agent === undefined) throw new Error('a tenant without agents')
  const own = { client_id: agent.client_id, client_secret: agent.client_secret }

  const ask = async (method: string, path: string, init: RequestInit = {}): Promise<Answered> => {
    const url = path.startsWith('http') ? path : tenant.urls.tenant + path
    const response = await harness.fetch(url, { method, redirect: 'manual', ...init })
    const text = await response.text()
    const { status, headers } = response
    return { status, headers, text, body: json(text) }
  }
  const form = (path: string, fields: Fields, headers: Record<string, string> = {}) =>
    ask('POST', path, { headers, body: encoded(fields) })
  const token = (fields: Fields, headers?: Record<string, string>) =>
    form('/oauth/token', fields, headers)
  const get = (path: string, headers: Record<string, string> = {}) => ask('GET', path, { headers })
  const bearer = (jwt: string) => ({ authorization: `Bearer ${jwt}` })

  const control = async (method: string, path: string, body?: object): Promise<Json> => {
    const answered = await ask(
      method,
      `${harness.issuer}/_harness/tenants/${tenant.tenant}${path}`,
      {
        headers: {
          authorization: `Bearer ${harness.controlToken}`,
          'content-type': 'application/json',
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      },
    )
    return answered.body
  }

  return {
    tenant,
    agent,
    own,
    ask,
    form,
    token,
    get,
    bearer,
    control,
    post: (path: string, body: object, headers: Record<string, string> = {}) =>
      ask('POST', path, {
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
    /** The own token of an agent; the first unless named. */
    agentToken: async (name?: string, fields: Fields = {}): Promise<string> => {
      const it = tenant.agents.find((one) => one.name === name) ?? agent
      const { body } = await token({
        grant_type: 'client_credentials',
        client_id: it.client_id,
        client_secret: it.client_secret,
        ...fields,
      })
      return body.access_token
    },
    userToken: async (order: object = {}): Promise<string> =>
      (await control('POST', '/user-token', { user: 'alice@example.com', ...order })).access_token,
    exchange: (fields: Fields) =>
      token({ grant_type: tokenExchange, subject_token_type: accessTokenType, ...fields }),
    /** An assertion as a careful client makes it; claims and header members given here replace its own. */
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

const encoded = (fields: Fields) => {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) {
    for (const one of [value ?? []].flat()) parameters.append(name, one)
  }
  return parameters
}

const json = (text: string): Json => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
