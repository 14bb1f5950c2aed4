import { createHash } from 'node:crypto'
import { afterAll, describe } from 'vitest'
import { consentMisbehaviours } from '../../../../server/misbehaviours/issuer/consent.ts'
import type { Response } from '../../../support/supertest.ts'
import { decode, misbehavingHarness, type Probe, prove, type World } from '../world.ts'

const { harness, tenant } = await misbehavingHarness()
afterAll(() => harness.close())

const redirect_uri = 'http://127.0.0.1/callback'
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const pkce = {
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
}

type Fields = Readonly<Record<string, string>>

const usual: Fields = { response_type: 'code', client_id: 'report-bot', redirect_uri, state: 's 1' }

/** The authorization page, or the URL it redirects to instead. */
const open = (world: World, more: Fields = {}) =>
  world.anonymous.get(`/oauth/authorize?${new URLSearchParams({ ...usual, ...more }).toString()}`)

/** The person’s decision, as the page sends it. */
const decide = async (world: World, more: Fields = {}, cookie?: string) => {
  const shown = { ...usual, ...more }
  const page = await world.anonymous.get(
    `/oauth/authorize?${new URLSearchParams(shown).toString()}`,
  )
  const [, csrf = 'none'] =
    /lumoauth_consent=([^;]+)/.exec(String(page.headers['set-cookie'])) ?? []
  return world.anonymous
    .post('/oauth/authorize')
    .set({ cookie: cookie ?? `lumoauth_consent=${csrf}` })
    .type('form')
    .send({ user: 'alice@example.com', decision: 'allow', csrf, ...shown })
}

/** A parameter of the URL that the person is redirected to. */
const told = ({ headers }: Pick<Response, 'headers'>, name: string) =>
  new URL(headers.location ?? '').searchParams.get(name)

const codeOf = async (world: World, more: Fields = {}) =>
  URL.parse((await decide(world, more)).headers.location ?? '')?.searchParams.get('code') ?? ''

const redeem = (world: World, code: string, more: Fields = {}, client = 'report-bot') =>
  world.anonymous
    .post('/oauth/token')
    .type('form')
    .send({
      ...world.client(client),
      grant_type: 'authorization_code',
      code,
      redirect_uri,
      ...more,
    })

const leave = (world: World, post_logout_redirect_uri: string) =>
  world.anonymous
    .post('/oauth/logout')
    .type('form')
    .send({ client_id: 'report-bot', post_logout_redirect_uri })

const refresh = (world: World, token: string) =>
  world.anonymous
    .post('/oauth/token')
    .type('form')
    .send({ ...world.client(), grant_type: 'refresh_token', refresh_token: token })

describe('an issuer that misbehaves when a person consents', () => {
  const probes: Readonly<Record<string, Probe>> = {
    'issuer-ignores-missing-pkce': [
      async (world) => {
        const registered = await world.anonymous
          .post('/connect/register')
          .send({ redirect_uris: [redirect_uri], token_endpoint_auth_method: 'none' })
        return (await open(world, { client_id: registered.body.client_id })).status
      },
      // The client registered itself, so the refusal is a page and no redirect.
      400,
      200,
    ],
    'issuer-accepts-plain-pkce': [
      async (world) => {
        const plain = { code_challenge: verifier, code_challenge_method: 'plain' }
        const code = await codeOf(world, plain)
        const page = await open(world, plain)
        return [page.status, (await redeem(world, code, { code_verifier: verifier })).status]
      },
      [302, 400],
      [200, 200],
    ],
    'issuer-redirects-anywhere': [
      async (world) => {
        const decided = await decide(world, { redirect_uri: 'https://evil.example/' })
        return [decided.status, decided.headers.location?.split('?')[0]]
      },
      [400, undefined],
      [303, 'https://evil.example/'],
    ],
    'issuer-reuses-request-uri': [
      async (world) => {
        const pushed = await world.anonymous
          .post('/oauth/par')
          .type('form')
          .send({ ...usual, ...world.client(), scope: 'openid' })
        const { request_uri } = pushed.body
        const asked = { ...usual, scope: 'openid', request_uri }
        const first = await decide(world, asked)
        return [first.status, (await decide(world, asked)).status]
      },
      [303, 403],
      [303, 303],
    ],
    'issuer-keeps-refusals-from-client': [
      async (world) => (await open(world, { response_type: 'token' })).status,
      302,
      400,
    ],
    'issuer-logs-out-to-anywhere': [
      async (world) => (await leave(world, 'https://evil.example/')).status,
      400,
      303,
    ],
    'issuer-logs-out-by-get-only': [
      async (world) => (await leave(world, redirect_uri)).status,
      303,
      405,
    ],
    'issuer-userinfo-ignores-scope': [
      async (world) => {
        const order = { user: 'alice@example.com', scope: 'openid' }
        const { access_token } = (await world.control.post('/user-token').send(order)).body
        return (await world.userinfo(access_token)).body.email
      },
      undefined,
      'alice@example.com',
    ],
    'issuer-loses-state': [
      async (world) => [
        told(await decide(world), 'state'),
        told(await open(world, { response_type: 'token' }), 'state'),
      ],
      ['s 1', 's 1'],
      [null, null],
    ],
    'issuer-takes-no-for-yes': [
      async (world) => {
        const decided = await decide(world, { decision: 'deny' })
        return [told(decided, 'error'), told(decided, 'code') !== null]
      },
      ['access_denied', false],
      [null, true],
    ],
    'issuer-accepts-forged-consent': [
      async (world) => (await decide(world, {}, 'lumoauth_consent=another')).status,
      403,
      303,
    ],
    'issuer-grants-beyond-consent': [
      async (world) => {
        const code = await codeOf(world, { scope: 'read:documents' })
        return (await redeem(world, code)).body.scope.split(' ').includes('write:reports')
      },
      false,
      true,
    ],
    'issuer-forgets-the-chosen-agent': [
      async (world) => {
        const code = await codeOf(world, { requested_actor: 'report-bot' })
        return decode((await redeem(world, code)).body.access_token).claims.may_act
      },
      { sub: 'agent:report-bot' },
      undefined,
    ],
    'issuer-codes-live-for-a-day': [
      async (world) => {
        const code = await codeOf(world)
        await world.advance('PT1H')
        return (await redeem(world, code)).status
      },
      400,
      200,
    ],

    'issuer-ignores-code-verifier': [
      async (world) => [
        (await redeem(world, await codeOf(world, pkce))).status,
        (await redeem(world, await codeOf(world, pkce), { code_verifier: 'x'.repeat(43) })).status,
        (await redeem(world, await codeOf(world), { code_verifier: verifier })).status,
      ],
      [400, 400, 400],
      [200, 200, 200],
    ],
    'issuer-ignores-redirect-uri': [
      async (world) =>
        (await redeem(world, await codeOf(world), { redirect_uri: 'https://evil.example/' }))
          .status,
      400,
      200,
    ],
    'issuer-redeems-for-others': [
      async (world) => (await redeem(world, await codeOf(world), {}, 'other-bot')).status,
      400,
      200,
    ],
    'issuer-redeems-twice': [
      async (world) => {
        const code = await codeOf(world)
        await redeem(world, code)
        return (await redeem(world, code)).status
      },
      400,
      200,
    ],
    'issuer-keeps-stolen-grants': [
      async (world) => {
        const code = await codeOf(world)
        const { body } = await redeem(world, code)
        const again = await redeem(world, code)
        return [again.status, (await world.introspect(body.access_token)).body.active]
      },
      [400, false],
      [400, true],
    ],
    'issuer-refreshes-again': [
      async (world) => {
        const { body } = await redeem(world, await codeOf(world))
        await refresh(world, body.refresh_token)
        return (await refresh(world, body.refresh_token)).status
      },
      400,
      200,
    ],
  }

  prove(consentMisbehaviours, probes, tenant)
})
