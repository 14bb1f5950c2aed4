import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { alice, createWorld, launch, noBrowser } from './world.ts'

/** A site of its own origin. */
const site = async (answer: RequestListener) => {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

const page: RequestListener = (_request, response) => {
  response.setHeader('content-type', 'text/html')
  response.end('<!doctype html><title>Home</title><h1>Home</h1>')
}

describe.skipIf(noBrowser)(`signing in${noBrowser ? ` (skipped: ${noBrowser})` : ''}`, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser.close())

  const authorizeUrl = (tenant: string, client: string, redirect_uri: string, state: string) =>
    `${tenant}/oauth/authorize?${new URLSearchParams({
      response_type: 'code',
      client_id: client,
      scope: 'openid',
      redirect_uri,
      state,
    })}`

  it('ends where a callback redirects to, also at another origin', async () => {
    await using home = await site(page)
    await using application = await site((_request, response) => {
      response.writeHead(302, { location: `${home.url}/home` }).end()
    })
    const callback = `${application.url}/callback`
    const { harness, tenant } = await createWorld({
      applications: [{ name: 'web', redirect_uris: [callback] }],
    })
    const tab = await browser.newPage()

    await tab.goto(authorizeUrl(tenant.urls.tenant, 'web', callback, 's'))
    await tab.getByRole('button', { name: 'Allow' }).click()
    await tab.waitForURL(`${home.url}/home`)

    expect(await tab.title()).toBe('Home')
    await tab.close()
    await harness.close()
  })

  it('works in two tabs that are open at once, the first one last', async () => {
    await using application = await site(page)
    const callback = `${application.url}/callback`
    const { harness, tenant } = await createWorld({
      applications: [{ name: 'web', redirect_uris: [callback] }],
    })
    const context = await browser.newContext()
    const tabs = [await context.newPage(), await context.newPage()]
    for (const [index, tab] of tabs.entries()) {
      await tab.goto(authorizeUrl(tenant.urls.tenant, 'web', callback, `tab ${index}`))
    }

    for (const tab of tabs.toReversed()) {
      await tab.getByRole('button', { name: 'Allow' }).click()
      await tab.waitForURL(/\/callback\?/)
    }

    const states = tabs.map((tab) => new URL(tab.url()).searchParams.get('state'))
    expect(states).toEqual(['tab 0', 'tab 1'])
    await context.close()
    await harness.close()
  })

  it('from a page of another origin: discovery, code with PKCE, userinfo, a JIT call and its challenge', async () => {
    await using spa = await site(page)
    const callback = `${spa.url}/callback`
    const { harness, tenant } = await createWorld({
      applications: [{ name: 'spa', public: true, redirect_uris: [callback] }],
      documents: [{ id: 'doc_1', title: 'One', classification: 'confidential', body: 'Text.' }],
    })
    const tab = await browser.newPage()
    await tab.goto(spa.url)
    const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'

    const discovered = await tab.evaluate(async (issuer) => {
      const headers = { 'MCP-Protocol-Version': '2025-11-25' }
      const answer = await fetch(`${issuer}/.well-known/openid-configuration`, { headers })
      return (await answer.json()) as Record<string, string>
    }, tenant.urls.tenant)
    const asked = new URLSearchParams({
      response_type: 'code',
      client_id: 'spa',
      scope: 'openid email read:documents',
      redirect_uri: callback,
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    })
    await tab.goto(`${discovered.authorization_endpoint}?${asked}`)
    await tab.getByLabel(new RegExp(alice.email)).check()
    await tab.getByRole('button', { name: 'Allow' }).click()
    await tab.waitForURL(/\/callback\?/)
    const code = new URL(tab.url()).searchParams.get('code') ?? ''
    const [agent] = tenant.agents
    const seen = await tab.evaluate(
      async ({ metadata, api, agent, ...fields }) => {
        const post = async (url: string | undefined, body: object, token?: string) => {
          const isForm = body instanceof URLSearchParams
          const answer = await fetch(url ?? '', {
            method: 'POST',
            body: isForm ? body : JSON.stringify(body),
            headers: {
              ...(isForm ? {} : { 'content-type': 'application/json' }),
              ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            },
          })
          return (await answer.json()) as Record<string, string>
        }
        const tokens = await post(
          metadata.token_endpoint,
          new URLSearchParams({ grant_type: 'authorization_code', client_id: 'spa', ...fields }),
        )
        const authorization = `Bearer ${tokens.access_token}`
        const answer = await fetch(metadata.userinfo_endpoint ?? '', { headers: { authorization } })
        const info = (await answer.json()) as Record<string, string>
        const own = await post(
          metadata.token_endpoint,
          new URLSearchParams({ grant_type: 'client_credentials', ...agent }),
        )
        const task = await post(`${metadata.issuer}/jit/task`, { name: 'x' }, own.access_token)
        const refused = await fetch(`${api}/v1/documents/doc_1`, {
          headers: { authorization: `Bearer ${own.access_token}` },
        })
        return {
          email: info.email,
          task: typeof task.task_id,
          status: refused.status,
          challenge: refused.headers.get('insufficient-authorization-details'),
          bearer: refused.headers.get('www-authenticate'),
        }
      },
      {
        metadata: discovered,
        api: tenant.urls.api,
        agent: { client_id: agent?.client_id ?? '', client_secret: agent?.client_secret ?? '' },
        code,
        redirect_uri: callback,
        code_verifier: verifier,
      },
    )

    expect(seen).toMatchObject({ email: alice.email, task: 'string', status: 403 })
    expect(seen.bearer).toMatch(/^Bearer /)
    expect(JSON.parse(atob(seen.challenge ?? ''))).toMatchObject({ identifier: 'doc_1' })
    await tab.close()
    await harness.close()
  })
})
