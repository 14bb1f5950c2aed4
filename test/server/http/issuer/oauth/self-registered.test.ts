import { describe, expect, it } from 'vitest'
import { type Seed, signedIn } from '../../../../support/signed-in.ts'
import { signIn, world } from './world.ts'

const evil = 'https://evil.example/take'

const seed: Seed = {
  applications: [{ name: 'portal', redirect_uris: ['https://portal.example/cb'], public: true }],
}

/** A stranger's client beside a seeded one. */
const stranger = async (policy: Seed['policy'] = {}) => {
  const here = await signedIn({ principal: 'none', seed: { ...seed, policy } })
  const { body } = await here.anonymous.post('/connect/register').send({
    client_name: 'Stranger',
    redirect_uris: [evil],
    token_endpoint_auth_method: 'none',
  })
  return { ...here, client_id: body.client_id as string }
}

const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
const request = (client_id: string, redirect_uri: string, more: object = {}) => ({
  client_id,
  redirect_uri,
  response_type: 'code',
  code_challenge: challenge,
  code_challenge_method: 'S256',
  ...more,
})

describe('a client that registered itself', () => {
  it.each([
    ['prompt=none', { prompt: 'none' }],
    ['an unknown scope', { scope: 'root' }],
    ['no code_challenge', { code_challenge: undefined }],
    ['an unknown response_type', { response_type: 'token' }],
  ])('is no open redirect: the authorization request with %s gets a page', async (_, more) => {
    const { anonymous, client_id } = await stranger()

    const { status, headers, text } = await anonymous
      .get('/oauth/authorize')
      .query(request(client_id, evil, more))

    expect(status).toBe(400)
    expect(headers.location).toBeUndefined()
    expect(text).not.toContain(`href="${evil}`)
  })

  it('is no open redirect: logout shows a page, where a seeded client is redirected', async () => {
    const { anonymous, client_id } = await stranger()
    const logout = (id: string, uri: string) =>
      anonymous.get('/oauth/logout').query({ client_id: id, post_logout_redirect_uri: uri })

    const own = await logout(client_id, evil)
    const seeded = await logout('portal', 'https://portal.example/cb')

    expect([own.status, own.headers.location]).toEqual([200, undefined])
    expect([seeded.status, seeded.headers.location]).toEqual([302, 'https://portal.example/cb'])
  })

  it.each([
    ['a line break', 'https://a.example/\r\nset-cookie:x'],
    ['a tab', 'https://a.example/\tcb'],
    ['a zero', 'https://a.example/\0'],
    ['credentials', 'https://user:secret@a.example/cb'],
    ['another normal form', 'https://A.example/../cb'],
    ['a directive of the CSP', 'https://x;sandbox'],
    ['a space in the host', 'https://a b.example/cb'],
  ])('is refused with %s in its redirect_uri', async (_, uri) => {
    const { anonymous } = await stranger()

    const { status, body } = await anonymous
      .post('/connect/register')
      .send({ client_name: 'Stranger', redirect_uris: [uri], token_endpoint_auth_method: 'none' })

    expect([status, body.error]).toEqual([400, 'invalid_redirect_uri'])
  })

  it('has a tenth of the pushed requests, so that a seeded client still has room', async () => {
    const { anonymous, client_id } = await stranger({ limits: { pushed_requests: 30 } })
    const push = (id: string, uri: string) =>
      anonymous.post('/oauth/par').type('form').send(request(id, uri))

    const statuses: number[] = []
    for (let times = 0; times < 5; times += 1) statuses.push((await push(client_id, evil)).status)

    expect(statuses).toEqual([201, 201, 201, 429, 429])
    expect((await push('portal', 'https://portal.example/cb')).status).toBe(201)
  })

  it.each([
    ['tokens', 'exchanging'],
    ['refresh_tokens', 'refreshing'],
  ] as const)('has a tenth of the %s: %s is refused above it', async (limit, way) => {
    const at = world({ ...seed, policy: { limits: { [limit]: 30 } } })
    const { body: own } = await at.request
      .post('/connect/register')
      .send({ redirect_uris: [evil], token_endpoint_auth_method: 'none' })
    const order = { redirect_uri: evil, user: 'alice@example.com', scope: 'openid offline_access' }
    let held = await signIn(at, { client_id: own.client_id }, order)

    const statuses: number[] = []
    for (let times = 0; times < 4; times += 1) {
      const { status, body } =
        way === 'exchanging'
          ? await at.exchange({ subject_token: held.access_token })
          : await at.token({
              grant_type: 'refresh_token',
              refresh_token: held.refresh_token,
              client_id: own.client_id,
            })
      statuses.push(status)
      if (status === 200 && way === 'refreshing') held = body
    }

    expect(statuses).toEqual([200, 200, 429, 429])
    expect(await at.agentToken()).toBeDefined()
  })

  it('never adds the scope jit:approve or the right to act for others', async () => {
    const { anonymous } = await stranger()
    for (const scope of ['jit:approve', 'delegate:on_behalf']) {
      const { status, body } = await anonymous
        .post('/connect/register')
        .send({ redirect_uris: [evil], token_endpoint_auth_method: 'none', scope })

      expect([status, body.error]).toEqual([400, 'invalid_client_metadata'])
    }
  })
})
