import express from 'express'
import { beforeAll, describe, expect, it } from 'vitest'
import { type LumoAuthGuardOptions, lumoauthGuard } from '../../../server/http/express-guard.ts'
import { RemoteIssuer } from '../../../server/http/remote-issuer.ts'
import { generateSigningKey, KeyRing, type SigningKey } from '../../../server/signing/keys.ts'
import { signJwt } from '../../../server/signing/sign.ts'
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

/** An issuer without a socket, and somebody's Express app that trusts it. */
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
    issuer,
    ring,
    refusals,
    fetch,
    fetched,
    advance: (seconds: number) => {
      now += seconds
    },
  }
}

const as = (token: string) => `Bearer ${token}`

describe('the Express guard', () => {
  it('asks for a token', async () => {
    const { api } = world({ realm: 'reports' })

    const { status, headers, body } = await api.get('/open')

    expect(status).toBe(401)
    expect(headers['www-authenticate']).toBe('Bearer realm="reports"')
    expect(body.error).toBe('missing_token')
  })

  it('refuses two tokens at once, in two fields, in the query or in a form', async () => {
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

  it('refuses what nobody it knows has signed, and says why to the log only', async () => {
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
  ])('refuses a token of %s', async (_, claims, why) => {
    const { api, refusals } = world()

    await api
      .get('/open')
      .set('authorization', as(await tokenOf(first, claims)))
      .expect(401)

    expect(refusals).toEqual([why])
  })

  it('takes typ JWT only when told to', async () => {
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

  it('hands on the claims of a token that is wide enough', async () => {
    const { api } = world()
    const details = [{ type: 'file_access', actions: ['read'], identifier: 'doc_1' }]
    const token = await tokenOf(first, { authorization_details: details })

    const { body } = await api.get('/documents/doc_1').set('authorization', as(token)).expect(200)

    expect(body).toMatchObject({ sub: 'agent:report-bot', authorization_details: details })
  })

  it('leaves what else goes wrong to the app', async () => {
    const guard = lumoauthGuard({
      tenant,
      audience,
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

    await request(app).get('/').expect(500)

    expect(seen).toMatchObject([{ message: 'no such thing' }])
  })
})

describe('the keys of a remote issuer', () => {
  it('are found by discovery, once for all who need them at the same time', async () => {
    const { issuer, fetched, fetch } = world()
    const remote = new RemoteIssuer({
      tenant,
      issuers: [tenant],
      fetch,
      now: () => start,
      coolDown: 30,
      keysLifetime: 600,
      timeout: 5000,
    })

    const found = await Promise.all([1, 2, 3].map(() => remote.key('first')))

    expect(found.map((key) => key?.kid)).toEqual(['first', 'first', 'first'])
    expect(fetched('oauth-authorization-server')).toBe(1)
    expect(issuer.calls).toHaveLength(2)
  })

  it('JWT-08: are fetched anew for an unknown kid at most once per cool-down', async () => {
    const { api, fetched, advance } = world()
    await api
      .get('/open')
      .set('authorization', as(await tokenOf(first)))
      .expect(200)
    const unknown = as(await tokenOf(second))

    advance(29)
    for (const _ of [1, 2, 3]) await api.get('/open').set('authorization', unknown).expect(401)
    expect(fetched('jwks.json')).toBe(1)

    advance(1)
    for (const _ of [1, 2, 3]) await api.get('/open').set('authorization', unknown).expect(401)
    expect(fetched('jwks.json')).toBe(2)
  })

  it('JWT-17: follow a rotation without a restart, and a withdrawal within their lifetime', async () => {
    const { api, ring, advance } = world()
    const [old, next] = [as(await tokenOf(first)), as(await tokenOf(second))]
    await api.get('/open').set('authorization', old).expect(200)
    ring.rotate(second)

    advance(30)
    await api.get('/open').set('authorization', next).expect(200)
    await api.get('/open').set('authorization', old).expect(200)

    ring.retire('first')
    advance(600)
    await api.get('/open').set('authorization', old).expect(401)
    await api.get('/open').set('authorization', next).expect(200)
  })

  it('are not believed beyond their lifetime when the issuer is gone, and the door stays shut', async () => {
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

  it('ASM-02: are not taken from metadata of another issuer', async () => {
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

  it('shuts the door when the issuer cannot be asked', async () => {
    const { api, issuer } = world({ introspection })
    const token = as(await tokenOf(first))
    await api.get('/open').set('authorization', token).expect(200)

    issuer.up = false

    await api.get('/open').set('authorization', token).expect(503)
  })

  it('shuts the door on an answer that cannot be understood', async () => {
    const { api, issuer } = world({ introspection })
    issuer.introspection = { active: 'yes' }

    await api
      .get('/open')
      .set('authorization', as(await tokenOf(first)))
      .expect(503)
  })

  it('counts a revocation at once', async () => {
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
  it('asks whoever remembers the signals', async () => {
    const { api, refusals } = world({ isRevoked: ({ jti }) => jti === 'jti-1' })

    await api
      .get('/open')
      .set('authorization', as(await tokenOf(first)))
      .expect(401)

    expect(refusals).toEqual(['revoked, by signal'])
  })
})
