import { describe, expect, it } from 'vitest'
import type { Seed } from '../../../../support/signed-in.ts'
import type { Response } from '../../../../support/supertest.ts'
import { challenge, verifier, world } from './world.ts'

const home = 'https://app.test/'
const callback = 'https://app.test/callback'
const seed: Seed = {
  clock: '2026-01-01T00:00:00Z',
  applications: [
    { name: 'web-app', redirect_uris: [callback], post_logout_redirect_uris: [home] },
    { name: 'plain-app', redirect_uris: [callback] },
  ],
}

type World = ReturnType<typeof world>
type Fields = Readonly<Record<string, string>>

/** By GET and by POST (RP-Initiated Logout §2). */
const ways = ['GET', 'POST'] as const
const leave = (at: World, way: (typeof ways)[number], fields: Fields) =>
  way === 'GET'
    ? at.request.get('/oauth/logout').query(fields)
    : at.request.post('/oauth/logout').type('form').send(fields)

/** Signs Alice in to an application, as a browser does. */
const idTokenFor = async (at: World, client: Fields, redirect_uri = callback): Promise<string> => {
  const asked = {
    response_type: 'code',
    client_id: client.client_id ?? '',
    redirect_uri,
    scope: 'openid',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  }
  const page: Response = await at.request.get('/oauth/authorize').query(asked)
  const cookie = page.headers['set-cookie']?.[0]?.split(';', 1)[0] ?? ''
  const csrf = cookie.split('=')[1]
  const sent = await at.request
    .post('/oauth/authorize')
    .set({ cookie })
    .type('form')
    .send({ ...asked, csrf, user: 'alice@example.com', decision: 'allow' })
  const code = new URL(sent.headers.location ?? '').searchParams.get('code')
  const fields = { grant_type: 'authorization_code', code: code ?? '', redirect_uri }
  return (await at.token({ ...fields, code_verifier: verifier, ...client })).body.id_token
}

const application = (at: World, name: string): Fields => {
  const { client_id = '', client_secret = '' } =
    at.tenant.applications.find((it) => it.name === name) ?? {}
  return { client_id, client_secret }
}

describe.each(ways)('logout by %s', (way) => {
  it.each<[string, Fields, number]>([
    ['nothing', {}, 200],
    ['a registered URI', { client_id: 'web-app', post_logout_redirect_uri: home }, 302],
    ['its redirect_uri', { client_id: 'web-app', post_logout_redirect_uri: callback }, 400],
    [
      'its redirect_uri, where none is registered for logout',
      { client_id: 'plain-app', post_logout_redirect_uri: callback },
      302,
    ],
    ['another URI', { client_id: 'web-app', post_logout_redirect_uri: `${home}x` }, 400],
    ['a URI of no client', { post_logout_redirect_uri: home }, 400],
    ['an unknown client', { client_id: 'unknown', post_logout_redirect_uri: home }, 400],
    ['a hint that is no ID token', { id_token_hint: 'x', client_id: 'web-app' }, 400],
    ['parameters that are not supported', { logout_hint: 'alice', ui_locales: 'de' }, 200],
  ])('with %s', async (_name, fields, status) => {
    const answered = await leave(world(seed), way, { ...fields, state: 's' })

    const expected = status === 302 && way === 'POST' ? 303 : status
    expect(answered.status, answered.text).toBe(expected)
    expect(answered.headers.location).toBe(
      status === 302 ? `${fields.post_logout_redirect_uri}?state=s` : undefined,
    )
    if (status !== 302) expect(answered.headers['content-type']).toMatch(/^text\/html/)
  })

  it('accepts an ID token as hint, also when it is expired, and no other token', async () => {
    const at = world(seed)
    const id_token_hint = await idTokenFor(at, application(at, 'web-app'))
    const access = (await at.token({ grant_type: 'client_credentials', ...at.own })).body
    const shown = { id_token_hint, post_logout_redirect_uri: home }

    const now = await leave(at, way, shown)
    at.tenant.clock.advance('P1D')
    const later = await leave(at, way, shown)
    const other = await leave(at, way, { ...shown, client_id: 'plain-app' })
    const wrong = await leave(at, way, { ...shown, id_token_hint: access.access_token })

    const status = way === 'GET' ? 302 : 303
    expect([now, later, other, wrong].map((it) => it.status)).toEqual([status, status, 400, 400])
    expect(other.text).toContain('issued to another client')
  })

  it('redirects to the registered URI of a self-registered client that shows an ID token', async () => {
    const at = world(seed)
    const registered = await at.request.post('/connect/register').send({
      redirect_uris: ['https://new.test/cb'],
      post_logout_redirect_uris: ['https://new.test/bye'],
    })
    const { client_id, client_secret, post_logout_redirect_uris } = registered.body
    const hint = await idTokenFor(at, { client_id, client_secret }, 'https://new.test/cb')
    const out = { client_id, post_logout_redirect_uri: 'https://new.test/bye' }

    const without = await leave(at, way, out)
    const shown = await leave(at, way, { ...out, id_token_hint: hint })

    expect(post_logout_redirect_uris).toEqual(['https://new.test/bye'])
    expect([without.status, without.headers.location]).toEqual([200, undefined])
    expect(shown.headers.location).toBe('https://new.test/bye')
  })
})

it('refuses to register a post_logout_redirect_uri that is no sound URI', async () => {
  const { status, body } = await world()
    .request.post('/connect/register')
    .send({ redirect_uris: ['https://new.test/cb'], post_logout_redirect_uris: ['javascript:x'] })

  expect([status, body.error]).toEqual([400, 'invalid_redirect_uri'])
  expect(body.error_description).toMatch(/^post_logout_redirect_uris: /)
})
