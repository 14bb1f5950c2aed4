import { describe, expect, it } from 'vitest'
import { LumoAuthAgent } from '../../client/index.ts'
import { createHarness, type Harness } from '../../server/index.ts'

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

/** The reference client against our own issuer with the dialect of the published LumoAuth. */
const createAgent = (harness: Harness, origins: (api: string) => string[]) => {
  const { environment = {} } = harness.tenants[0] ?? {}
  const api = new URL(environment.DOCUMENTS_API_URL ?? '').origin
  const agent = new LumoAuthAgent({ env: environment, origins: origins(api) })
  return { api, agent }
}

describe('resource indicators at our issuer', () => {
  it('are accepted with client credentials, and narrow the aud', async () => {
    await using harness = await createHarness({ tenants: [{}] })
    const { api, agent } = createAgent(harness, (api) => [api])

    const wide = claimsOf(await agent.token())
    const narrow = claimsOf(await agent.token({ resource: api }))

    expect([narrow.aud].flat()).toEqual([api])
    expect([wide.aud].flat().length).toBeGreaterThan(1)
  })

  it('are accepted in the exchange of an approval, for the first and another origin', async () => {
    const places = [(api: string) => [api], (api: string) => ['https://first.test', api]]
    for (const origins of places) {
      await using harness = await createHarness({ tenants: [{}] })
      const { api, agent } = createAgent(harness, origins)
      await using jit = await agent.jit()

      const response = await jit.fetch(`${api}/v1/documents/doc_9982`)

      expect(response.status).toBe(200)
    }
  })

  it('get invalid_target for an origin that the issuer does not know', async () => {
    await using harness = await createHarness({ tenants: [{}] })
    const { agent } = createAgent(harness, () => ['https://first.test', 'https://second.test'])
    await using jit = await agent.jit()

    await expect(jit.fetch('https://second.test/')).rejects.toMatchObject({
      code: 'api_error',
      serverCode: 'invalid_target',
    })
  })
})
