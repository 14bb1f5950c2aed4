import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setupServer } from 'msw/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LumoAuthAgent } from '../../../../client/index.ts'
import { createHandlers } from '../../../../server/http/hosts/msw.ts'
import { createHarness, type Harness } from '../../../../server/index.ts'

describe('MSW handlers', () => {
  let harness: Harness
  const server = setupServer()
  const elsewhere = createServer((_, response) => response.end('elsewhere'))

  beforeAll(async () => {
    harness = await createHarness({
      origins: { issuer: 'https://app.lumoauth.dev', api: 'https://api.acme-corp.com' },
    })
    server.use(...createHandlers(harness))
    server.listen({ onUnhandledFrame: 'bypass' })
    await new Promise<void>((listening) => elsewhere.listen(0, '127.0.0.1', listening))
  })

  afterAll(async () => {
    server.close()
    elsewhere.close()
    await harness.close()
  })

  it('answer for both origins, to code that knows nothing of the harness', async () => {
    const { environment } = harness.createTenant()
    const agent = new LumoAuthAgent({ env: environment, origins: ['https://api.acme-corp.com'] })
    await using jit = await agent.jit()

    const response = await jit.fetch('https://api.acme-corp.com/v1/documents/doc_9982')

    expect(await response.json()).toMatchObject({ id: 'doc_9982' })
  })

  it('ignore an unknown origin', async () => {
    const { port } = elsewhere.address() as AddressInfo

    const response = await fetch(`http://127.0.0.1:${port}/`)

    expect(await response.text()).toBe('elsewhere')
  })

  it('never answer control plane requests, even with the control token', async () => {
    const response = await fetch(`${harness.issuer}/_harness/tenants`, {
      headers: { authorization: `Bearer ${harness.controlToken}` },
    })

    expect(response.status).toBe(404)
  })

  it('report that their harness is closed', async () => {
    const short = await createHarness({ origins: { issuer: 'https://short.test' } })
    server.use(...createHandlers(short))
    await short.close()

    const response = await fetch('https://short.test/healthz')

    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({
      error: 'harness_closed',
      error_description: 'the harness of https://short.test is closed',
    })
  })
})
