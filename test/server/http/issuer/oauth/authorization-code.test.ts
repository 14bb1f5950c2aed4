import { describe, expect, it } from 'vitest'
import type { Seed } from '../../../../support/signed-in.ts'
import type { Response } from '../../../../support/supertest.ts'
import { challenge, claimsOf, delegation, verifier, world } from './world.ts'

const redirect_uri = 'https://app.test/callback'
const seed: Seed = {
  clock: '2026-01-01T00:00:00Z',
  users: [
    { email: 'alice@example.com', name: 'Alice <Analyst>' },
    { email: 'bob@example.com', name: 'Bob', permissions: ['jit.approve'] },
  ],
  applications: [
    { name: 'web-app', redirect_uris: [redirect_uri] },
    {
      name: 'cli-app',
      redirect_uris: ['http://127.0.0.1/cb', 'com.example.app:/cb'],
      public: true,
    },
    { name: 'other-app', redirect_uris: ['https://other.test/cb'] },
  ],
}

const request = {
  response_type: 'code',
  client_id: 'web-app',
  redirect_uri,
  scope: 'openid profile read:documents',
  state: 'xyz&<"',
  nonce: 'n-1',
  code_challenge: challenge,
  code_challenge_method: 'S256',
}

type World = ReturnType<typeof world>
type Parameters = Readonly<Record<string, string | undefined>>

const queryOf = (parameters: Parameters) =>
  new URLSearchParams(
    Object.entries(parameters).filter((it): it is [string, string] => it[1] !== undefined),
  )

const open = (at: World, parameters: Parameters = {}) =>
  at.request.get(`/oauth/authorize?${queryOf({ ...request, ...parameters })}`)

/** What a browser would send back from the page: every hidden field, unchanged. */
const fieldsOf = (page: string): Record<string, string> =>
  Object.fromEntries(
    [...page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(
      ([, name = '', value = '']) => [name, unescaped(value)],
    ),
  )

const unescaped = (text: string) =>
  text.replaceAll(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))

const decide = async (at: World, parameters: Parameters = {}, decision = 'allow') => {
  const { text, headers } = await open(at, parameters)
  const cookie = headers['set-cookie']?.[0]?.split(';', 1)[0] ?? ''
  return at.request
    .post('/oauth/authorize')
    .set({ cookie, origin: 'https://issuer.lumoauth.test' })
    .type('form')
    .send({ ...fieldsOf(text), user: 'user:alice', decision })
}

const location = (answered: Pick<Response, 'headers'>) =>
  new URL(answered.headers.location ?? 'about:blank')

const codeFor = async (at: World, parameters?: Parameters) =>
  location(await decide(at, parameters)).searchParams.get('code') ?? ''

const redeem = async (at: World, code: string, fields: Parameters = {}) =>
  at.token({
    grant_type: 'authorization_code',
    code,
    redirect_uri,
    code_verifier: verifier,
    ...credentials(at, 'web-app'),
    ...fields,
  })

const credentials = (at: World, name: string) => {
  const { client_id, client_secret } = at.tenant.applications.find((it) => it.name === name) ?? {}
  return { client_id, client_secret }
}

const refreshed = (at: World, refresh_token: string, fields: Parameters = {}) =>
  at.token({
    grant_type: 'refresh_token',
    refresh_token,
    ...credentials(at, 'web-app'),
    ...fields,
  })

const isAlive = async (at: World, token: string) => {
  const { body } = await at.request
    .post('/oauth/introspect')
    .type('form')
    .send({ token, ...credentials(at, 'web-app') })
  return body.active
}

describe('the authorization page', () => {
  it.each<[string, Parameters]>([
    ['an unknown client', { client_id: 'unknown-client' }],
    ['no redirect_uri', { redirect_uri: undefined }],
    ['an unregistered redirect_uri', { redirect_uri: 'https://evil.test/' }],
    ['a longer redirect_uri', { redirect_uri: `${redirect_uri}/more` }],
    ['a redirect_uri with an added query', { redirect_uri: `${redirect_uri}?x=1` }],
    [
      'a redirect_uri on a host with the same beginning',
      { redirect_uri: 'https://app.test.evil.test/callback' },
    ],
    ['an invalid port', { client_id: 'cli-app', redirect_uri: 'http://127.0.0.1:99999/cb' }],
    [
      'loopback as userinfo of the URL',
      { client_id: 'cli-app', redirect_uri: 'http://127.0.0.1:80@evil.test/cb' },
    ],
    ['a javascript: URI', { redirect_uri: 'javascript:alert(1)' }],
  ])('never redirects for %s', async (_name, parameters) => {
    const { status, headers, text } = await open(world(seed), parameters)

    expect(status).toBe(400)
    expect(headers.location).toBeUndefined()
    expect(headers['content-type']).toMatch(/^text\/html/)
    expect(text).not.toContain('<form')
  })

  it.each<[string, Parameters, string]>([
    ['another response_type', { response_type: 'token' }, 'unsupported_response_type'],
    ['another response_mode', { response_mode: 'fragment' }, 'invalid_request'],
    ['a scope that is not registered', { scope: 'openid admin' }, 'invalid_scope'],
    ['a plain challenge', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['a challenge too short', { code_challenge: 'abc' }, 'invalid_request'],
    ['prompt=none', { prompt: 'none' }, 'login_required'],
    ['an unknown resource', { resource: 'https://unknown.test' }, 'invalid_target'],
    [
      'malformed authorization_details',
      { authorization_details: '{}' },
      'invalid_authorization_details',
    ],
    [
      'an unknown request_uri',
      { request_uri: 'urn:ietf:params:oauth:request_uri:x' },
      'invalid_request_uri',
    ],
    ['an unknown actor', { requested_actor: 'unknown-agent' }, 'invalid_request'],
  ])('redirects to the client with an error for %s', async (_name, parameters, error) => {
    const at = world(seed)
    const answered = await open(at, parameters)

    const { origin, searchParams } = location(answered)
    expect(answered.status).toBe(302)
    expect(origin).toBe('https://app.test')
    expect(searchParams.get('error')).toBe(error)
    expect(searchParams.get('state')).toBe(request.state)
    expect(searchParams.get('iss')).toBe(at.tenant.urls.tenant)
    expect(searchParams.get('code')).toBeNull()
  })

  it('requires PKCE from a public client, and from all clients if the dialect says so', async () => {
    const without = { code_challenge: undefined, code_challenge_method: undefined }
    const cli = { client_id: 'cli-app', redirect_uri: 'http://127.0.0.1:9/cb', ...without }

    const publicly = await open(world(seed), cli)
    const confidential = await open(world(seed), without)
    const all = await open(world({ ...seed, dialect: { pkce: 'all' } }), without)

    expect(location(publicly).searchParams.get('error')).toBe('invalid_request')
    expect(confidential.status).toBe(200)
    expect(location(all).searchParams.get('error')).toBe('invalid_request')
  })

  it('lists the users, escapes texts from clients, and runs no script', async () => {
    const { status, text, headers } = await open(world(seed), { login_hint: 'bob@example.com' })

    expect(status).toBe(200)
    expect(text).toContain('Alice &#60;Analyst&#62;')
    expect(text).not.toContain('<Analyst>')
    expect(text).toContain('value="xyz&#38;&#60;&#34;"')
    expect(text).toMatch(/value="user:bob" required checked/)
    expect(text).not.toContain('<script')
    const policy = headers['content-security-policy'] ?? ''
    expect(policy).toContain("default-src 'none'")
    // Browsers would apply it to every redirect after the callback.
    expect(policy).not.toContain('form-action')
    expect(policy).toContain("frame-ancestors 'none'")
    const [, ...attributes] = headers['set-cookie']?.[0]?.split('; ') ?? []
    expect(attributes.sort()).toEqual(['HttpOnly', 'Path=/', 'SameSite=Lax', 'Secure'])
  })

  it('rejects a form without its cookie, with another cookie, or from another origin', async () => {
    const at = world(seed)
    const { text, headers } = await open(at)
    const cookie = headers['set-cookie']?.[0]?.split(';', 1)[0] ?? ''
    const fields = { ...fieldsOf(text), user: 'user:alice', decision: 'allow' }

    const attempts = [
      await at.request.post('/oauth/authorize').type('form').send(fields),
      await at.request
        .post('/oauth/authorize')
        .set({ cookie: 'lumoauth_consent=guess' })
        .type('form')
        .send(fields),
      // Cookies ignore ports: another program on this machine may have set one.
      await at.request
        .post('/oauth/authorize')
        .set({ cookie: 'lumoauth_consent=planted' })
        .type('form')
        .send({ ...fields, csrf: 'planted' }),
      // A page shown for a narrower request must not authorize a wider one.
      await at.request
        .post('/oauth/authorize')
        .set({ cookie })
        .type('form')
        .send({ ...fields, scope: 'openid read:documents write:reports' }),
      ...(await Promise.all(
        [
          'https://evil.test',
          'http://localhost:3000',
          'http://issuer.lumoauth.test',
          'https://127.0.0.1',
          'http://[::1]:8080',
          'null',
        ].map((origin) =>
          at.request.post('/oauth/authorize').set({ cookie, origin }).type('form').send(fields),
        ),
      )),
    ]

    expect([...new Set(attempts.map(({ status }) => status))]).toEqual([403])
    expect(at.tenant.journal().some(({ type }) => type === 'grant.given')).toBe(false)
  })

  it('accepts the decision of each page that a browser has open', async () => {
    const at = world(seed)
    const first = await open(at, { state: 'first' })
    const cookieOf = ({ headers }: Response) => headers['set-cookie']?.[0]?.split(';', 1)[0] ?? ''
    const second = await at.request
      .get(`/oauth/authorize?${queryOf({ ...request, state: 'second' })}`)
      .set({ cookie: cookieOf(first) })
    const cookie = cookieOf(second)
    const decided = ({ text }: Response) =>
      at.request
        .post('/oauth/authorize')
        .set({ cookie })
        .type('form')
        .send({ ...fieldsOf(text), user: 'user:alice', decision: 'allow' })

    const answers = [await decided(first), await decided(second)]

    expect(answers.map((it) => location(it).searchParams.get('state'))).toEqual(['first', 'second'])
  })

  it('redirects with code, state and iss', async () => {
    const at = world(seed)
    const answered = await decide(at)

    const { origin, pathname, searchParams } = location(answered)
    expect(answered.status).toBe(303)
    expect(origin + pathname).toBe(redirect_uri)
    expect(searchParams.get('code')).toMatch(/^code_[0-9a-f]{16}/)
    expect(searchParams.get('state')).toBe(request.state)
    expect(searchParams.get('iss')).toBe(at.tenant.urls.tenant)
  })

  it('redirects with access_denied when the person denies', async () => {
    const answered = await decide(world(seed), {}, 'deny')

    expect(location(answered).searchParams.get('error')).toBe('access_denied')
  })

  it('accepts a loopback redirect_uri on every port, and a private-use scheme', async () => {
    const at = world(seed)
    const loopback = await decide(at, {
      client_id: 'cli-app',
      redirect_uri: 'http://127.0.0.1:51004/cb',
    })
    const scheme = await decide(at, { client_id: 'cli-app', redirect_uri: 'com.example.app:/cb' })

    expect(location(loopback).port).toBe('51004')
    expect(location(scheme).href).toMatch(/^com\.example\.app:\/cb\?code=/)
  })
})

describe('redeeming a code', () => {
  it.each<[string, Parameters, string]>([
    ['no verifier', { code_verifier: undefined }, 'invalid_grant'],
    ['another verifier', { code_verifier: 'x'.repeat(43) }, 'invalid_grant'],
    ['a verifier too short', { code_verifier: 'x' }, 'invalid_grant'],
    ['another redirect_uri', { redirect_uri: 'https://app.test/other' }, 'invalid_grant'],
    ['no redirect_uri', { redirect_uri: undefined }, 'invalid_request'],
    ['another code', { code: 'code_guess' }, 'invalid_grant'],
    [
      'a resource that was not consented to',
      { resource: 'https://unknown.test' },
      'invalid_target',
    ],
  ])('gets an error for %s', async (_name, fields, error) => {
    const at = world(seed)
    const code = await codeFor(at)

    const { status, body } = await redeem(at, code, fields)

    expect(status).toBe(400)
    expect(body.error).toBe(error)
  })

  it('gets invalid_grant for another client, and still works for the first', async () => {
    const at = world(seed)
    const code = await codeFor(at)

    const stolen = await redeem(at, code, credentials(at, 'other-app'))
    const own = await redeem(at, code)

    expect(stolen.body.error).toBe('invalid_grant')
    expect(own.status).toBe(200)
  })

  it('gets invalid_grant after ten minutes', async () => {
    const at = world(seed)
    const code = await codeFor(at)

    at.tenant.clock.advance(600)

    expect((await redeem(at, code)).body.error).toBe('invalid_grant')
  })

  it('gets invalid_grant the second time, and revokes the tokens of the first time', async () => {
    const at = world(seed)
    const code = await codeFor(at)
    const { body: first } = await redeem(at, code)

    const { status, body } = await redeem(at, code)

    expect([status, body.error]).toEqual([400, 'invalid_grant'])
    expect(await isAlive(at, first.access_token)).toBe(false)
    expect((await refreshed(at, first.refresh_token)).body.error).toBe('invalid_grant')
  })

  it('gets invalid_grant with a code_verifier when no code_challenge was sent', async () => {
    const at = world(seed)
    const code = await codeFor(at, { code_challenge: undefined, code_challenge_method: undefined })

    expect((await redeem(at, code)).body.error).toBe('invalid_grant')
    expect((await redeem(at, code, { code_verifier: undefined })).status).toBe(200)
  })

  it('returns a user’s access token, a refresh token and an ID token', async () => {
    const at = world(seed)
    const { body } = await redeem(at, await codeFor(at))

    const access = claimsOf(body.access_token)
    const id = claimsOf(body.id_token)
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 3600, scope: request.scope })
    expect(access).toMatchObject({ sub: 'user:alice', client_id: 'web-app' })
    expect(id).toMatchObject({
      iss: at.tenant.urls.tenant,
      sub: 'user:alice',
      aud: 'web-app',
      nonce: 'n-1',
      given_name: 'Alice',
    })
    expect(id).not.toHaveProperty('email')
  })

  it('leaves neither code nor tokens in the journal or the recorded exchanges', async () => {
    const at = world(seed)
    const code = await codeFor(at)
    const { body } = await redeem(at, code)
    await refreshed(at, body.refresh_token)

    const kept = JSON.stringify([at.tenant.journal(), at.tenant.exchanges()])

    for (const secret of [code, body.refresh_token, body.access_token, body.id_token, verifier]) {
      expect(kept).not.toContain(secret)
    }
  })

  it('JWT-11: returns an ID token that is no access token', async () => {
    const at = world({ ...seed, dialect: { token_typ: 'JWT' } })
    const { body } = await redeem(at, await codeFor(at))

    expect((await at.as(body.id_token).get('/oauth/userinfo')).status).toBe(401)
    expect((await at.as(body.access_token).get('/oauth/userinfo')).status).toBe(200)
  })

  it('needs no secret for a public client, and one for every other client', async () => {
    const at = world(seed)
    const cli = { client_id: 'cli-app', redirect_uri: 'http://127.0.0.1:7/cb' }
    const code = await codeFor(at, cli)

    const publicly = await redeem(at, code, { ...cli, client_secret: undefined })
    const web = await redeem(at, await codeFor(at), { client_secret: undefined })

    expect(publicly.status).toBe(200)
    expect([web.status, web.body.error]).toEqual([401, 'invalid_client'])
  })

  it('RAR-09: carries the details the person saw, or fewer', async () => {
    const at = world(seed)
    const detail = { type: 'file_access', actions: ['read', 'write'], identifier: 'q4.pdf' }
    const parameters = { authorization_details: JSON.stringify([detail]) }
    const page = await open(at, parameters)
    const { body } = await redeem(at, await codeFor(at, parameters))
    const fewer = JSON.stringify([{ ...detail, actions: ['read'] }])

    const narrowed = await refreshed(at, body.refresh_token, { authorization_details: fewer })

    expect(page.text).toContain('q4.pdf')
    expect(body.authorization_details).toEqual([detail])
    expect(claimsOf(body.access_token).authorization_details).toEqual([detail])
    expect(narrowed.body.authorization_details).toEqual(JSON.parse(fewer))
  })

  it('allows delegation with the access token or the ID token', async () => {
    const at = world(seed)
    const { body } = await redeem(at, await codeFor(at, { requested_actor: 'report-bot' }))
    const actor = await at.agentToken()

    const byAccess = await at.exchange(delegation(body.access_token, actor))
    const byId = await at.exchange({
      ...delegation(body.id_token, actor),
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    })

    expect(byAccess.body.scope).toBe('read:documents')
    expect(claimsOf(byId.body.access_token)).toMatchObject({
      sub: 'user:alice',
      act: { sub: 'agent:report-bot' },
    })
  })
})

describe('a refresh token', () => {
  it('works once; a second use revokes the whole grant', async () => {
    const at = world(seed)
    const { body: first } = await redeem(at, await codeFor(at))
    const { body: second } = await refreshed(at, first.refresh_token)

    const stolen = await refreshed(at, first.refresh_token)

    expect(second.refresh_token).not.toBe(first.refresh_token)
    expect([stolen.status, stolen.body.error]).toEqual([400, 'invalid_grant'])
    expect((await refreshed(at, second.refresh_token)).body.error).toBe('invalid_grant')
    expect(await isAlive(at, second.access_token)).toBe(false)
  })

  it.each<[string, Parameters, string]>([
    ['a wider scope', { scope: 'openid email' }, 'invalid_scope'],
    ['nothing', { refresh_token: undefined }, 'invalid_request'],
  ])('is refused for %s, and stays valid', async (_name, fields, error) => {
    const at = world(seed)
    const { body } = await redeem(at, await codeFor(at))

    const refused = await refreshed(at, body.refresh_token, fields)

    expect(refused.body.error).toBe(error)
    expect((await refreshed(at, body.refresh_token)).status).toBe(200)
  })

  it('with a narrower scope narrows one token, not the grant', async () => {
    const at = world(seed)
    const { body } = await redeem(at, await codeFor(at))

    const { body: narrow } = await refreshed(at, body.refresh_token, { scope: 'openid' })
    const { body: wide } = await refreshed(at, narrow.refresh_token)

    expect(narrow.scope).toBe('openid')
    expect(wide.scope).toBe(request.scope)
  })

  it('expires after thirty days', async () => {
    const at = world(seed)
    const { body } = await redeem(at, await codeFor(at))

    at.tenant.clock.advance('P29D')
    const { body: later } = await refreshed(at, body.refresh_token)
    at.tenant.clock.advance('P30D')

    expect((await refreshed(at, later.refresh_token)).body.error).toBe('invalid_grant')
  })

  it('REV-05: is unknown to other clients, and its revocation revokes all tokens of the grant', async () => {
    const at = world(seed)
    const { body } = await redeem(at, await codeFor(at))
    const { body: delegated } = await at.exchange(
      delegation(body.access_token, await at.agentToken()),
    )
    const ofOther = { token: body.refresh_token, ...credentials(at, 'other-app') }

    const { body: foreign } = await at.request.post('/oauth/introspect').type('form').send(ofOther)
    await at.request.post('/oauth/revoke').type('form').send(ofOther)
    const stillAlive = await isAlive(at, body.refresh_token)
    await at.request
      .post('/oauth/revoke')
      .type('form')
      .send({ token: body.refresh_token, ...credentials(at, 'web-app') })

    expect(foreign).toEqual({ active: false })
    expect(stillAlive).toBe(true)
    expect(await isAlive(at, body.refresh_token)).toBe(false)
    expect(await isAlive(at, body.access_token)).toBe(false)
    expect(await isAlive(at, delegated.access_token)).toBe(false)
  })
})

describe('a pushed authorization request (RFC 9126)', () => {
  const pushed = (at: World, fields: Parameters = {}) =>
    at.request
      .post('/oauth/par')
      .type('form')
      .send({ ...request, ...credentials(at, 'web-app'), ...fields })

  it.each<[string, Parameters, number]>([
    ['no credentials', { client_secret: undefined }, 401],
    ['an unregistered address', { redirect_uri: 'https://evil.test' }, 400],
    ['another pushed request', { request_uri: 'urn:x' }, 400],
    ['a scope that is not registered', { scope: 'admin' }, 400],
  ])('is refused for %s', async (_name, fields, status) => {
    expect((await pushed(world(seed), fields)).status).toBe(status)
  })

  it('yields a request_uri for its own client, valid for 90 seconds', async () => {
    const at = world(seed)
    const { status, body } = await pushed(at)
    const { request_uri } = body
    const by = (client_id: string) =>
      at.request.get(`/oauth/authorize?${queryOf({ client_id, request_uri })}`)

    const own = await by('web-app')
    const foreign = await by('other-app')
    at.tenant.clock.advance(90)
    const late = await by('web-app')

    expect([status, body.expires_in]).toEqual([201, 90])
    expect(fieldsOf(own.text)).toMatchObject({ scope: request.scope, state: request.state })
    expect([own.status, foreign.status, late.status]).toEqual([200, 400, 400])
  })

  it.each(['allow', 'deny'])(
    'is used once: after "%s" its request_uri is refused',
    async (decision) => {
      const at = world(seed)
      const { request_uri } = (await pushed(at)).body
      const asked = { client_id: 'web-app', request_uri }
      const opened = () => at.request.get(`/oauth/authorize?${queryOf(asked)}`)
      const decided = async ({ text, headers }: Response) =>
        at.request
          .post('/oauth/authorize')
          .set({ cookie: headers['set-cookie']?.[0]?.split(';', 1)[0] ?? '' })
          .type('form')
          .send({ ...fieldsOf(text), user: 'user:alice', decision })
      const [first, reloaded] = [await opened(), await opened()]

      const once = await decided(first)
      const twice = await decided(reloaded)
      const again = await opened()

      expect([first.status, reloaded.status, again.status]).toEqual([200, 200, 400])
      expect(location(once).searchParams.has(decision === 'allow' ? 'code' : 'error')).toBe(true)
      expect(location(twice).searchParams.get('error')).toBe('invalid_request_uri')
      expect(again.text).toContain('The request_uri is used.')
    },
  )

  it.each([
    ['request', 'request_not_supported'],
    ['registration', 'registration_not_supported'],
  ])('is refused with %s, which is not supported', async (name, error) => {
    const { status, body } = await pushed(world(seed), { [name]: 'x' })

    expect([status, body.error]).toEqual([400, error])
  })
})
