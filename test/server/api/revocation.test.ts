import { describe, expect, it } from 'vitest'
import { createGuard } from '../../../server/api/guard.ts'
import type { IntrospectionView } from '../../../server/api/revocation.ts'
import { RevokedTokens } from '../../../server/api/revoked-tokens.ts'
import type { Dialect } from '../../../server/wire/index.ts'
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
  it('never opens the door when the issuer cannot be asked', async () => {
    const { call } = world({ introspect: () => Promise.reject(new Error('connection refused')) })

    const answer = await call(reading, { token: await jitToken(file('doc_9982', 'read')) })

    expect(answer.status).toBe(503)
    expect(answer.headers['retry-after']).toBe('1')
    expect(JSON.stringify(answer.body)).not.toContain('connection refused')
  })

  it('is not asked about a token that is not valid anyway', async () => {
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

  it('RES-12: holds the details that a token leaves out', async () => {
    const { call } = answering({ active: true, authorization_details: [file('doc_9982', 'read')] })

    expect((await call(reading, { token: await tokenWith() })).status).toBe(200)
  })

  it('is asked each time, so that a revocation counts at once', async () => {
    const { call, revoke, asked } = world()
    const token = await jitToken(file('doc_9982', 'read'))
    expect((await call(reading, { token })).status).toBe(200)

    revoke('jti-1')

    expect((await call(reading, { token })).status).toBe(401)
    expect(asked).toHaveLength(2)
  })

  it('INT-04: is believed as long as the cache says, and never beyond exp', async () => {
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

  it('INT-04: is asked again beyond exp, where a leeway leaves the token good', async () => {
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

  it('does not lend the answer about one token to another', async () => {
    const { call, revoke } = world({ cache: 10 })
    revoke('jti-2')
    const details = { authorization_details: [file('doc_9982', 'read')] }
    await call(reading, { token: await tokenWith(details) })

    const answer = await call(reading, { token: await tokenWith({ ...details, jti: 'jti-2' }) })

    expect(answer.status).toBe(401)
  })

  it('is a mistake in the setup when there is no way to introspect', async () => {
    const guard = createGuard(guardOptions)

    const admitted = guard.admit({ authorization: `Bearer ${await tokenWith()}` }, { token: 'any' })

    await expect(admitted).rejects.toThrow('needs a way to introspect')
  })
})

describe('signals', () => {
  const event = (sub_id: Record<string, unknown>, type = 'session-revoked') => ({
    sub_id,
    events: { [`https://schemas.openid.net/secevent/caep/event-type/${type}`]: {} },
  })
  const claims = { jti: 'jti-1', task_id: 'task_1' } as Parameters<RevokedTokens['has']>[0]

  it.each([
    ['a task', event({ format: 'opaque', id: 'task_1' })],
    ['a token', event({ format: 'jwt_id', iss: 'https://lumo.test', jti: 'jti-1' })],
    [
      'a complex subject with the task',
      event({ format: 'complex', session: { format: 'opaque', id: 'task_1' } }),
    ],
    ['a narrowed grant', event({ format: 'opaque', id: 'task_1' }, 'token-claims-change')],
  ])('end the tokens of %s', (_, set) => {
    const revoked = new RevokedTokens(() => start)

    revoked.receive(set)

    expect(revoked.has(claims)).toBe(true)
  })

  it.each([
    ['another task', event({ format: 'opaque', id: 'task_2' })],
    ['another event', event({ format: 'opaque', id: 'task_1' }, 'credential-change')],
    ['nobody', { events: event({}).events }],
    ['a subject of no known format', event({ format: 'email', email: 'a@b.test' })],
    ['a task whose id is a token’s', event({ format: 'opaque', id: 'jti-1' })],
  ])('about %s change nothing', (_, set) => {
    const revoked = new RevokedTokens(() => start)

    revoked.receive(set)

    expect(revoked.has(claims)).toBe(false)
  })

  it('are forgotten when no token they speak of can be alive', () => {
    let now = start
    const revoked = new RevokedTokens(() => now)
    revoked.revokeToken('jti-1', start + 300)
    revoked.revokeToken('jti-1', start + 10)

    now = start + 300
    expect(revoked.has(claims)).toBe(true)

    now = start + 301
    expect(revoked.has(claims)).toBe(false)
  })
})

describe('how the API learns of a revocation', () => {
  it('follows the tenant’s switch from one request to the next', async () => {
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
    const refused = { refusal: { error: 'invalid_token' } }

    await expect(admitted('introspection')).rejects.toMatchObject(refused)
    await expect(admitted('signals')).rejects.toMatchObject(refused)
    await expect(admitted('expiry')).resolves.toMatchObject({ jti: 'jti-1' })
  })

  it('THR-01: by expiry only, leaves a revoked token good until it expires', async () => {
    const { call, revoke, advance } = world({ revocation: 'expiry' })
    revoke('jti-1')
    const token = await jitToken(file('doc_9982', 'read'))

    expect((await call(reading, { token })).status).toBe(200)

    advance(300)

    expect((await call(reading, { token })).status).toBe(401)
  })
})
