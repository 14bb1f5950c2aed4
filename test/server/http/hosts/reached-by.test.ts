import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { setupServer } from 'msw/node'
import { describe, expect, it } from 'vitest'
import { expressApps } from '../../../../server/express/index.ts'
import { createHandlers } from '../../../../server/http/hosts/msw.ts'
import { createHarness, type HarnessOptions } from '../../../../server/index.ts'

type Json = Record<string, string>

/** Sends a request to a socket under any Host. */
const ask = async (
  url: string,
  headers: Record<string, string> = {},
  { method = 'GET', body = '' } = {},
) => {
  const { port } = new URL(url)
  const sent = httpRequest({
    port,
    host: '127.0.0.1',
    path: url.slice(new URL(url).origin.length),
    method,
    headers: {
      ...(body === '' ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      ...headers,
    },
  }).end(body)
  const [answer] = await once(sent, 'response')
  let text = ''
  for await (const piece of answer) text += piece
  const json = (): Json => JSON.parse(text)
  return { status: answer.statusCode as number, headers: answer.headers as Json, text, json }
}

const harnessOf = (options: HarnessOptions = {}) =>
  createHarness({ algorithm: 'ES256', host: '127.0.0.1', ...options })

const secretOf = ({ agents: [agent] }: { agents: readonly Json[] }) =>
  new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: agent?.client_id ?? '',
    client_secret: agent?.client_secret ?? '',
  }).toString()

describe('a harness on sockets', () => {
  it('uses the Host of the request in URLs, if it is a loopback or an allowed name', async () => {
    await using harness = await harnessOf({ allowHosts: ['lumoauth', '.tunnel.example'] })
    const { urls } = harness.createTenant()
    const metadata = `${urls.tenant}/.well-known/openid-configuration`
    const path = urls.tenant.slice(harness.issuer.length)

    for (const host of ['localhost:32768', 'LUMOAUTH:4400', 'x-4400.tunnel.example']) {
      const { issuer, token_endpoint } = (await ask(metadata, { host })).json()
      expect(issuer).toBe(`http://${host.toLowerCase()}${path}`)
      expect(token_endpoint).toBe(`${issuer}/oauth/token`)
    }
  })

  it('ignores a Host that is not allowed', async () => {
    await using harness = await harnessOf({ allowHosts: ['lumoauth', '.tunnel.example'] })
    const { urls } = harness.createTenant()
    const metadata = `${urls.tenant}/.well-known/openid-configuration`

    for (const host of ['evil.example', 'lumoauth.evil.example', 'xtunnel.example', 'a b', '']) {
      const { status, text } = await ask(metadata, { host })
      if (status === 200) expect(JSON.parse(text).issuer).toBe(urls.tenant)
      else expect(status).toBe(400)
    }
    const forwarded = await ask(metadata, { 'x-forwarded-host': 'lumoauth' })
    expect(forwarded.json().issuer).toBe(urls.tenant)
  })

  it('prefers a configured origin to loopback names', async () => {
    await using harness = await harnessOf({
      origins: { issuer: 'https://lumo.test' },
      listen: true,
    })
    const { urls } = harness.createTenant()
    const port = await portOf(harness)

    const { issuer } = (
      await ask(
        `http://127.0.0.1:${port}${urls.tenant.slice('https://lumo.test'.length)}/.well-known/openid-configuration`,
      )
    ).json()

    expect(issuer).toBe(urls.tenant)
  })

  it('issues tokens under one name that are valid under every other', async () => {
    await using harness = await harnessOf()
    const tenant = harness.createTenant()
    const { urls } = tenant
    const host = 'localhost:32768'
    const body = secretOf(tenant)

    const { access_token: token = '' } = (
      await ask(`${urls.tenant}/oauth/token`, { host }, { method: 'POST', body })
    ).json()
    const headers = { authorization: `Bearer ${token}` }

    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    expect(claims.iss).toBe(urls.tenant.replace(harness.issuer, 'http://localhost:32768'))
    expect((await ask(`${urls.tenant}/oauth/userinfo`, headers)).status).toBe(200)
    expect((await ask(`${urls.tenant}/oauth/userinfo`, { ...headers, host })).status).toBe(200)
    const api = await ask(`${urls.api}/v1/documents`, { ...headers, host: 'localhost:32769' })
    expect(api.status).toBe(200)
  })

  it('serves the metadata of the API under the requested name', async () => {
    await using harness = await harnessOf()
    const tenant = harness.createTenant()
    const host = 'localhost:32769'

    const refused = await ask(`${tenant.urls.api}/v1/documents`, { host })
    const [, url = ''] =
      /resource_metadata="([^"]+)"/.exec(refused.headers['www-authenticate'] ?? '') ?? []
    const { resource = '' } = (await ask(harness.api + new URL(url).pathname, { host })).json()

    expect(resource).toBe(tenant.urls.api.replace(harness.api, `http://${host}`))
    const body = `${secretOf(tenant)}&resource=${encodeURIComponent(resource)}`
    const { access_token: token } = (
      await ask(`${tenant.urls.tenant}/oauth/token`, {}, { method: 'POST', body })
    ).json()
    const headers = { authorization: `Bearer ${token}`, host }
    expect((await ask(`${tenant.urls.api}/v1/documents`, headers)).status).toBe(200)
  })

  it('trusts a proxy only with trustProxy, and only for allowed names', async () => {
    await using harness = await harnessOf({ trustProxy: true, allowHosts: ['lumo.example'] })
    const { urls } = harness.createTenant()
    const metadata = `${urls.tenant}/.well-known/openid-configuration`
    const path = urls.tenant.slice(harness.issuer.length)
    const proxy = {
      'x-forwarded-host': 'lumo.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-prefix': '/auth',
    }

    const followed = (await ask(metadata, proxy)).json()
    const port = (await ask(metadata, { ...proxy, 'x-forwarded-port': '8443' })).json()
    const foreign = (await ask(metadata, { ...proxy, 'x-forwarded-host': 'evil.example' })).json()

    expect(followed.issuer).toBe(`https://lumo.example/auth${path}`)
    expect(port.issuer).toBe(`https://lumo.example:8443/auth${path}`)
    expect(foreign.issuer).not.toContain('evil')
  })

  it.each([
    ['/console', 303],
    ['/_harness/tenants', 200],
  ])('serves %s under an allowed name, and under no other', async (path, status) => {
    await using harness = await harnessOf({ trustProxy: true, allowHosts: ['lumo.example'] })
    harness.createTenant()
    const authorization = `Bearer ${harness.controlToken}`
    const statusOf = async (headers: Json) =>
      (await ask(harness.issuer + path, { authorization, ...headers })).status

    expect(await statusOf({ host: 'lumo.example:4400' })).toBe(status)
    expect(await statusOf({ host: 'LOCALHOST:4400' })).toBe(status)
    expect(await statusOf({ host: '192.168.1.5:4400' })).toBe(403)
    expect(await statusOf({ host: 'evil.example', 'x-forwarded-host': 'lumo.example' })).toBe(403)
    expect(await statusOf({ 'x-forwarded-host': 'evil.example' })).toBe(403)
  })
})

/** The port of a harness that has another name. */
const portOf = async (harness: { seats: Parameters<typeof expressApps>[0]['seats'] }) => {
  const server = createServer(expressApps(harness).issuer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  server.unref()
  return (server.address() as AddressInfo).port
}

describe('a harness below a base path', () => {
  const issuer = 'https://gateway.test/auth'

  it('has the path in every URL, and accepts it between host and path too (RFC 8414 §3.1)', async () => {
    await using harness = await createHarness({
      algorithm: 'ES256',
      origins: { issuer, api: 'https://gateway.test/docs' },
    })
    const { urls } = harness.createTenant()
    const path = urls.tenant.slice(issuer.length)
    const read = async (url: string) => (await harness.fetch(url)).json() as Promise<Json>

    const metadata = await read(`${urls.tenant}/.well-known/oauth-authorization-server`)
    const between = await read(
      `https://gateway.test/.well-known/oauth-authorization-server/auth${path}`,
    )
    const resource = await read(
      `https://gateway.test/.well-known/oauth-protected-resource/docs${path.replace('/api/v1', '')}`,
    )

    expect(metadata.issuer).toBe(issuer + path)
    expect(metadata.authorization_endpoint).toBe(`${issuer}${path}/oauth/authorize`)
    expect(between).toEqual(metadata)
    expect(resource.resource).toBe(urls.api)
  })

  it('gives the same answers over MSW', async () => {
    await using harness = await createHarness({ algorithm: 'ES256', origins: { issuer } })
    const { urls } = harness.createTenant()
    const server = setupServer(...createHandlers(harness))
    server.listen({ onUnhandledFrame: 'bypass' })

    const below = await fetch(`${urls.tenant}/.well-known/oauth-authorization-server`)
    const between = await fetch(
      `https://gateway.test/.well-known/oauth-authorization-server/auth${urls.tenant.slice(issuer.length)}`,
    )
    const control = await fetch(`${issuer}/_harness/tenants`)
    server.close()

    expect(((await below.json()) as Json).issuer).toBe(urls.tenant)
    expect(((await between.json()) as Json).issuer).toBe(urls.tenant)
    expect(control.status).toBe(404)
  })

  it('detects the path at which another app mounts it', async () => {
    await using harness = await createHarness({ algorithm: 'ES256', listen: false })
    const { urls } = harness.createTenant()
    const app = express().use('/auth', expressApps(harness).issuer)
    const server = createServer(app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const path = urls.tenant.slice(harness.issuer.length)

    const { issuer } = (await ask(`${origin}/auth${path}/.well-known/openid-configuration`)).json()
    const page = await ask(`${origin}/auth/console`)
    const { text } = await ask(origin + (page.headers.location ?? ''))
    const [, script = ''] = /src="([^"]+app\.js)"/.exec(text) ?? []
    const file = await ask(origin + script)
    server.close()

    expect(issuer).toBe(`${origin}/auth${path}`)
    expect(page.headers.location).toMatch(/^\/auth\/console\//)
    expect(file.status).toBe(200)
  })

  it('serves the approvals page behind a proxy that keeps the path', async () => {
    await using harness = await createHarness({ algorithm: 'ES256', origins: { issuer } })
    const { tenant } = harness.createTenant()
    const server = createServer(expressApps(harness).issuer).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const host = 'gateway.test'

    const { text } = await ask(`${origin}/auth/console/${tenant}`, { host })
    const [, script = ''] = /src="([^"]+app\.js)"/.exec(text) ?? []
    const file = await ask(origin + script, { host })
    server.close()

    expect(script).toMatch(/^\/auth\/console\//)
    expect(file.status).toBe(200)
    expect(file.headers['content-security-policy']).toContain("default-src 'none'")
  })
})

it.each(['ftp://x.test', 'https://u:p@x.test', 'https://x.test/?a', 'https://x.test/#a', 'x.test'])(
  'a base URL must not be %s',
  async (issuer) => {
    await expect(createHarness({ origins: { issuer } })).rejects.toThrow(/origins.issuer: expected/)
  },
)
