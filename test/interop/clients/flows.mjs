// Real OAuth clients, unmodified, through every flow they know. Prints one row of JSON a flow.
import { once } from 'node:events'
import * as mcp from '@modelcontextprotocol/sdk/client/auth.js'
import express from 'express'
import { auth as bearerOf } from 'express-oauth2-jwt-bearer'
import jwksClient from 'jwks-rsa'
import * as oauth from 'oauth4webapi'
import * as oidc from 'openid-client'

const { ISSUER, API, CONTROL, CONTROL_TOKEN, AGENT_ID, AGENT_SECRET, WEB_SECRET } = process.env
const callback = 'http://127.0.0.1:8765/callback'
const insecure = { [oauth.allowInsecureRequests]: true }

/** What a person does on the consent page: choose Alice, allow. Returns where the browser is sent. */
const consent = async (url, fields = {}) => {
  const page = await fetch(url, { redirect: 'manual' })
  const html = await page.text()
  if (page.status !== 200) throw new Error(`${page.status} ${page.headers.get('location') ?? html}`)
  const hidden = [...html.matchAll(/name="([^"]+)" value="([^"]*)"/g)]
    .filter(([, name]) => name !== 'decision')
    .map(([, name, value]) => [name, value.replaceAll('&amp;', '&').replaceAll('&quot;', '"')])
  const body = new URLSearchParams(hidden.filter(([name]) => name !== 'user'))
  body.append('user', 'alice@example.com')
  body.append('decision', 'allow')
  for (const [name, value] of Object.entries(fields)) body.set(name, value)
  const cookie = page.headers.get('set-cookie')?.split(';')[0] ?? ''
  const target = new URL(url)
  if (body.has('user_code')) target.search = ''
  const sent = await fetch(target, {
    method: 'POST',
    body,
    headers: { cookie },
    redirect: 'manual',
  })
  const location = sent.headers.get('location')
  return location === null ? undefined : new URL(location)
}

const control = (path, body) =>
  fetch(CONTROL + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${CONTROL_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

const must = (truth, says) => {
  if (!truth) throw new Error(says)
}

let failed = 0
const flow = async (client, name, run) => {
  try {
    await run()
    console.log(JSON.stringify({ client, flow: name, ok: true }))
  } catch (error) {
    failed += 1
    const cause = error.cause instanceof Error ? `: ${error.cause.message}` : ''
    const why = `${error.code ?? error.name}: ${error.message}${cause}`.slice(0, 300)
    console.log(JSON.stringify({ client, flow: name, ok: false, why }))
  }
}

const open = { execute: [oidc.allowInsecureRequests] }
const discover = (id, secret, how, options = open) =>
  oidc.discovery(new URL(ISSUER), id, secret, how, options)

/** A login with PKCE, state and nonce. */
const signIn = async (config, more = {}) => {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
  const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()]
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: callback,
    scope: 'openid email offline_access',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
    ...more,
  })
  const back = await consent(url)
  return oidc.authorizationCodeGrant(config, back, {
    pkceCodeVerifier,
    expectedState,
    expectedNonce,
    idTokenExpected: true,
  })
}

const name = 'openid-client 6.9.0'
await flow(name, 'OIDC discovery', () => discover('web', WEB_SECRET))
await flow(name, 'RFC 8414 discovery', () =>
  discover('web', WEB_SECRET, undefined, { ...open, algorithm: 'oauth2' }),
)
for (const [how, method] of [
  ['client_secret_post', oidc.ClientSecretPost],
  ['client_secret_basic', oidc.ClientSecretBasic],
]) {
  await flow(name, `client_credentials by ${how}`, async () => {
    const config = await discover(AGENT_ID, undefined, method(AGENT_SECRET))
    const tokens = await oidc.clientCredentialsGrant(config, { scope: 'read:documents' })
    must(tokens.scope === 'read:documents', `scope ${tokens.scope}`)
  })
}
await flow(
  name,
  'code, ID token signature, userinfo, refresh, introspection, revocation',
  async () => {
    const config = await discover('web', WEB_SECRET, oidc.ClientSecretBasic(WEB_SECRET))
    oidc.enableNonRepudiationChecks(config)
    const tokens = await signIn(config)
    const info = await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)
    must(info.email === 'alice@example.com', JSON.stringify(info))
    const next = await oidc.refreshTokenGrant(config, tokens.refresh_token)
    must((await oidc.tokenIntrospection(config, next.access_token)).active, 'inactive')
    await oidc.tokenRevocation(config, next.refresh_token)
    must(!(await oidc.tokenIntrospection(config, next.access_token)).active, 'still active')
  },
)
await flow(name, 'public client: code, refresh, revocation by client_id alone', async () => {
  const config = await discover('spa', undefined, oidc.None())
  const tokens = await signIn(config)
  const next = await oidc.refreshTokenGrant(config, tokens.refresh_token)
  await oidc.tokenRevocation(config, next.refresh_token)
  const again = await oidc.refreshTokenGrant(config, next.refresh_token).catch((it) => it)
  must(again.error === 'invalid_grant', 'the refresh token lives on')
})
await flow(name, 'registration, private_key_jwt, pushed request', async () => {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ])
  const jwk = { ...(await crypto.subtle.exportKey('jwk', pair.publicKey)), kid: 'k1', alg: 'ES256' }
  const config = await oidc.dynamicClientRegistration(
    new URL(ISSUER),
    {
      redirect_uris: [callback],
      grant_types: [
        'authorization_code',
        'refresh_token',
        'urn:ietf:params:oauth:grant-type:jwt-bearer',
      ],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwk] },
    },
    oidc.PrivateKeyJwt({ key: pair.privateKey, kid: 'k1' }),
    open,
  )
  const verifier = oidc.randomPKCECodeVerifier()
  const url = await oidc.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: callback,
    scope: 'openid',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  const tokens = await oidc.authorizationCodeGrant(config, await consent(url), {
    pkceCodeVerifier: verifier,
  })
  must(tokens.claims().sub === 'user:alice', 'another user')
})
await flow(name, 'token exchange', async () => {
  const config = await discover(AGENT_ID, undefined, oidc.ClientSecretPost(AGENT_SECRET))
  const own = await oidc.clientCredentialsGrant(config, { scope: 'read:documents' })
  const tokens = await oidc.genericGrantRequest(
    config,
    'urn:ietf:params:oauth:grant-type:token-exchange',
    {
      subject_token: own.access_token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      resource: API,
    },
  )
  must(tokens.issued_token_type.endsWith('access_token'), 'no issued_token_type')
})
await flow(name, 'device authorization', async () => {
  const config = await discover('spa', undefined, oidc.None())
  const device = await oidc.initiateDeviceAuthorization(config, { scope: 'openid' })
  await consent(device.verification_uri_complete)
  const tokens = await oidc.pollDeviceAuthorizationGrant(config, device)
  must(tokens.claims().sub === 'user:alice', 'another user')
})
await flow(name, 'CIBA with authorization_details', async () => {
  const config = await discover(AGENT_ID, undefined, oidc.ClientSecretPost(AGENT_SECRET))
  const asked = await oidc.initiateBackchannelAuthentication(config, {
    login_hint: 'alice@example.com',
    binding_message: 'Read doc_9982',
    authorization_details: JSON.stringify([
      { type: 'file_access', actions: ['read'], identifier: 'doc_9982' },
    ]),
  })
  const tokens = await oidc.pollBackchannelAuthenticationGrant(config, asked)
  must(tokens.jit_request_id === asked.auth_req_id, 'no jit_request_id')
})

const other = 'oauth4webapi 3.8.8'
const agentToken = async (resource = API) => {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: AGENT_ID,
    client_secret: AGENT_SECRET,
    resource,
  })
  return (await (await fetch(`${ISSUER}/oauth/token`, { method: 'POST', body })).json())
    .access_token
}
await flow(other, 'resource metadata of the API lead to its issuer', async () => {
  const resource = new URL(API)
  const response = await oauth.resourceDiscoveryRequest(resource, insecure)
  const metadata = await oauth.processResourceDiscoveryResponse(resource, response)
  const issuer = new URL(metadata.authorization_servers[0])
  const found = await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' })
  must((await oauth.processDiscoveryResponse(issuer, found)).issuer === ISSUER, 'another issuer')
})
await flow(other, 'JWT access token, across a rotation of the keys', async () => {
  const issuer = new URL(ISSUER)
  const response = await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' })
  const server = await oauth.processDiscoveryResponse(issuer, response)
  const validate = async () => {
    const request = new Request(API, { headers: { authorization: `Bearer ${await agentToken()}` } })
    const claims = await oauth.validateJwtAccessToken(server, request, API, insecure)
    must(claims.client_id === AGENT_ID, 'another client')
  }
  // It fetches keys once a minute at most, so the next one is published before it signs.
  const { published } = await (await control('/keys', { algorithm: 'ES256', sign: false })).json()
  await validate()
  await control(`/keys/${published.at(-1)}/sign`, {})
  await validate()
})

await flow('jwks-rsa 4.1.0', 'finds the key of a token after a rotation', async () => {
  const client = jwksClient({ jwksUri: `${ISSUER}/.well-known/jwks.json` })
  const kid = async () => JSON.parse(atob((await agentToken()).split('.')[0])).kid
  const first = await kid()
  must((await client.getSigningKey(first)).kid === first, 'another key')
  await control('/keys', { algorithm: 'RS256' })
  const second = await kid()
  must(first !== second && (await client.getSigningKey(second)).kid === second, 'another key')
})

await flow(
  'express-oauth2-jwt-bearer 1.10.0',
  'admits a token for its audience and no other',
  async () => {
    const guarded = express()
    guarded.use(bearerOf({ issuerBaseURL: ISSUER, audience: API, strict: true }))
    guarded.get('/', (request, response) => response.json(request.auth.payload))
    guarded.use((error, _request, response, _next) => response.status(error.status ?? 500).end())
    const server = guarded.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${server.address().port}/`
    const status = async (token) =>
      (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status
    const got = [
      await status(await agentToken()),
      await status(await agentToken(ISSUER)),
      await status('a.b.c'),
    ]
    server.close()
    must(got.join() === '200,401,401', got.join())
  },
)

await flow(
  '@modelcontextprotocol/sdk 1.32.2',
  'auth(): metadata, registration, code, refresh',
  async () => {
    const kept = {}
    const provider = {
      redirectUrl: callback,
      clientMetadata: {
        client_name: 'MCP client',
        redirect_uris: [callback],
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
      },
      state: () => 'mcp-state',
      clientInformation: () => kept.client,
      saveClientInformation: (client) => Object.assign(kept, { client }),
      tokens: () => kept.tokens,
      saveTokens: (tokens) => Object.assign(kept, { tokens }),
      redirectToAuthorization: (url) => Object.assign(kept, { url }),
      saveCodeVerifier: (verifier) => Object.assign(kept, { verifier }),
      codeVerifier: () => kept.verifier,
    }
    const serverUrl = `${API}/v1/documents`
    must((await mcp.auth(provider, { serverUrl })) === 'REDIRECT', 'no redirect')
    const authorizationCode = (await consent(kept.url)).searchParams.get('code')
    must((await mcp.auth(provider, { serverUrl, authorizationCode })) === 'AUTHORIZED', 'no code')
    const first = kept.tokens.access_token
    must((await mcp.auth(provider, { serverUrl })) === 'AUTHORIZED', 'no refresh')
    must(kept.tokens.access_token !== first, 'the same token')
  },
)

process.exitCode = failed === 0 ? 0 : 1
