import { describe, expect, it } from 'vitest'
import { createGuard } from '../../../server/api/guard.ts'
import { createRevocation, type IntrospectionView } from '../../../server/api/revocation.ts'
import type { AccessTokenClaims, AuthorizationDetail, Dialect } from '../../../server/wire/index.ts'
import { file, here, issuer, jitToken, keys, start, tokenWith, world } from './world.ts'

const guardOptions = {
  issuers: [issuer],
  audience: here,
  keys,
  now: () => start,
  revocation: 'introspection' as Dialect['revocation'],
}
const reading = 'GET /v1/documents/doc_9982'
const answering = (view: IntrospectionView) => world({ introspect: async () => view })

describe('introspection', () => {
  it('that fails gets 503, never access', async () => {
    const { call } = world({ introspect: () => Promise.reject(new Error('connection refused')) })

    const answer = await call(reading, { token: await jitToken(file('doc_9982', 'read')) })

    expect(answer.status).toBe(503)
    expect(answer.headers['retry-after']).toBe('1')
    expect(JSON.stringify(answer.body)).not.toContain('connection refused')
  })

  it('that fails passes its cause to the log', async () => {
    const cause = new Error('connection refused')
    const guard = createGuard({ ...guardOptions, introspect: () => Promise.reject(cause) })

    const admitted = guard.admit({ authorization: `Bearer ${await tokenWith()}` }, { token: 'any' })

    await expect(admitted).rejects.toMatchObject({ name: 'ApiRefused', cause })
  })

  it.each<[string | undefined, string | undefined, string | undefined]>([
    ['a b', 'b c', 'b'],
    ['a b', 'b a', 'a b'],
    [undefined, 'a', 'a'],
    ['a', undefined, 'a'],
    [undefined, undefined, undefined],
  ])('of a token for %j that answers %j leaves the scope %j', async (scope, answered, left) => {
    const { api } = answering({ active: true, scope: answered })

    const claims = await api.guard.admit(
      { authorization: `Bearer ${await tokenWith({ scope })}` },
      { token: 'any' },
    )

    expect(claims.scope).toBe(left)
    expect('scope' in claims).toBe(left !== undefined)
  })

  const all = file('doc_1', 'read', 'write')
  it.each<[AuthorizationDetail[] | undefined, AuthorizationDetail[] | undefined, unknown]>([
    [[all], [file('doc_1', 'read'), file('doc_2', 'read')], [file('doc_1', 'read')]],
    [[file('doc_1', 'read'), file('doc_2', 'read')], [all, file('doc_3')], [file('doc_1', 'read')]],
    [[file('doc_2', 'read'), all], [file('doc_1', 'read')], [file('doc_1', 'read')]],
    [undefined, [all], [all]],
    [[all], undefined, []],
    [undefined, undefined, undefined],
  ])('of a token for %j that answers %j leaves the details %j', async (held, answered, left) => {
    const { api } = answering({ active: true, authorization_details: answered })

    const claims = await api.guard.admit(
      { authorization: `Bearer ${await tokenWith({ authorization_details: held })}` },
      { token: 'any' },
    )

    expect(claims.authorization_details).toEqual(left)
    expect('authorization_details' in claims).toBe(left !== undefined)
  })

  it('is skipped for a token that is invalid anyway', async () => {
    const { call, asked } = world()

    await call(reading, { token: await tokenWith({ aud: 'https://other.test' }) })

    expect(asked).toEqual([])
  })

  it.each<[string, IntrospectionView]>([
    ['is inactive', { active: false }],
    ['is about another token', { active: true, jti: 'jti-2' }],
    ['says it has expired', { active: true, exp: start }],
  ])('refuses a token when the answer %s', async (_, view) => {
    const { call } = answering(view)

    const answer = await call(reading, { token: await jitToken(file('doc_9982', 'read')) })

    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_token' } })
  })

  it.each<[string, number, IntrospectionView]>([
    ['without details', 403, { active: true }],
    [
      'with fewer actions',
      403,
      { active: true, authorization_details: [file('doc_9982', 'write')] },
    ],
    [
      'with as many',
      200,
      { active: true, authorization_details: [file('doc_9982', 'read', 'write')] },
    ],
    [
      'with more',
      200,
      { active: true, authorization_details: [file('doc_9982', 'read', 'write', 'delete')] },
    ],
  ])('narrows: an answer %s gives %i', async (_, status, view) => {
    const { call } = answering(view)

    const token = await jitToken(file('doc_9982', 'read', 'write'))

    expect((await call(reading, { token })).status).toBe(status)
  })

  it('never widens what the token itself grants', async () => {
    const { call } = answering({
      active: true,
      scope: 'read:documents',
      authorization_details: [file('doc_9982', 'read', 'delete')],
    })
    const token = await tokenWith({
      scope: 'write:reports',
      authorization_details: [file('doc_9982', 'read')],
    })

    expect((await call('DELETE /v1/documents/doc_9982', { token })).status).toBe(403)
    expect((await call('GET /v1/documents/doc_internal', { token })).status).toBe(403)
    expect((await call(reading, { token })).status).toBe(200)
  })

  it('RES-12: supplies authorization_details the token itself leaves out', async () => {
    const { call } = answering({ active: true, authorization_details: [file('doc_9982', 'read')] })

    expect((await call(reading, { token: await tokenWith() })).status).toBe(200)
  })

  it('runs for each request, so that a revocation takes effect at once', async () => {
    const { call, revoke, asked } = world()
    const token = await jitToken(file('doc_9982', 'read'))
    expect((await call(reading, { token })).status).toBe(200)

    revoke('jti-1')

    expect((await call(reading, { token })).status).toBe(401)
    expect(asked).toHaveLength(2)
  })

  it('INT-04: is cached for the configured time, and never beyond exp', async () => {
    const { call, revoke, asked, advance } = world({ cache: 10 })
    const token = await jitToken(file('doc_9982', 'read'))
    await call(reading, { token })
    revoke('jti-1')

    advance(9)
    expect((await call(reading, { token })).status).toBe(200)
    expect(asked).toHaveLength(1)

    advance(1)
    expect((await call(reading, { token })).status).toBe(401)
    expect(asked).toHaveLength(2)

    advance(290)
    expect((await call(reading, { token })).status).toBe(401)
    expect(asked).toHaveLength(2)
  })

  it('INT-04: is repeated after exp, when a leeway still accepts the token', async () => {
    const asked: string[] = []
    const { call, advance } = world({
      cache: 1000,
      leeway: 60,
      introspect: async (token) => {
        asked.push(token)
        return { active: true }
      },
    })
    const token = await tokenWith()
    await call('GET /v1/documents/doc_public', { token })

    advance(300)
    await call('GET /v1/documents/doc_public', { token })

    expect(asked).toHaveLength(2)
  })

  it('is cached per token', async () => {
    const { call, revoke } = world({ cache: 10 })
    revoke('jti-2')
    const details = { authorization_details: [file('doc_9982', 'read')] }
    await call(reading, { token: await tokenWith(details) })

    const answer = await call(reading, { token: await tokenWith({ ...details, jti: 'jti-2' }) })

    expect(answer.status).toBe(401)
  })

  it('caches 10,000 answers, and drops the oldest first', async () => {
    let now = start
    const asked: string[] = []
    const stillGood = createRevocation({
      revocation: 'introspection',
      cache: 100,
      now: () => now,
      introspect: async (token) => {
        asked.push(token)
        return { active: true }
      },
    })
    const claims = { exp: start + 1000 } as AccessTokenClaims
    await stillGood('again', claims)
    await stillGood('first', claims)
    now += 100
    await stillGood('again', claims)
    for (let at = 2; at < 10_000; at += 1) await stillGood(`token ${at}`, claims)
    asked.length = 0

    now -= 50
    await stillGood('first', claims)
    expect(asked).toEqual([])
    await stillGood('one more', claims)
    await stillGood('again', claims)
    expect(asked).toEqual(['one more'])
    await stillGood('first', claims)
    expect(asked).toEqual(['one more', 'first'])
  })

  it('is a configuration error when the guard has no way to introspect', async () => {
    const guard = createGuard(guardOptions)

    const admitted = guard.admit({ authorization: `Bearer ${await tokenWith()}` }, { token: 'any' })

    await expect(admitted).rejects.toThrow('needs a way to introspect')
  })
})

describe('signals', () => {
  it('revoke nothing when the guard has no isRevoked', async () => {
    const guard = createGuard({ ...guardOptions, revocation: 'signals' })

    const admitted = guard.admit({ authorization: `Bearer ${await tokenWith()}` }, { token: 'any' })

    await expect(admitted).resolves.toMatchObject({ jti: 'jti-1' })
  })
})

describe('the revocation setting of the API', () => {
  it('takes effect with the next request', async () => {
    const options = {
      ...guardOptions,
      introspect: async () => ({ active: false }),
      isRevoked: () => true,
    }
    const guard = createGuard(options)
    const admitted = async (revocation: Dialect['revocation']) => {
      options.revocation = revocation
      return guard.admit({ authorization: `Bearer ${await tokenWith()}` }, { token: 'any' })
    }
    const refused = (by: string) => ({
      refusal: { error: 'invalid_token', why: `revoked, by ${by}` },
    })

    await expect(admitted('introspection')).rejects.toMatchObject(refused('introspection'))
    await expect(admitted('signals')).rejects.toMatchObject(refused('signal'))
    await expect(admitted('expiry')).resolves.toMatchObject({ jti: 'jti-1' })
  })

  it('THR-01: expiry accepts a revoked token until it expires', async () => {
    const { call, revoke, advance } = world({ revocation: 'expiry' })
    revoke('jti-1')
    const token = await jitToken(file('doc_9982', 'read'))

    expect((await call(reading, { token })).status).toBe(200)

    advance(300)

    expect((await call(reading, { token })).status).toBe(401)
  })
})
