import { describe, expect, it } from 'vitest'
import {
  type AuthorizationDetail,
  readChallenge,
  readChallengeBody,
} from '../../../server/wire/index.ts'
import { file, here, jitToken, tokenWith, world } from './world.ts'

const bearer = (authorization: string) => ({ headers: { authorization } })
const headersOf = (headers: Readonly<Record<string, string>>) => new Headers(headers)

describe('a request without usable credentials', () => {
  it.each([
    ['says nothing', {}],
    ['uses another scheme', bearer('Basic YTpi')],
    ['has its token only in the query', {}, '?access_token=x'],
  ])('BRR-03, BRR-04: gets 401 without an error code if it %s', async (_, sent, query = '') => {
    const { call } = world()

    const answer = await call(`GET /v1/documents/doc_public${query}`, sent)

    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="documents"')
    expect(answer.body).toMatchObject({ error: 'missing_token', status: 401 })
  })

  it.each([
    ['sends it in the query, too', '?access_token=y', 'Bearer x'],
    ['sends it in two fields', '', 'Bearer x, Bearer y'],
    ['sends it in two fields, joined closely', '', 'Bearer x,Bearer y'],
    ['names the scheme only', '', 'Bearer'],
  ])('BRR-02: gets invalid_request if it %s', async (_, query, authorization) => {
    const { call } = world()

    const answer = await call(`GET /v1/documents/doc_public${query}`, bearer(authorization))

    expect(answer.status).toBe(400)
    expect(answer.body.error).toBe('invalid_request')
    expect(answer.headers['www-authenticate']).toBe(
      'Bearer realm="documents", error="invalid_request"',
    )
  })

  it('BRR-02: gets invalid_request for a token in a form beside the Authorization header', async () => {
    const { api } = world()

    const admitted = api.guard.admit(
      { authorization: `Bearer ${await tokenWith()}`, alsoElsewhere: true },
      { token: 'any' },
    )

    await expect(admitted).rejects.toMatchObject({ refusal: { error: 'invalid_request' } })
  })

  it('AT-08, THR-26: gets the same invalid_token whatever is wrong with its token', async () => {
    const { call, revoke, advance } = world()
    revoke('gone')
    const tokens = [
      'nonsense',
      'two words',
      await tokenWith({ aud: 'https://other.test' }),
      await tokenWith({ iss: 'https://lumo.test/t/other/api/v1' }),
      await tokenWith({ jti: 'gone' }),
      await tokenWith({ exp: 1_800_000_010 }),
    ]
    advance(10)

    const answers = await Promise.all(
      tokens.map((token) => call('GET /v1/documents/doc_9982', { token })),
    )

    for (const answer of answers) expect(answer).toEqual(answers[0])
    expect(answers[0]).toMatchObject({
      status: 401,
      headers: {
        'www-authenticate': 'Bearer realm="documents", error="invalid_token"',
        'cache-control': 'no-store',
      },
      body: { error: 'invalid_token' },
    })
  })

  it('THR-03: gets 401 for a token of another tenant, or without a tenant, from a shared issuer', async () => {
    const { call } = world({ tenant: 'acme', revocation: 'expiry' })
    const status = async (tenant?: string) =>
      (await call('GET /v1/documents/doc_public', { token: await tokenWith({ tenant }) })).status

    expect(await status('other')).toBe(401)
    expect(await status()).toBe(401)
    expect(await status('acme')).toBe(200)
  })

  it('accepts a token of any tenant when tenants do not share an issuer', async () => {
    const { call } = world()

    const { status } = await call('GET /v1/documents/doc_public', {
      token: await tokenWith({ tenant: 'acme' }),
    })

    expect(status).toBe(200)
  })

  it('BRR-01: accepts the Bearer scheme in any case, followed by any number of spaces', async () => {
    const { call } = world()
    const token = await tokenWith()

    for (const scheme of ['Bearer', 'bearer', 'BEARER', 'Bearer  ']) {
      const { status } = await call('GET /v1/documents/doc_public', bearer(`${scheme} ${token}`))
      expect(status).toBe(200)
    }
  })
})

describe('a token without the scope', () => {
  it('BRR-05: gets insufficient_scope with the scope it needs', async () => {
    const { call } = world()

    const answer = await call('GET /v1/documents/doc_internal', {
      token: await tokenWith({ scope: 'read:documents:all write' }),
    })

    expect(answer.status).toBe(403)
    expect(answer.headers['www-authenticate']).toBe(
      'Bearer realm="documents", error="insufficient_scope", scope="read:documents"',
    )
    expect(answer.body).toMatchObject({ error: 'insufficient_scope', scope: 'read:documents' })
  })

  it('gets 403 however wide its authorization_details are', async () => {
    const { call } = world()

    const { status } = await call('GET /v1/documents/doc_internal', {
      token: await jitToken(file('doc_internal', 'read', 'write', 'delete')),
    })

    expect(status).toBe(403)
  })

  it('gets 200 once its own scope claim holds the scope', async () => {
    const { call } = world()

    const { status } = await call('GET /v1/documents/doc_internal', {
      token: await tokenWith({ scope: 'write:reports read:documents' }),
    })

    expect(status).toBe(200)
  })
})

const insufficient: readonly (readonly [string, AuthorizationDetail[]])[] = [
  ['none at all', []],
  ['another document', [file('doc_1', 'read')]],
  ['a document of nearly the name', [file('doc_9982 ', 'read')]],
  ['another action', [file('doc_9982', 'write')]],
  ['no action', [file('doc_9982')]],
  ['a star', [file('*', '*')]],
  ['no identifier', [{ type: 'file_access', actions: ['read'] }]],
  ['another type', [{ type: 'user_data', actions: ['read'], identifier: 'doc_9982' }]],
  ['halves in two details', [file('doc_9982', 'write'), file('doc_1', 'read')]],
  ['another place', [{ ...file('doc_9982', 'read'), locations: ['https://other.test'] }]],
  ['a part of this place', [{ ...file('doc_9982', 'read'), locations: ['https://api'] }]],
  ['no place', [{ ...file('doc_9982', 'read'), locations: [] }]],
  ['a further condition', [{ ...file('doc_9982', 'read'), only_page: 1 }]],
]

describe('a token without the detail', () => {
  it.each(insufficient)('gets a challenge when it grants %s', async (_, details) => {
    const { call } = world()

    const answer = await call('GET /v1/documents/doc_9982', { token: await jitToken(...details) })

    expect(readChallenge(answer.status, headersOf(answer.headers))).toEqual([
      file('doc_9982', 'read'),
    ])
  })

  it('gets 403 whatever its scope is', async () => {
    const { call } = world()

    const { status } = await call('GET /v1/documents/doc_9982', {
      token: await tokenWith({ scope: 'read:documents admin file_access' }),
    })

    expect(status).toBe(403)
  })

  it('gets 200 when one of its details suffices, with or without locations', async () => {
    const { call } = world()

    for (const locations of [undefined, ['https://other.test', here]]) {
      const wide = { ...file('doc_9982', 'write', 'read'), ...(locations && { locations }) }
      const token = await jitToken(file('doc_1', 'read'), wide)
      expect((await call('GET /v1/documents/doc_9982', { token })).status).toBe(200)
    }
  })
})

describe('a resource server with several audiences', () => {
  it('accepts a token, and a detail’s locations, for each of them', async () => {
    const { call } = world({ audience: [here, 'urn:documents'] })

    for (const place of [here, 'urn:documents']) {
      const detail = { ...file('doc_9982', 'read'), locations: [place] }
      const token = await tokenWith({ aud: place, authorization_details: [detail] })
      expect((await call('GET /v1/documents/doc_9982', { token })).status).toBe(200)
    }
  })
})

describe('a challenge', () => {
  const challenged = async (challenge: 'lumo' | 'rar-04' | 'wg-00' | 'both') =>
    world({ challenge }).call('GET /v1/documents/doc_9982', { token: await tokenWith() })
  const needed = [file('doc_9982', 'read')]

  it('has the form LumoAuth documents', async () => {
    const answer = await challenged('lumo')

    expect(answer).toMatchObject({
      status: 403,
      headers: {
        'cache-control': 'no-store',
        'www-authenticate': 'Bearer error="insufficient_authorization_details"',
        'insufficient-authorization-details': btoa(JSON.stringify(needed[0])),
      },
      body: {
        error: 'insufficient_authorization_details',
        authorization_details_hint: needed[0],
      },
    })
  })

  it('has the form of the fourth individual draft, if the dialect says so', async () => {
    const answer = await challenged('rar-04')

    expect(answer.status).toBe(403)
    expect(readChallengeBody(answer.body)).toEqual(needed)
    expect(answer.body.authorization_details_types_required).toEqual(['file_access'])
    expect(readChallenge(403, headersOf(answer.headers))).toBeUndefined()
  })

  it('has the form of the working group’s draft, if the dialect says so', async () => {
    const answer = await challenged('wg-00')

    expect(answer.status).toBe(401)
    expect(answer.body.error).toBe('insufficient_authorization')
    expect(answer.headers['www-authenticate']).toMatch(
      /^Bearer error="insufficient_authorization", authorization_remediation=[\w-]+$/,
    )
    expect(readChallenge(401, headersOf(answer.headers))).toEqual(needed)
  })

  it('HDR-08: carries every form at once, if the dialect says so', async () => {
    const { status, headers, body } = await challenged('both')
    const { 'insufficient-authorization-details': _, ...drafts } = headers

    expect(status).toBe(403)
    expect(readChallenge(status, headersOf(headers))).toEqual(needed)
    expect(readChallenge(status, headersOf(drafts))).toEqual(needed)
    expect(readChallengeBody(body)).toEqual(needed)
  })

  it('THR-13: never carries a malformed document id', async () => {
    const { call } = world()

    for (const id of ['%22%0d%0ax', 'a%2Cb', 'x'.repeat(200), '%C3%A4']) {
      const answer = await call(`GET /v1/documents/${id}`, { token: await tokenWith() })
      expect(answer.status).toBe(404)
      const fields = Object.keys(answer.headers).filter((it) => !it.startsWith('access-control-'))
      expect(fields.sort()).toEqual(['cache-control', 'content-type'])
    }
  })
})
