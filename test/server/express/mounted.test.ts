import { createServer, type RequestListener } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import compression from 'compression'
import express5 from 'express'
import serverless from 'serverless-http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expressApps, lumoauthGuard } from '../../../server/express/index.ts'
import { createHarness, type Harness, type TestTenant } from '../../../server/index.ts'
import { supertest as request } from '../../support/supertest.ts'

type Express = typeof express5
const express4 = createRequire(import.meta.url)('express4') as Express
const versions: [name: string, express: Express][] = [
  ['Express 5', express5],
  ['Express 4', express4],
]

/** Middleware that other people's apps put in front of our apps and our guard. */
const middlewares: [name: string, use: (express: Express) => express5.RequestHandler[]][] = [
  ['nothing', () => []],
  ['json()', (express) => [express.json()]],
  ['urlencoded({ extended: false })', (express) => [express.urlencoded({ extended: false })]],
  ['urlencoded({ extended: true })', (express) => [express.urlencoded({ extended: true })]],
  ['text()', (express) => [express.text({ type: () => true })]],
  ['raw()', (express) => [express.raw({ type: () => true })]],
  [
    'json() and urlencoded()',
    (express) => [express.json(), express.urlencoded({ extended: true })],
  ],
  ['compression()', () => [compression({ threshold: 0 })]],
]

let harness: Harness
let tenant: TestTenant
beforeAll(async () => {
  harness = await createHarness({
    algorithm: 'ES256',
    origins: { issuer: 'https://issuer.example', api: 'https://api.example' },
  })
  tenant = harness.createTenant({ tenant: 'acme' })
})
afterAll(() => harness.close())

const base = '/t/acme/api/v1'
const login = () => ({
  grant_type: 'client_credentials',
  client_id: tenant.agents[0]?.client_id ?? '',
  client_secret: tenant.agents[0]?.client_secret ?? '',
})

/** An app with `first` in front of what it mounts. */
const appWith = (express: Express, first: express5.RequestHandler[], ...mounted: never[]) => {
  const app = express()
  for (const handler of [...first, ...mounted]) app.use(handler)
  return app
}

describe.each(versions)('in an app of %s', (_, express) => {
  describe.each(middlewares)('behind %s', (_, use) => {
    const mount = (seat: 'issuer' | 'api') =>
      appWith(express, use(express), expressApps(harness)[seat] as never)

    it('the issuer reads forms', async () => {
      const { body } = await request(mount('issuer'))
        .post(`${base}/oauth/token`)
        .type('form')
        .send(login())
        .expect(200)

      expect(body.access_token).toMatch(/^eyJ/)
    })

    it('the issuer reads JSON, and rejects invalid JSON bodies', async () => {
      const app = mount('issuer')
      const token = await tokenFrom(app)
      const open = (body: object) =>
        request(app).post(`${base}/jit/task`).auth(token, { type: 'bearer' }).send(body)

      const { body } = await open({ name: 'Q4' }).expect(201)

      expect(body.task_id).toMatch(/^task_/)
      await open({ name: 7 }).expect(400, /name: /)
    })

    it('JSON that is nested too deep is rejected', async () => {
      const app = mount('issuer')
      const token = await tokenFrom(app)
      const levels = 10_000

      await request(app)
        .post(`${base}/jit/task`)
        .auth(token, { type: 'bearer' })
        .type('json')
        .send(`{"name":${'['.repeat(levels)}${']'.repeat(levels)}}`)
        .expect(400, /nested deeper than 64 levels/)
    })

    it('a repeated parameter stays repeated', async () => {
      await request(mount('issuer'))
        .post(`${base}/oauth/token`)
        .type('form')
        .send(`${new URLSearchParams(login())}&grant_type=client_credentials`)
        .expect(400, /grant_type/)
    })

    it('a GET has no body, and an unknown path gets 404 in the error envelope', async () => {
      await request(mount('issuer'))
        .get(`${base}/.well-known/jwks.json`)
        .expect(200, /"keys"/)
      await request(mount('issuer'))
        .get('/nowhere')
        .expect(404, /"error":"not_found"/)
    })

    it('the API answers 403 with a challenge', async () => {
      const token = await tokenFrom(mount('issuer'))

      const { headers } = await request(mount('api'))
        .get('/v1/documents/doc_9982')
        .auth(token, { type: 'bearer' })
        .expect(403)

      expect(headers['insufficient-authorization-details']).toBeDefined()
    })

    it('the guard accepts a token in the header, and rejects one that is sent twice', async () => {
      const app = guarded(express, use(express))
      const token = await tokenFrom(mount('issuer'))

      await request(app).get('/own').auth(token, { type: 'bearer' }).expect(200)
      await request(app).get('/own').expect(401)
      await request(app)
        .get(`/own?access_token=${token}`)
        .auth(token, { type: 'bearer' })
        .expect(400)
    })
  })

  it('below a path, each seat answers the rest of the path', async () => {
    const app = express()
    const { issuer, api } = expressApps(harness)
    app.use('/lumoauth', issuer as never)
    app.use('/documents-api', api as never)
    app.get('/own', (_, response) => void response.json({ own: true }))
    const token = await tokenFrom(app, '/lumoauth')

    await request(app)
      .get('/documents-api/v1/documents')
      .auth(token, { type: 'bearer' })
      .expect(200)
    await request(app).get('/own').expect(200, { own: true })
  })

  it('behind trust proxy, the control plane answers 403 for another Host', async () => {
    const app = express()
    app.set('trust proxy', true)
    app.use(expressApps(harness).issuer as never)

    await request(app)
      .get('/_harness/tenants')
      .set('x-forwarded-host', 'issuer.example')
      .set('host', 'evil.example')
      .auth(harness.controlToken, { type: 'bearer' })
      .expect(403)
  })

  it('a body that was read before gets 500 instead of waiting', async () => {
    const consume: express5.RequestHandler = (incoming, _, next) => {
      incoming.resume().once('end', () => next())
    }
    const app = appWith(express, [consume], expressApps(harness).issuer as never)

    await request(app)
      .post(`${base}/oauth/token`)
      .type('form')
      .send(login())
      .expect(500, /other middleware has read the request body and left req\.body empty/)
  })

  it('an error in a requirement function reaches the app’s error handler', async () => {
    const app = express()
    const guard = guardOf()
    app.get('/own', guard.requiring(async () => Promise.reject(new Error('no database'))) as never)
    app.use(((error, _request, response, _next) => {
      response.status(500).json({ told: (error as Error).message })
    }) as express5.ErrorRequestHandler)

    const token = await tokenFrom(expressApps(harness).issuer)
    await request(app)
      .get('/own')
      .auth(token, { type: 'bearer' })
      .expect(500, { told: 'no database' })
  })

  it('events are sent at once through compression()', async () => {
    const app = appWith(
      express,
      [compression({ threshold: 0 })],
      expressApps(harness).issuer as never,
    )
    const { origin, close } = await listen(app as never)
    const page = new URL(await tenant.approver.page())
    const code = new URLSearchParams(page.hash.slice(1)).get('code')
    const signedIn = await fetch(`${origin}/console/acme/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin },
      body: JSON.stringify({ code }),
    })
    const cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? ''

    const events = await fetch(`${origin}/console/acme/events`, { headers: { cookie } })
    const first = await events.body?.getReader().read()

    expect(signedIn.status).toBe(200)
    expect(events.headers.get('content-encoding')).toBeNull()
    expect(new TextDecoder().decode(first?.value)).toContain('event: hello')
    close()
  })
})

describe('behind serverless-http, which fills req.headers only', () => {
  const invoke = (app: unknown, event: object) =>
    serverless(app as never)(
      { version: '2.0', requestContext: { http: {} }, ...event } as never,
      {} as never,
    ) as Promise<{ statusCode: number; body: string }>

  const event = (method: string, rawPath: string, headers: object, body?: string) => ({
    rawPath,
    headers,
    body,
    requestContext: { http: { method, path: rawPath } },
  })

  it.each(versions)('the guard of an app of %s accepts a valid token', async (_, express) => {
    const token = await tokenFrom(expressApps(harness).issuer)
    const app = guarded(express, [])

    const good = await invoke(app, event('GET', '/own', { authorization: `Bearer ${token}` }))
    const none = await invoke(app, event('GET', '/own', {}))

    expect([good.statusCode, none.statusCode]).toEqual([200, 401])
  })

  it('the issuer issues tokens', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const body = new URLSearchParams(login()).toString()

    const answer = await invoke(
      expressApps(harness).issuer,
      event('POST', `${base}/oauth/token`, headers, body),
    )

    expect(answer.statusCode).toBe(200)
    expect(JSON.parse(answer.body).access_token).toMatch(/^eyJ/)
  })
})

const tokenFrom = async (app: unknown, path = ''): Promise<string> => {
  const { body } = await request(app as RequestListener)
    .post(`${path}${base}/oauth/token`)
    .type('form')
    .send(login())
  return body.access_token
}

const guardOf = () =>
  lumoauthGuard({
    tenant: `https://issuer.example${base}`,
    audience: 'https://api.example',
    fetch: harness.fetch,
  })

const guarded = (express: Express, first: express5.RequestHandler[]) => {
  const app = appWith(express, first)
  app.get('/own', guardOf(), (_, response) => void response.json({ own: true }))
  return app
}

const listen = async (listener: RequestListener) => {
  const server = createServer(listener)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
