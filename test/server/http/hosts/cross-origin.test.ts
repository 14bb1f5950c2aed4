import { setupServer } from 'msw/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHandlers } from '../../../../server/http/hosts/msw.ts'
import { createHarness, type Harness } from '../../../../server/index.ts'

const origin = 'http://localhost:3000'

describe.each(['sockets', 'msw', 'fetch'] as const)('pages of other origins, over %s', (host) => {
  let harness: Harness
  let ask: typeof fetch
  const msw = setupServer()

  beforeAll(async () => {
    harness = await createHarness({
      algorithm: 'ES256',
      ...(host === 'sockets'
        ? {}
        : { origins: { issuer: 'https://issuer.test', api: 'https://api.test' } }),
    })
    if (host === 'msw') {
      msw.use(...createHandlers(harness))
      msw.listen({ onUnhandledFrame: 'bypass' })
    }
    ask = host === 'fetch' ? harness.fetch : (...call) => globalThis.fetch(...call)
  })

  afterAll(async () => {
    if (host === 'msw') msw.close()
    await harness.close()
  })

  const preflight = (url: string, method: string, fields = 'authorization, mcp-protocol-version') =>
    ask(url, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': method,
        'access-control-request-headers': fields,
      },
    })

  it.each([
    ['POST', '/oauth/token'],
    ['GET', '/oauth/userinfo'],
    ['POST', '/oauth/revoke'],
    ['POST', '/connect/register'],
    ['POST', '/oauth/par'],
    ['POST', '/jit/request'],
    ['GET', '/.well-known/openid-configuration'],
  ])('may send %s %s with their own header fields', async (method, path) => {
    const { urls } = harness.createTenant()

    const { status, headers } = await preflight(urls.tenant + path, method)

    expect(status).toBe(204)
    expect(headers.get('access-control-allow-origin')).toBe('*')
    expect(headers.get('access-control-allow-methods')).toBe(method)
    expect(headers.get('access-control-allow-headers')).toBe('authorization, mcp-protocol-version')
    expect(headers.get('access-control-allow-credentials')).toBeNull()
  })

  it('may read the challenge of the API', async () => {
    const { urls } = harness.createTenant()
    const url = `${urls.api}/v1/documents/doc_9982`

    expect((await preflight(url, 'GET')).status).toBe(204)
    const { status, headers } = await ask(url, { headers: { origin } })

    expect(status).toBe(401)
    expect(headers.get('access-control-allow-origin')).toBe('*')
    const exposed = headers.get('access-control-expose-headers')?.split(', ')
    expect(exposed).toEqual(
      expect.arrayContaining(['WWW-Authenticate', 'Insufficient-Authorization-Details']),
    )
  })

  it.each([
    ['GET', (at: Harness) => `${at.issuer}/_harness/tenants`],
    ['POST', (at: Harness) => `${at.issuer}/_harness/tenants`],
    ['GET', (at: Harness) => `${at.issuer}/console`],
    ['GET', (at: Harness) => `${at.createTenant().urls.tenant}/oauth/authorize`],
    ['POST', (at: Harness) => `${at.createTenant().urls.tenant}/oauth/authorize`],
    ['GET', (at: Harness) => `${at.createTenant().urls.tenant}/oauth/logout`],
  ])(
    'may not call the control plane, approvals page or consent page: %s %#',
    async (method, url) => {
      const asked = await preflight(url(harness), method)
      const answered = await ask(url(harness), { method, headers: { origin } })

      expect(asked.headers.get('access-control-allow-origin')).toBeNull()
      expect(answered.headers.get('access-control-allow-origin')).toBeNull()
    },
  )

  it('get the content type of a GET from HEAD', async () => {
    const { urls } = harness.createTenant()

    const { headers } = await ask(`${urls.tenant}/.well-known/jwks.json`, { method: 'HEAD' })

    expect(headers.get('content-type')).toMatch(/^application\/json/)
  })
})

describe('MSW handlers, for a preflight that lost its Origin, as those of happy-dom,', () => {
  const ask = async (path: string, crossOrigin: boolean) => {
    await using harness = await createHarness({
      algorithm: 'ES256',
      crossOrigin,
      origins: { issuer: 'https://issuer.test', api: 'https://api.test' },
    })
    const server = setupServer(...createHandlers(harness))
    server.listen({ onUnhandledFrame: 'bypass' })
    const response = await fetch(harness.createTenant().urls.tenant + path, { method: 'OPTIONS' })
    server.close()
    return response
  }

  it('answer 204 with the methods of the path', async () => {
    const { status, headers } = await ask('/oauth/userinfo', true)

    expect(status).toBe(204)
    expect(headers.get('access-control-allow-origin')).toBe('*')
    expect(headers.get('access-control-allow-methods')).toBe('GET, HEAD, POST')
  })

  it.each([
    ['the consent page', '/oauth/authorize', true],
    ['a harness without CORS', '/oauth/userinfo', false],
  ])('answer 405 for %s', async (_, path, crossOrigin) => {
    const { status, headers } = await ask(path, crossOrigin)

    expect(status).toBe(405)
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })
})

it('crossOrigin: false sends no CORS headers', async () => {
  await using harness = await createHarness({
    algorithm: 'ES256',
    crossOrigin: false,
    origins: { issuer: 'https://issuer.test' },
  })
  const { urls } = harness.createTenant()
  const headers = { origin, 'access-control-request-method': 'POST' }

  const asked = await harness.fetch(`${urls.tenant}/oauth/token`, { method: 'OPTIONS', headers })
  const answered = await harness.fetch(`${urls.tenant}/oauth/token`, { method: 'POST', headers })

  expect(asked.status).toBe(405)
  expect(answered.headers.get('access-control-allow-origin')).toBeNull()
})
