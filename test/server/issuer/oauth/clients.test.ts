import { describe, expect, it } from 'vitest'
import {
  allScopes,
  deleteClient,
  isPublic,
  isRegisteredRedirect,
  registerClient,
} from '../../../../server/issuer/oauth/clients.ts'
import { delegate } from '../../../../server/issuer/oauth/delegation.ts'
import { giveGrant, redeemCode } from '../../../../server/issuer/oauth/grants.ts'
import { issueClientToken } from '../../../../server/issuer/oauth/tokens.ts'
import { approveScope, RegisterClient } from '../../../../server/wire/index.ts'
import { alice, bot, errorOf, refusalOf, start, world } from '../world.ts'

const redirect_uris = ['https://app.test/cb']
const registering = (
  asked: (typeof RegisterClient)['_zod']['input'],
  more: object = {},
  { tenant } = world(),
) =>
  tenant.run(registerClient, {
    asked: RegisterClient.parse({ redirect_uris, ...asked }),
    clientId: 'app',
    ...more,
  })[0].client

describe('registering a client', () => {
  it.each([
    'https://app.test',
    'https://app.test:8443/cb?x=1',
    'http://127.0.0.1/cb',
    'http://[::1]:3000/cb',
    'http://localhost',
    'http://localhost:3000?x',
    'com.example.app:/cb',
    'a.b:/cb',
    'com.example-2.app+x:/cb',
  ])('accepts the redirect URI %s', (uri) => {
    expect(registering({ redirect_uris: [uri] }).redirectUris).toEqual([uri])
  })

  it.each([
    'nowhere',
    'https:///cb',
    'https://app.test/#fragment',
    'http://app.test/cb',
    'http://localhost.evil.test/cb',
    'http://localhostess/cb',
    'xhttps://app.test/cb',
    'xhttp://localhost/cb',
    'javascript:alert(1)',
    'data:text/html,a.b:c',
    'app:/com.example:/cb',
    'file:///etc',
  ])('rejects the redirect URI %s', (uri) => {
    expect(errorOf(() => registering({ redirect_uris: [uri] }))).toBe('invalid_redirect_uri')
  })

  it('requires redirect_uris only for grants that redirect', () => {
    const of = (...grant_types: ('authorization_code' | 'client_credentials')[]) =>
      errorOf(() => registering({ redirect_uris: [], grant_types }))

    expect(of('authorization_code')).toBe('invalid_redirect_uri')
    expect(of('client_credentials')).toBeUndefined()
    expect(errorOf(() => registering({ redirect_uris: [] }))).toBe('invalid_redirect_uri')
  })

  it('requires jwks for private_key_jwt, and rejects them for every other authentication', () => {
    const jwks = { keys: [{ kty: 'EC' }] }
    const token_endpoint_auth_method = 'private_key_jwt'

    expect(errorOf(() => registering({ jwks }))).toBe('invalid_client_metadata')
    expect(errorOf(() => registering({ token_endpoint_auth_method }))).toBe(
      'invalid_client_metadata',
    )
    expect(registering({ jwks, token_endpoint_auth_method }).keys).toEqual(jwks.keys)
  })

  it('records the given metadata and the defaults for what is missing', () => {
    const usual = {
      clientId: 'app',
      name: 'app',
      capabilities: ['openid'],
      redirectUris: redirect_uris,
      grantTypes: ['authorization_code', 'refresh_token'],
      selfRegistered: true,
      registeredAt: start,
      authMethod: 'client_secret_basic',
    }

    expect(registering({ scope: ' openid ' })).toStrictEqual(usual)
    expect(
      registering({ scope: 'openid', client_name: 'App' }, { secretHash: 'hash' }),
    ).toStrictEqual({ ...usual, name: 'App', secretHash: 'hash' })
  })

  it('allows client_credentials at most the scopes of the token that registers it', () => {
    const by = (scope: string | undefined, vouched?: string[]) => () =>
      registering({ grant_types: ['client_credentials'], scope }, { vouched })

    expect(by(undefined, ['a', 'b'])().capabilities).toEqual(['a', 'b'])
    expect(by('a', ['a', 'b'])().capabilities).toEqual(['a'])
    expect(by(undefined)().capabilities).toEqual([])
    expect(refusalOf(by('a c', ['a']))).toEqual({
      error: 'invalid_client_metadata',
      reason: 'scope: expected a subset of a',
    })
    expect(refusalOf(by('a'))).toMatchObject({
      reason: 'scope: expected a subset of the scopes of the registering bearer (none)',
    })
    const token_endpoint_auth_method = 'none'
    expect(
      errorOf(() =>
        registering({ grant_types: ['client_credentials'], token_endpoint_auth_method }),
      ),
    ).toBe('invalid_client_metadata')
  })

  it('never has the scope jit:approve', () => {
    const { capabilities } = registering(
      { grant_types: ['client_credentials'] },
      { vouched: ['a', approveScope] },
    )

    expect(capabilities).toEqual(['a'])
    expect(errorOf(() => registering({ scope: approveScope }))).toBe('invalid_client_metadata')
  })

  it('needs no response type for grants without a browser', () => {
    const grant_types = ['authorization_code', 'client_credentials'] as const

    expect(
      registering({ grant_types: [...grant_types], response_types: ['none'] }).grantTypes,
    ).toEqual(['client_credentials'])
  })

  it('is refused with limit_reached at 10,000 clients', () => {
    const here = world()
    const known = here.state.clients.size
    here.tenant.happen(
      Array.from({ length: 10_000 - known - 1 }, (_, at) => ({
        type: 'client.registered' as const,
        client: { clientId: `c${at}`, name: 'c', capabilities: [] },
      })),
    )
    registering({}, {}, here)

    expect(refusalOf(() => registering({}, { clientId: 'more' }, here))).toEqual({
      error: 'limit_reached',
      what: 'clients',
      limit: 10_000,
    })
  })
})

describe('a redirect URI', () => {
  const known = (redirectUris: string[] | undefined, uri: string) =>
    isRegisteredRedirect(
      { clientId: 'app', name: 'app', capabilities: [], ...(redirectUris && { redirectUris }) },
      uri,
    )

  it.each([
    ['https://app.test/cb', 'https://app.test/cb', true],
    ['https://app.test/cb', 'https://app.test/cb/', false],
    ['https://app.test/cb', 'https://app.test:8443/cb', false],
    ['http://localhost/cb', 'http://localhost:3000/cb', true],
    ['http://localhost:1/cb', 'http://localhost:2/cb', true],
    ['http://[::1]/cb', 'http://[::1]:3000/cb', true],
    ['http://localhost/cb', 'http://localhost:3000/other', false],
    ['http://localhost/cb', 'http://127.0.0.1:3000/cb', false],
    ['http://localhost/cb?at=http://x:1', 'http://localhost/cb?at=http://x:2', false],
    ['http://app.test/cb', 'http://app.test:3000/cb', false],
    ['nowhere', 'nowhere', false],
  ])('registered as %s matches %s: %s', (registered, uri, expected) => {
    expect(known(['https://else.test', registered], uri)).toBe(expected)
  })

  it('never matches a client without redirect URIs', () => {
    expect(known(undefined, 'https://app.test/cb')).toBe(false)
  })
})

describe('a client', () => {
  it('is public when it has neither a secret nor keys', () => {
    const client = { clientId: 'app', name: 'app', capabilities: [] }

    expect(isPublic(client)).toBe(true)
    expect(isPublic({ ...client, secretHash: 'hash' })).toBe(false)
    expect(isPublic({ ...client, keys: [] })).toBe(false)
    expect(isPublic({ ...client, jwksUri: 'https://app.test/jwks' })).toBe(false)
  })

  it('may request identity scopes, its capabilities and the scopes of MCP servers', () => {
    const { tenant, state } = world()
    const server = {
      id: 'm',
      name: 'm',
      description: '',
      resourceUri: 'm',
      scopes: ['mcp:read'],
      tokenLifetime: 60,
      createdAt: 0,
    }
    tenant.happen([{ type: 'tenant.seeded', agents: [], users: [], mcpServers: [server] }])

    expect(allScopes(state)).toEqual(
      expect.arrayContaining(['openid', 'read:documents', 'mcp:read']),
    )
    expect(new Set(allScopes(state)).size).toBe(allScopes(state).length)
  })
})

describe('deleting a client', () => {
  /** The token of a user by a code of the client, and one that an agent derived from it. */
  const used = () => {
    const here = world({ dialect: { delegated_audience: 'issuer_and_api' } })
    const register = (clientId: string) => registering({}, { clientId }, here)
    const signIn = (clientId: string) => {
      const client = register(clientId)
      const order = { codeHash: `code of ${clientId}`, redirectUri: 'https://app.test/cb' }
      const [given] = here.tenant.run(giveGrant, {
        ...order,
        clientId,
        userId: alice.id,
        scope: 'openid',
      })
      const events = here.tenant.run(redeemCode, { ...order, client })
      const issued = events.find((it) => it.type === 'token.issued')
      if (issued?.type !== 'token.issued') throw new Error('no token')
      return { grantId: given.grant.id, token: issued.token }
    }
    const [{ token: actor }] = here.tenant.run(issueClientToken, { client: bot, scope: undefined })
    const derive = (subject: typeof actor) =>
      here.tenant.run(delegate, { subject, actor, scope: '' })[0].token
    const remove = (clientId: string) => here.tenant.run(deleteClient, { clientId })
    const isRevoked = (jti: string) => here.state.tokens.get(jti)?.revokedAt !== undefined
    return { ...here, register, signIn, derive, remove, isRevoked, actor }
  }

  it('deletes one that was never used, and nothing else', () => {
    const { register, remove, state } = used()
    register('app')

    expect(remove('app')).toEqual([{ type: 'client.deleted', clientId: 'app' }])
    expect(state.clients.has('app')).toBe(false)
    expect(state.clients.has(bot.clientId)).toBe(true)
  })

  it('revokes its tokens, its grants, and the tokens that agents derived from them', () => {
    const { signIn, derive, remove, isRevoked, state, actor } = used()
    const [mine, foreign] = [signIn('app'), signIn('other')]
    const [derived, kept] = [derive(mine.token), derive(foreign.token)]

    const events = remove('app')

    expect(events).toEqual([
      { type: 'token.revoked', jti: mine.token.jti, reason: 'revoked_by_client' },
      { type: 'token.revoked', jti: derived.jti, reason: 'revoked_by_client' },
      { type: 'grant.revoked', grantId: mine.grantId, reason: 'grant_revoked' },
      { type: 'client.deleted', clientId: 'app' },
    ])
    expect([mine.token, derived].map(({ jti }) => isRevoked(jti))).toEqual([true, true])
    expect([foreign.token, kept, actor].map(({ jti }) => isRevoked(jti))).toEqual([
      false,
      false,
      false,
    ])
    expect(state.grants.get(foreign.grantId)?.revoked).toBe(false)
  })

  it('revokes the tokens that it got for itself', () => {
    const { register, remove, isRevoked, tenant } = used()
    const [{ token }] = tenant.run(issueClientToken, { client: register('app') })

    remove('app')

    expect(isRevoked(token.jti)).toBe(true)
  })

  it('does not revoke what has expired or is revoked already', () => {
    const revoked = used()
    const { token, grantId } = revoked.signIn('app')
    revoked.tenant.happen([
      { type: 'token.revoked', jti: token.jti, reason: 'revoked_by_client' },
      { type: 'grant.revoked', grantId, reason: 'grant_revoked' },
    ])
    expect(revoked.remove('app')).toEqual([{ type: 'client.deleted', clientId: 'app' }])

    const { signIn, remove, clock } = used()
    signIn('app')
    clock.advance(3600)

    expect(remove('app').map(({ type }) => type)).not.toContain('token.revoked')
    expect(remove('app').map(({ type }) => type)).toEqual(['client.deleted'])
  })
})
