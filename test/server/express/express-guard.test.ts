import express from 'express'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  type LumoAuthGuardOptions,
  lumoauthGuard,
  type Required,
} from '../../../server/express/index.ts'
import { RemoteIssuer } from '../../../server/express/remote-issuer.ts'
import { generateSigningKey, KeyRing, type SigningKey } from '../../../server/signing/keys.ts'
import { signJwt } from '../../../server/signing/sign.ts'
import { parseChallenges, removeUnsendable } from '../../../server/wire/auth-params.ts'
import { supertest as request } from '../../support/supertest.ts'

const tenant = 'https://lumo.test/orgs/acme/api/v1'
const audience = 'https://documents.test'
const start = 1_800_000_000

let first: SigningKey
let second: SigningKey
beforeAll(async () => {
  ;[first, second] = await Promise.all([
    generateSigningKey('RS256', 'first'),
    generateSigningKey('ES256', 'second'),
  ])
})

const tokenOf = (key: SigningKey, claims: Readonly<Record<string, unknown>> = {}, typ = 'at+jwt') =>
  signJwt(
    key,
    {
      iss: tenant,
      sub: 'agent:report-bot',
      aud: audience,
      client_id: 'report-bot',
      iat: start,
      exp: start + 3600,
      jti: 'jti-1',
      ...claims,
    },
    { typ },
  )

/** An issuer without a socket, and an Express app that trusts it. */
const world = (more: Partial<LumoAuthGuardOptions> = {}) => {
  let now = start
  const ring = new KeyRing(first)
  const issuer = {
    up: true,
    metadata: {
      issuer: tenant,
      jwks_uri: `${tenant}/.well-known/jwks.json`,
      introspection_endpoint: `${tenant}/oauth/introspect`,
    },
    introspection: { active: true } as object,
    calls: [] as Request[],
  }
  const answers: Record<string, () => unknown> = {
    [`${tenant}/.well-known/oauth-authorization-server`]: () => issuer.metadata,
    [`${tenant}/.well-known/jwks.json`]: () => ring.jwks(),
    [`${tenant}/oauth/introspect`]: () => issuer.introspection,
  }
  const refusals: string[] = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const call = new Request(input, init)
    issuer.calls.push(call)
    const answer = answers[call.url]
    if (!issuer.up || answer === undefined) return new Response('no', { status: 502 })
    return Response.json(answer())
  }
  const guard = lumoauthGuard({
    tenant,
    audience,
    now: () => now,
    fetch,
    onRefusal: (refusal) => refusals.push('why' in refusal ? refusal.why : refusal.error),
    ...more,
  })
  const app = express()
  app.use(express.urlencoded())
  app.get('/open', guard, (req, res) => {
    res.json(req.auth)
  })
  app.post('/open', guard, (req, res) => {
    res.json(req.auth)
  })
  app.get(
    '/documents/:id',
    guard.requiring(({ params: { id } }) => ({
      detail: { type: 'file_access', actions: ['read'], identifier: String(id) },
    })),
    (req, res) => {
      res.json(req.auth)
    },
  )
  const fetched = (what: string) => issuer.calls.filter(({ url }) => url.endsWith(what)).length
  return {
    api: request(app),
    guard,
    issuer,
    ring,
    refusals,
    fetch,
    fetched,
    now: () => now,
    advance: (seconds: number) => {
      now += seconds
    },
  }
}

const as = (token: string) => `Bearer ${token}`

describe('the Express guard', () => {
  it('answers 401 without a token', async () => {
    const { api } = world({ realm: 'reports' })

    const { status, headers, body } = await api.get('/open')

    expect(status).toBe(401)
    expect(headers['www-authenticate']).toBe('Bearer realm="reports"')
    expect(body.error).toBe('missing_token')
  })

  it('names its metadata in every 401, and serves them (RFC 9728 §5.1)', async () => {
    const metadataUrl = 'https://documents.example/.well-known/oauth-protected-resource'
    const { api, guard } = world({ resourceMetadata: metadataUrl })
    const metadata = express().get('/.well-known/oauth-protected-resource', guard.metadata)

    const missing = await api.get('/open')
    const invalid = await api.get('/open').set('authorization', as('a.b.c'))
    const { body } = await request(metadata).get('/.well-known/oauth-protected-resource')

    for (const { status, headers } of [missing, invalid]) {
      expect(status).toBe(401)
      expect(headers['www-authenticate']).toContain(`resource_metadata="${metadataUrl}"`)
    }
    expect(body).toEqual({
      resource: audience,
      authorization_servers: [tenant],
      bearer_methods_supported: ['header'],
    })
  })

  it('answers 400 for two tokens: in two fields, in the query or in a form', async () => {
    const { api } = world()
    const token = as(await tokenOf(first))

    await api.get('/open?access_token=x').set('authorization', token).expect(400)
    await api
      .post('/open')
      .type('form')
      .set('authorization', token)
      .send({ access_token: 'x' })
      .expect(400)
    await api.post('/open').type('form').set('authorization', token).send({ a: 'x' }).expect(200)
  })

  it('answers 401 for an unknown signing key, and tells the reason only to the log', async () => {
    const { api, refusals } = world()
    const forger = await generateSigningKey('RS256', 'first')

    const { body } = await api
      .get('/open')
      .set('authorization', as(await tokenOf(forger)))
      .expect(401)

    expect(body.error_description).toBe('the access token is not valid')
    expect(refusals).toEqual(['signature'])
  })

  it.each([
    ['another audience', { aud: 'https://other.test' }, 'audience'],
    ['another issuer', { iss: 'https://lumo.test/t/acme/api/v1' }, 'issuer'],
  ])('answers 401 for a token of %s', async (_, claims, why) => {
    const { api, refusals } = world()

    await api
      .get('/open')
      .set('authorization', as(await tokenOf(first, claims)))
      .expect(401)

    expect(refusals).toEqual([why])
  })

  it('answers 401 for a token whose header or claims are nested too deep', async () => {
    const { api, refusals } = world()
    const deep = `${'['.repeat(4000)}${']'.repeat(4000)}`
    const part = (json: string) => Buffer.from(json).toString('base64url')
    const header = '{"alg":"RS256","typ":"at+jwt","kid":"first"}'

    for (const [head, claims] of [
      [header, `{"sub":${deep}}`],
      [`{"alg":${deep}}`, '{}'],
    ]) {
      const token = [part(head ?? ''), part(claims ?? ''), part('x')].join('.')
      await api
        .get('/open')
        .set('authorization', as(token))
        .expect(401, /invalid_token/)
    }

    expect(refusals).toEqual(['malformed', 'malformed'])
  })

  it('accepts typ JWT only when configured', async () => {
    const token = as(await tokenOf(first, {}, 'JWT'))

    await world().api.get('/open').set('authorization', token).expect(401)
    await world({ types: ['at+jwt', 'JWT'] })
      .api.get('/open')
      .set('authorization', token)
      .expect(200)
  })

  it('names the missing detail in a challenge', async () => {
    const { api } = world()

    const { status, headers } = await api
      .get('/documents/doc_1')
      .set('authorization', as(await tokenOf(first)))

    expect(status).toBe(403)
    expect(JSON.parse(atob(headers['insufficient-authorization-details'] ?? ''))).toEqual({
      type: 'file_access',
      actions: ['read'],
      identifier: 'doc_1',
    })
  })

  it('passes the claims of an accepted token to the app', async () => {
    const { api } = world()
    const details = [{ type: 'file_access', actions: ['read'], identifier: 'doc_1' }]
    const token = await tokenOf(first, { authorization_details: details })

    const { body } = await api.get('/documents/doc_1').set('authorization', as(token)).expect(200)

    expect(body).toMatchObject({ sub: 'agent:report-bot', authorization_details: details })
  })

  it('passes other errors to the app', async () => {
    const { fetch, now } = world()
    const guard = lumoauthGuard({
      tenant,
      audience,
      fetch,
      now,
      required: () => {
        throw new Error('no such thing')
      },
    })
    const app = express()
    app.get('/', guard)
    const seen: unknown[] = []
    app.use(((error, _req, res, _next) => {
      seen.push(error)
      res.status(500).end()
    }) satisfies express.ErrorRequestHandler)

    const token = as(await tokenOf(first))
    await request(app).get('/').set('authorization', token).expect(500)

    expect(seen).toMatchObject([{ message: 'no such thing' }])
  })
})

/** Changes every member and every list of a value, at any depth. */
const spoil = (value: unknown): void => {
  if (typeof value !== 'object' || value === null) return
  for (const member of Object.values(value)) spoil(member)
  if (Array.isArray(value)) value.push('spoilt')
  else Object.assign(value, { type: 'spoilt', sub: 'spoilt', active: false, spoilt: true })
}

describe('the state of the guard', () => {
  const details = [{ type: 'file_access', actions: ['read'], identifier: 'doc_1' }]
  const introspection = { clientId: 'documents-api', clientSecret: 'secret' }

  it.each<[string, Partial<LumoAuthGuardOptions>]>([
    ['believes tokens until they expire', {}],
    ['hears of revocations by signals', { isRevoked: () => false }],
    ['asks the issuer each time', { introspection }],
    ['believes the issuer for a minute', { introspection, introspectionCache: 60 }],
  ])('is independent of handlers that change req.auth, when the guard %s', async (_, options) => {
    const { issuer, fetch, now } = world()
    issuer.introspection = { active: true, authorization_details: details }
    const guard = lumoauthGuard({ tenant, audience, fetch, now, ...options })
    const app = express()
    app.get('/', guard, (req, res) => {
      res.json(req.auth)
      spoil(req.auth)
    })
    const token = as(await tokenOf(first, { authorization_details: details, act: { sub: 'a' } }))

    const answers = []
    for (let n = 0; n < 3; n += 1) {
      answers.push((await request(app).get('/').set('authorization', token).expect(200)).body)
    }

    expect(answers[0].authorization_details[0]).toEqual(details[0])
    expect(answers[1]).toEqual(answers[0])
    expect(answers[2]).toEqual(answers[0])
  })

  it('is independent of an onRefusal that changes the refusal, and of an app that changes the requirement', async () => {
    const { fetch, now } = world()
    const guard = lumoauthGuard({ tenant, audience, fetch, now, onRefusal: spoil })
    const requirement = { detail: { type: 'file_access', actions: ['read'], identifier: 'doc_1' } }
    const app = express()
    app.get('/', guard.requiring(requirement))
    spoil(requirement)
    const token = as(await tokenOf(first))

    const challenges = []
    for (let n = 0; n < 2; n += 1) {
      const { headers } = await request(app).get('/').set('authorization', token).expect(403)
      challenges.push(JSON.parse(atob(headers['insufficient-authorization-details'] ?? '')))
    }

    expect(challenges).toEqual([details[0], details[0]])
  })
})

describe('the requirement of a guard', () => {
  const appOf = (required: unknown) => {
    const { fetch, now } = world()
    const guard = lumoauthGuard({ tenant, audience, fetch, now })
    const app = express()
    const errors: unknown[] = []
    app.get('/:id', guard.requiring(required as Required), (_, res) => {
      res.json('let in')
    })
    app.use(((error, _req, res, _next) => {
      errors.push(error)
      res.status(error.status ?? 500).end()
    }) satisfies express.ErrorRequestHandler)
    return { api: request(app), errors }
  }

  it.each([{}, { scope: '' }, { details: {} }, { detail: {} }, { token: 'all' }, undefined])(
    'throws at start when it is %j',
    (required) => {
      expect(() => appOf(required)).toThrow(TypeError)
    },
  )

  it.each([{}, { scope: '' }, { details: {} }, { detail: { type: 't', identifier: undefined } }])(
    'gets 500 when a function returns %j, and admits no token',
    async (required) => {
      const { api, errors } = appOf(async () => required)
      const token = await tokenOf(first, { scope: 'admin', authorization_details: [{ type: 't' }] })

      await api.get('/1').set('authorization', as(token)).expect(500)

      expect(errors).toMatchObject([{ name: 'TypeError', message: /^requirement/ }])
    },
  )

  it('may name several scopes, all of which are needed', async () => {
    const { api } = appOf({ scope: 'read write' })
    const status = async (scope: string) =>
      (await api.get('/1').set('authorization', as(await tokenOf(first, { scope })))).status

    expect(await status('write more read')).toBe(200)
    expect(await status('read')).toBe(403)
    expect(await status('')).toBe(403)
  })

  it('THR-26: is not computed for an invalid token, which gets 401 for every id', async () => {
    const asked: string[] = []
    const { api } = appOf(({ params: { id } }: express.Request) => {
      asked.push(String(id))
      if (id !== 'there') throw Object.assign(new Error('no such row'), { status: 404 })
      return { token: 'any' }
    })
    const forged = as(await tokenOf(await generateSigningKey('RS256', 'first')))
    const expired = as(await tokenOf(first, { exp: start - 60 }))

    for (const id of ['there', 'gone']) {
      await api.get(`/${id}`).expect(401)
      for (const token of [forged, expired, 'Bearer', 'Basic YTpi']) {
        const { status } = await api.get(`/${id}`).set('authorization', token)
        expect([400, 401]).toContain(status)
      }
    }
    expect(asked).toEqual([])

    const good = as(await tokenOf(first))
    await api.get('/there').set('authorization', good).expect(200)
    await api.get('/gone').set('authorization', good).expect(404)
    expect(asked).toEqual(['there', 'gone'])
  })

  it('THR-13: may hold any text from a path: the answer is a 403 with a valid header', async () => {
    const { api } = appOf(({ params: { id } }: express.Request) => ({
      detail: { type: 'file_access', identifier: String(id) },
    }))
    const token = as(await tokenOf(first))

    for (const id of ['", x="y', 'a\r\nset-cookie: a=b', 'Grüße 文書', 'x'.repeat(5000)]) {
      const { headers } = await api
        .get(`/${encodeURIComponent(id)}`)
        .set('authorization', token)
        .expect(403)
      expect(headers['set-cookie']).toBeUndefined()
      expect(headers['www-authenticate']).toBe('Bearer error="insufficient_authorization_details"')
    }
  })

  it('is omitted from the header above 4096 bytes, and the body says so', async () => {
    const { api } = appOf(({ params: { id } }: express.Request) => ({
      detail: { type: 'file_access', identifier: String(id) },
    }))

    const { headers, body } = await api
      .get(`/${'x'.repeat(12_500)}`)
      .set('authorization', as(await tokenOf(first)))
      .expect(403)

    expect(headers['insufficient-authorization-details']).toBeUndefined()
    expect(body).toMatchObject({
      error: 'insufficient_authorization_details',
      challenge_omitted: true,
    })
  })
})

describe('the realm of a guard', () => {
  it.each(['say "no"', 'a\\', 'x", y="z', 'a\r\nset-cookie: a=b', 'Grüße 文書', '\0\u{1f600}'])(
    'THR-13: may be any text, such as %j',
    async (realm) => {
      const { headers } = await world({ realm }).api.get('/open').expect(401)

      const [challenge] = parseChallenges(headers['www-authenticate'] ?? '') ?? []
      expect(Object.fromEntries(challenge?.parameters ?? [])).toEqual({
        realm: removeUnsendable(realm),
      })
      expect(headers['set-cookie']).toBeUndefined()
    },
  )
})

describe('the endpoints of a remote issuer', () => {
  const introspection = { clientId: 'documents-api', clientSecret: 'secret' }
  const endpoints = ['jwks_uri', 'introspection_endpoint'] as const

  it.each(
    endpoints.flatMap((name) =>
      ['http://lumo.test/x', 'data:application/json,{"keys":[]}', 'file:///etc/keys'].map(
        (url) => [name, url] as const,
      ),
    ),
  )('are not called if the metadata name as %s %s', async (name, url) => {
    const { api, issuer, refusals } = world({ introspection })
    issuer.metadata[name] = url

    await api
      .get('/open')
      .set('authorization', as(await tokenOf(first)))
      .expect(503)

    expect(issuer.calls.map((call) => call.url)).not.toContain(url)
    expect(refusals).toHaveLength(1)
  })

  it('may use http if the tenant does', async () => {
    const { issuer, fetch, ring } = world()
    const plain = tenant.replace('https:', 'http:')
    const answers: Record<string, unknown> = {
      [`${plain}/.well-known/oauth-authorization-server`]: {
        issuer: plain,
        jwks_uri: `${plain}/keys`,
      },
      [`${plain}/keys`]: ring.jwks(),
    }
    const guard = lumoauthGuard({
      tenant: plain,
      audience,
      now: () => start,
      fetch: async (input, init) => {
        const answer = answers[String(input)]
        return answer === undefined ? fetch(input, init) : Response.json(answer)
      },
    })
    const app = express()
    app.get('/', guard, (_, res) => {
      res.end()
    })

    await request(app)
      .get('/')
      .set('authorization', as(await tokenOf(first, { iss: plain })))
      .expect(200)

    expect(issuer.calls).toEqual([])
  })

  it.each(['ftp://lumo.test/t/acme', 'data:,x', 'lumo.test', ''])(
    'are rejected at start for the tenant %j',
    (url) => {
      expect(() => lumoauthGuard({ tenant: url, audience })).toThrow(TypeError)
    },
  )

  it('are read up to 1 MiB of a response', async () => {
    const { issuer, api } = world()
    Object.assign(issuer.metadata, { pad: 'x'.repeat(2 ** 20) })

    await api
      .get('/open')
      .set('authorization', as(await tokenOf(first)))
      .expect(503)
  })
})

describe('the keys of a remote issuer', () => {
  it('are fetched through discovery, once for concurrent requests', async () => {
    const { issuer, fetched, fetch } = world()
    const remote = new RemoteIssuer({
      tenant,
      issuers: [tenant],
      fetch,
      now: () => start,
      coolDown: 1,
      keysLifetime: 600,
      timeout: 5000,
    })

    const found = await Promise.all(
      [1, 2, 3].map(() => remote.findKeys({ alg: 'RS256', kid: 'first' })),
    )

    expect(found.map(({ length }) => length)).toEqual([1, 1, 1])
    expect(fetched('oauth-authorization-server')).toBe(1)
    expect(issuer.calls).toHaveLength(2)
  })

  /** The keys alone, and pauses that take no time but are counted. */
  const remoteKeys = (more: Partial<ConstructorParameters<typeof RemoteIssuer>[0]> = {}) => {
    const { fetch, fetched, ring, issuer, advance, now } = world()
    const pauses: number[] = []
    const { findKeys } = new RemoteIssuer({
      tenant,
      issuers: [tenant],
      fetch,
      now,
      coolDown: 1,
      keysLifetime: 600,
      timeout: 5000,
      pause: async (seconds) => {
        pauses.push(seconds)
        advance(seconds)
      },
      ...more,
    })
    const find = (kid: string, alg = 'ES256') =>
      findKeys({ alg, kid }).then(
        ({ length }) => length,
        ({ reason }) => reason,
      )
    return { find, fetched, ring, issuer, advance, pauses }
  }

  it('JWT-08: are fetched again for unknown kids at most once per cool-down', async () => {
    const { find, fetched, pauses, advance } = remoteKeys()
    expect(await find('first', 'RS256')).toBe(1)
    advance(1)

    expect(await find('made-up')).toBe('unknown_key')
    expect(fetched('jwks.json')).toBe(2)
    expect(pauses).toEqual([])

    const names = Array.from({ length: 50 }, (_, at) => `made-up-${at}`)
    const found = await Promise.all(names.map((name) => find(name)))
    expect(new Set(found)).toEqual(new Set(['unknown_key']))
    expect(fetched('jwks.json')).toBe(3)
    expect(pauses).toEqual([1])
  })

  it('JWT-17: include a new signing key at once, even after many made-up kids', async () => {
    const { find, ring, fetched } = remoteKeys()
    await find('first', 'RS256')
    const madeUp = ['one', 'two', 'three'].map((kid) => find(kid))
    ring.rotate(second)

    expect(await find('second')).toBe(1)
    expect(await Promise.all(madeUp)).toEqual(Array(3).fill('unknown_key'))
    expect(fetched('jwks.json')).toBeLessThanOrEqual(3)
  })

  it('are not fetched again for a known kid with another algorithm', async () => {
    const { find, fetched, advance } = remoteKeys()
    await find('first', 'RS256')
    advance(5)

    expect(await find('first', 'PS256')).toBe('algorithm')
    expect(fetched('jwks.json')).toBe(1)
  })

  it('do not delay a request when the cool-down is longer than a second', async () => {
    const { find, fetched, advance } = remoteKeys({ coolDown: 30 })
    await find('first', 'RS256')

    expect(await find('second')).toBe('unknown_key')
    expect(fetched('jwks.json')).toBe(1)
    advance(30)
    expect(await find('second')).toBe('unknown_key')
    expect(fetched('jwks.json')).toBe(2)
  })

  it('stay cached when fetching them again fails', async () => {
    const { find, issuer, ring, advance } = remoteKeys()
    await find('first', 'RS256')
    issuer.up = false
    advance(5)

    expect(await find('second')).toBe('unknown_key')
    expect(await find('first', 'RS256')).toBe(1)

    issuer.up = true
    ring.rotate(second)
    expect(await find('second')).toBe(1)
  })

  it('JWT-17: follow a rotation without a restart, and a withdrawal within their lifetime', async () => {
    const { api, ring, advance } = world()
    const [old, next] = [as(await tokenOf(first)), as(await tokenOf(second))]
    await api.get('/open').set('authorization', old).expect(200)
    ring.rotate(second)

    advance(1)
    await api.get('/open').set('authorization', next).expect(200)
    await api.get('/open').set('authorization', old).expect(200)

    ring.retire('first')
    advance(600)
    await api.get('/open').set('authorization', old).expect(401)
    await api.get('/open').set('authorization', next).expect(200)
  })

  it('expire when the issuer is unreachable, and then requests get 503', async () => {
    const { api, issuer, advance, fetched } = world()
    const token = as(await tokenOf(first))
    await api.get('/open').set('authorization', token).expect(200)
    issuer.up = false

    advance(599)
    await api.get('/open').set('authorization', token).expect(200)

    advance(1)
    await api.get('/open').set('authorization', token).expect(503).expect('retry-after', '1')
    await api.get('/open').set('authorization', token).expect(503)
    expect(fetched('jwks.json')).toBe(2)

    issuer.up = true
    advance(1)
    await api.get('/open').set('authorization', token).expect(200)
  })

  it('ASM-02: are never taken from another issuer’s metadata', async () => {
    const { api, issuer } = world()
    issuer.metadata.issuer = 'https://lumo.test/t/acme/api/v1'

    await api
      .get('/open')
      .set('authorization', as(await tokenOf(first)))
      .expect(503)
  })
})

describe('introspection at a remote issuer', () => {
  const introspection = { clientId: 'documents api', clientSecret: 's:cret/+' }

  it('gives 503 when the issuer is unreachable', async () => {
    const { api, issuer } = world({ introspection })
    const token = as(await tokenOf(first))
    await api.get('/open').set('authorization', token).expect(200)

    issuer.up = false

    await api.get('/open').set('authorization', token).expect(503)
  })

  it('gives 503 for a malformed response', async () => {
    const { api, issuer } = world({ introspection })
    issuer.introspection = { active: 'yes' }

    await api
      .get('/open')
      .set('authorization', as(await tokenOf(first)))
      .expect(503)
  })

  it('applies a revocation at once', async () => {
    const { api, issuer } = world({ introspection })
    const token = as(await tokenOf(first))
    await api.get('/open').set('authorization', token).expect(200)

    issuer.introspection = { active: false, note: 'a talkative issuer' }

    await api.get('/open').set('authorization', token).expect(401)
  })

  it('sends the token in a form and the client in Basic, both encoded', async () => {
    const { api, issuer } = world({ introspection })
    const token = await tokenOf(first)
    await api.get('/open').set('authorization', as(token)).expect(200)

    const call = issuer.calls.at(-1) as Request

    expect(call.headers.get('authorization')).toBe(`Basic ${btoa('documents+api:s%3Acret%2F%2B')}`)
    expect(new URLSearchParams(await call.text()).get('token')).toBe(token)
  })
})

describe('without introspection', () => {
  it('asks the isRevoked of the app', async () => {
    const { api, refusals } = world({ isRevoked: ({ jti }) => jti === 'jti-1' })

    await api
      .get('/open')
      .set('authorization', as(await tokenOf(first)))
      .expect(401)

    expect(refusals).toEqual(['revoked, by signal'])
  })
})
