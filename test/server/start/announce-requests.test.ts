import { describe, expect, it } from 'vitest'
import { LumoAuthAgent } from '../../../client/index.ts'
import { createHarness, type Harness } from '../../../server/index.ts'
import { announceRequests } from '../../../server/start/announce-requests.ts'

describe('start', () => {
  it('says once of each request that it waits for a person, with a link', async () => {
    const said: string[] = []
    const heard = Promise.withResolvers<void>()
    let up: Harness | undefined
    const announce = announceRequests(
      () => up,
      (message) => {
        said.push(message)
        heard.resolve()
      },
    )
    await using harness = await createHarness({
      listen: false,
      tenants: [{ tenant: 'acme' }],
      log: announce,
    })
    up = harness
    const env = harness.tenants[0]?.environment ?? {}
    const agent = new LumoAuthAgent({ env, fetch: harness.fetch })
    await using jit = await agent.jit()

    await jit.requestPermission({ type: 'file_access', actions: ['read'], identifier: 'doc_9982' })
    const waits = await jit.requestPermission({ type: 'payment', actions: ['initiate'] })
    await heard.promise

    expect(said).toEqual([
      expect.stringMatching(
        new RegExp(
          `^acme: the request ${waits.request_id} waits for a person to decide: ${harness.issuer}/console/acme#code=`,
        ),
      ),
    ])
  })
})
