import { describe, expect, it } from 'vitest'
import type { Client } from '../../../../server/issuer/event.ts'
import { registerClient, useAssertion } from '../../../../server/issuer/oauth/clients.ts'
import {
  codeLifetime,
  findLiveGrant,
  giveGrant,
  pushRequest,
  redeemCode,
  refresh,
  refreshLifetime,
  revokeGrant,
  soundRequest,
} from '../../../../server/issuer/oauth/grants.ts'
import { RegisterClient } from '../../../../server/wire/index.ts'
import { alice, bot, errorOf, reading, start, world } from '../world.ts'

const redirectUri = 'https://app.test/cb'

const consented = (withRefresh = true, dialect: Parameters<typeof world>[0] = {}) => {
  const here = world(dialect)
  const asked = RegisterClient.parse({ redirect_uris: [redirectUri] })
  const [{ client }] = here.tenant.run(registerClient, { asked, clientId: 'app' })
  here.tenant.run(giveGrant, {
    clientId: client.clientId,
    userId: alice.id,
    scope: 'openid',
    codeHash: 'code',
    redirectUri,
  })
  const redeem = (by: Client = client) =>
    here.tenant.run(redeemCode, {
      client: by,
      codeHash: 'code',
      redirectUri,
      ...(withRefresh ? { refreshHash: 'first' } : {}),
    })
  return { ...here, client, redeem }
}

/** Only events delete: `tick` moves the clock and records one. */
const tick = ({ tenant, clock }: ReturnType<typeof world>, seconds: number) => {
  clock.advance(seconds)
  tenant.run(useAssertion, { clientId: 'clock', jti: `${clock.now()}`, expiresAt: clock.now() })
}

describe('an authorization request', () => {
  const client: Client = { name: 'App', clientId: 'app', capabilities: ['a'], secretHash: 'hash' }
  const asked = { responseType: 'code' }
  const challenge = 'x'.repeat(43)
  const pkce = { challenge, challengeMethod: 'S256' }
  const sound = (more: object = {}, of = client, here = world({ dialect: { pkce: 'public' } })) =>
    soundRequest(here.state, of, { ...asked, ...more })

  it.each<[string, object, string]>([
    ['another response type', { responseType: 'token' }, 'unsupported_response_type'],
    ['another response mode', { responseMode: 'fragment' }, 'invalid_request'],
    ['prompt=none', { prompt: 'login none' }, 'login_required'],
    ['another challenge method', { challenge, challengeMethod: 'plain' }, 'invalid_request'],
    ['no challenge method', { challenge }, 'invalid_request'],
    ['a challenge too long', { ...pkce, challenge: `${challenge}x` }, 'invalid_request'],
    ['a challenge too short', { ...pkce, challenge: challenge.slice(1) }, 'invalid_request'],
    [
      'a challenge in other letters',
      { ...pkce, challenge: `${challenge.slice(1)}+` },
      'invalid_request',
    ],
    ['an unknown agent', { actor: 'unknown-agent' }, 'invalid_request'],
    ['a scope the client does not have', { scope: 'b' }, 'invalid_scope'],
  ])('is refused with %s', (_says, more, error) => {
    expect(errorOf(() => sound(more))).toBe(error)
  })

  it('is refused with unauthorized_client to a client of another grant type, and to a public client without PKCE', () => {
    const { secretHash: _, ...open } = client

    expect(errorOf(() => sound({}, { ...client, grantTypes: ['refresh_token'] }))).toBe(
      'unauthorized_client',
    )
    expect(
      errorOf(() => sound({}, { ...client, grantTypes: ['authorization_code'] })),
    ).toBeUndefined()
    expect(errorOf(() => sound({}, open))).toBe('invalid_request')
    expect(errorOf(() => sound(pkce, open))).toBeUndefined()
    expect(errorOf(() => sound({}, client, world({ dialect: { pkce: 'all' } })))).toBe(
      'invalid_request',
    )
  })

  it('is refused with invalid_authorization_details for an unknown type, when the dialect refuses unknown types', () => {
    const strict = world({ dialect: { unknown_types: 'refuse', pkce: 'public' } })

    expect(errorOf(() => sound({ details: [{ type: 'moon' }] }, client, strict))).toBe(
      'invalid_authorization_details',
    )
    expect(errorOf(() => sound({}, client, strict))).toBeUndefined()
  })

  it('defaults to the scope openid, and finds the agent by each of its names', () => {
    expect(sound()).toStrictEqual({ scope: 'openid' })
    expect(
      sound({ responseMode: 'query', prompt: 'login', scope: 'a openid', ...pkce }),
    ).toStrictEqual({
      scope: 'a openid',
      challenge,
    })
    for (const actor of [bot.id, bot.name, bot.clientId, 'agent:report-bot']) {
      expect(sound({ actor })).toStrictEqual({ scope: 'openid', mayAct: 'agent:report-bot' })
    }
  })
})

describe('a grant', () => {
  const details = [reading('a'), reading('b')]
  const given = (more: object = {}) => {
    const here = world()
    const asked = RegisterClient.parse({ redirect_uris: [redirectUri] })
    const [{ client }] = here.tenant.run(registerClient, { asked, clientId: 'app' })
    const [{ grant }] = here.tenant.run(giveGrant, {
      clientId: 'app',
      userId: alice.id,
      scope: 'openid email',
      codeHash: 'code',
      redirectUri,
      ...more,
    })
    const redeem = (drawn: object = {}) =>
      here.tenant.run(redeemCode, { client, codeHash: 'code', redirectUri, ...drawn })
    return { ...here, client, grant, redeem }
  }

  it('gets invalid_grant for another redirect_uri, a wrong code_verifier or an expired code', () => {
    const { redeem, clock } = given({ challenge: 'c' })

    expect(errorOf(() => redeem({ proof: 'c', redirectUri: 'https://else.test' }))).toBe(
      'invalid_grant',
    )
    expect(errorOf(() => redeem({ proof: 'd' }))).toBe('invalid_grant')
    expect(errorOf(() => redeem())).toBe('invalid_grant')
    clock.advance(codeLifetime - 1)
    expect(errorOf(() => redeem({ proof: 'c' }))).toBeUndefined()
    const late = given()
    late.clock.advance(codeLifetime)
    expect(errorOf(() => late.redeem())).toBe('invalid_grant')
  })

  it('becomes a token with everything the person consented to', () => {
    const { redeem, grant } = given({ details, mayAct: 'agent:x', audience: ['https://api.test'] })

    expect(grant.id).toBe('grant_1')
    expect(redeem()).toStrictEqual([
      { type: 'grant.redeemed', grantId: 'grant_1' },
      {
        type: 'token.issued',
        token: {
          jti: 'jti_2',
          kind: 'user',
          sub: alice.id,
          clientId: 'app',
          userId: alice.id,
          issuedAt: start,
          expiresAt: start + 3600,
          scope: 'openid email',
          audience: ['https://api.test'],
          details,
          mayAct: 'agent:x',
          grantId: 'grant_1',
        },
      },
    ])
  })

  it('becomes a token with less when the token request asks for less', () => {
    const { redeem } = given({ details, audience: ['x', 'y'] })
    const audience = { names: ['y'], servers: [] }

    const [, issued] = redeem({ scope: 'email', details: [reading('a')], audience })

    expect(issued).toMatchObject({
      token: { scope: 'email', details: [reading('a')], audience: ['y'] },
    })
  })

  it('never becomes a token with more than the person consented to', () => {
    const refused = (drawn: object, more: object = { details }) =>
      errorOf(() => given(more).redeem(drawn))

    expect(refused({ scope: 'openid profile' })).toBe('invalid_scope')
    expect(refused({ details: [reading('a'), reading('c')] })).toBe('invalid_authorization_details')
    expect(refused({ details: [reading('a')] }, {})).toBe('invalid_authorization_details')
    // Without locations, the detail would be valid everywhere.
    const local = { details: [{ ...reading('a'), locations: ['https://archive.example'] }] }
    expect(refused({ details: [reading('a')] }, local)).toBe('invalid_authorization_details')
    expect(refused({ audience: { names: ['z'], servers: [] } }, { audience: ['x', 'y'] })).toBe(
      'invalid_target',
    )
  })

  it('gives a token the lifetime its MCP server sets', () => {
    const server = { id: 'm', name: 'm', description: '', resourceUri: 'm', scopes: [] }
    const servers = [{ ...server, tokenLifetime: 60, createdAt: 0 }]

    const [, issued] = given().redeem({ audience: { names: ['m'], servers } })

    expect(issued).toMatchObject({ token: { expiresAt: start + 60 } })
  })

  it('is revoked with a reason: code_reused, refresh_token_reused or grant_revoked', () => {
    const twice = given()
    twice.redeem()
    const stolen = given()
    stolen.redeem({ refreshHash: 'first' })
    const order = { client: stolen.client, usedHash: 'first' }
    stolen.tenant.run(refresh, { ...order, refreshHash: 'second' })
    const ended = given()
    ended.redeem({ refreshHash: 'first' })
    const revoke = (refreshHash: string, clientId = 'app') =>
      ended.tenant.run(revokeGrant, { refreshHash, clientId })

    const gone = { type: 'grant.revoked', grantId: 'grant_1' }
    expect(twice.redeem().at(-1)).toEqual({ ...gone, reason: 'code_reused' })
    expect(stolen.tenant.run(refresh, order).at(-1)).toEqual({
      ...gone,
      reason: 'refresh_token_reused',
    })
    expect([revoke('unknown'), revoke('first', 'other')]).toEqual([[], []])
    expect(revoke('first').at(-1)).toEqual({ ...gone, reason: 'grant_revoked' })
    expect(revoke('first')).toEqual([])
  })

  it('is live until its refresh token expires, and only with the newest refresh token', () => {
    const { redeem, tenant, client, state, clock } = given()
    redeem({ refreshHash: 'first' })
    const good = (hash: string) => findLiveGrant(state, hash, clock.now())?.grant.id

    expect(good('first')).toBe('grant_1')
    tenant.run(refresh, { client, usedHash: 'first', refreshHash: 'second' })
    expect([good('first'), good('second'), good('third')]).toEqual([
      undefined,
      'grant_1',
      undefined,
    ])
    clock.advance(refreshLifetime - 1)
    expect(good('second')).toBe('grant_1')
    clock.advance(1)
    expect(good('second')).toBeUndefined()
    expect(errorOf(() => tenant.run(refresh, { client, usedHash: 'second' }))).toBe('invalid_grant')
  })

  it('is not live once revoked, or without a refresh token', () => {
    const { redeem, tenant, state } = given()
    redeem({ refreshHash: 'first' })
    tenant.run(revokeGrant, { refreshHash: 'first', clientId: 'app' })

    expect(findLiveGrant(state, 'first', start)).toBeUndefined()
  })

  it('gets a refresh token only when one was requested', () => {
    expect(given().redeem()).toHaveLength(2)
    expect(given().redeem({ refreshHash: 'r' })[2]).toStrictEqual({
      type: 'grant.refreshable',
      grantId: 'grant_1',
      refreshHash: 'r',
      expiresAt: start + refreshLifetime,
    })
  })

  it('revokes all its tokens when its code is redeemed twice', () => {
    const { redeem, happened } = consented()
    redeem()

    redeem()

    expect(happened().slice(-2)).toEqual(['token.revoked', 'grant.revoked'])
    expect(errorOf(redeem)).toBe('invalid_grant')
  })

  it('is deleted with its code when the code expires unredeemed', () => {
    const here = consented()

    tick(here, codeLifetime + 120)

    expect([here.state.codes.size, here.state.grants.size]).toEqual([0, 0])
  })

  it('is kept until its refresh token expires, then deleted', () => {
    const here = consented()
    here.redeem()

    tick(here, refreshLifetime - 120)
    here.tenant.run(refresh, { client: here.client, usedHash: 'first', refreshHash: 'second' })
    tick(here, 600)
    expect([...here.state.refreshTokens.keys()]).toEqual(['second'])
    expect(here.state.grants.size).toBe(1)

    tick(here, refreshLifetime)
    expect([here.state.refreshTokens.size, here.state.grants.size]).toEqual([0, 0])
  })

  it('deletes expired pushed requests and used assertions', () => {
    const here = world()
    here.tenant.run(pushRequest, { uri: 'urn:x', clientId: 'app', parameters: {} })
    here.tenant.run(useAssertion, { clientId: 'app', jti: 'one', expiresAt: start + 60 })

    tick(here, 600)
    tick(here, 600)

    expect(here.state.pushed.size).toBe(0)
    expect([...here.state.assertions].some((it) => it.startsWith('app '))).toBe(false)
  })

  it('accepts the jti of an expired assertion again, also after a replay of the journal', () => {
    const here = world()
    const use = () =>
      here.tenant.run(useAssertion, {
        clientId: 'app',
        jti: 'one',
        expiresAt: here.clock.now() + 60,
      })
    use()
    here.clock.advance(600)

    use()

    expect(errorOf(use)).toBe('assertion_used')
    const again = world()
    again.tenant.replay(here.tenant.journal.after(again.tenant.journal.last))
    expect([...again.state.assertions]).toEqual([...here.state.assertions])
  })
})

describe('a refresh token that is used again', () => {
  const refreshed = (reuse: 'grace' | 'revoke') => {
    const here = consented(true, { dialect: { refresh_reuse: reuse } })
    here.redeem()
    const use = (usedHash: string, refreshHash: string) =>
      here.tenant
        .run(refresh, { client: here.client, usedHash, refreshHash })
        .map(({ type }) => type)
    const isLive = (hash: string) => findLiveGrant(here.state, hash, here.clock.now()) !== undefined
    return { ...here, use, isLive }
  }

  it('revokes the grant', () => {
    const { use, isLive } = refreshed('revoke')
    use('first', 'second')

    expect(use('first', 'third')).toContain('grant.revoked')
    expect(isLive('second')).toBe(false)
  })

  it('gets tokens again within 30 seconds in the dialect grace, and both new ones work', () => {
    const { use, isLive, clock, state } = refreshed('grace')
    expect(state.grants.get('grant_1')?.refresh).toStrictEqual({
      hash: 'first',
      expiresAt: start + refreshLifetime,
    })
    use('first', 'second')
    clock.advance(29)

    expect(use('first', 'third')).toEqual(['token.issued', 'grant.refreshable'])
    expect(['first', 'second', 'third'].map(isLive)).toEqual([false, true, true])
    expect(use('first', 'again')).toEqual(['token.issued', 'grant.refreshable'])
    expect(state.grants.get('grant_1')?.refresh).toStrictEqual({
      hash: 'again',
      expiresAt: start + 29 + refreshLifetime,
      replaced: { hash: 'first', at: start },
      siblings: ['second', 'third'],
    })
    expect(use('second', 'fourth')).not.toContain('grant.revoked')
  })

  it('revokes the grant after 30 seconds, also in the dialect grace', () => {
    const { use, clock } = refreshed('grace')
    use('first', 'second')
    clock.advance(30)

    expect(use('first', 'third')).toContain('grant.revoked')
  })

  it('revokes the grant where it is older than the last one, also in the dialect grace', () => {
    const { use } = refreshed('grace')
    use('first', 'second')
    use('second', 'third')

    expect(use('first', 'fourth')).toContain('grant.revoked')
  })
})
