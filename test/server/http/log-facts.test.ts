import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LumoAuthAgent } from '../../../client/index.ts'
import { createHarness, type LogLine } from '../../../server/index.ts'

const logged = async () => {
  const lines: LogLine[] = []
  const harness = await createHarness({
    listen: false,
    tenants: [{ tenant: 'acme' }],
    log: (line) => lines.push(line),
  })
  return { harness, tenant: harness.tenants[0] as (typeof harness.tenants)[number], lines }
}

describe('a line of the log', () => {
  it('names tenant, route and client', async () => {
    const { harness, tenant, lines } = await logged()
    const agent = new LumoAuthAgent({
      env: tenant.environment,
      origins: [harness.api],
      fetch: harness.fetch,
    })
    const jit = await agent.jit()
    await jit.fetch(`${tenant.urls.api}/v1/documents/doc_9982`)
    await jit.completeTask()
    await harness.close()

    const facts = lines.map(({ seat, tenant, route, client }) => [seat, tenant, route, client])

    expect(facts).toEqual([
      ['issuer', 'acme', 'oauth.token', 'report-bot'],
      ['issuer', 'acme', 'jit.task.create', 'report-bot'],
      ['api', 'acme', 'documents.read', 'report-bot'],
      ['issuer', 'acme', 'jit.request', 'report-bot'],
      ['issuer', 'acme', 'jit.request.token', 'report-bot'],
      ['api', 'acme', 'documents.read', 'report-bot'],
      ['issuer', 'acme', 'jit.task.complete', 'report-bot'],
    ])
  })

  it('names no client whose credentials were refused, or were not asked for', async () => {
    const { harness, tenant, lines } = await logged()
    const claims = Buffer.from(JSON.stringify({ client_id: 'report-bot' })).toString('base64url')
    const authorization = `Bearer eyJhbGciOiJub25lIn0.${claims}.c2ln`

    await harness.fetch(`${tenant.urls.api}/v1/documents`, { headers: { authorization } })
    await harness.fetch(`${tenant.urls.tenant}/.well-known/jwks.json`, {
      headers: { authorization },
    })
    await harness.fetch(`${tenant.urls.tenant}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: 'report-bot',
        client_secret: 'wrong-secret',
      }),
    })
    await harness.close()

    expect(lines.map(({ status, client }) => [status, client])).toEqual([
      [401, undefined],
      [200, undefined],
      [401, undefined],
    ])
  })

  it('names the trace of traceparent, if it is one', async () => {
    const { harness, lines } = await logged()
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736'

    for (const traceparent of [
      `00-${trace}-00f067aa0ba902b7-01`,
      `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    ]) {
      await harness.fetch(`${harness.issuer}/nowhere`, { headers: { traceparent } })
    }
    await harness.fetch(`${harness.issuer}/nowhere`, { headers: { traceparent: 'nonsense' } })
    await harness.close()

    expect(lines.map((line) => line.trace)).toEqual([trace, undefined, undefined])
  })

  it('says nothing of a probe that is answered well, and sends none of it', async () => {
    const { harness, lines } = await logged()

    const healthy = await Promise.all(
      [harness.issuer, harness.api].map((it) => harness.fetch(`${it}/healthz`)),
    )
    const bodies = await Promise.all(healthy.map((it) => it.json()))
    await harness.close()

    expect(lines).toEqual([])
    expect(bodies[0]).toEqual({ status: 'ok', tenants: 1, version: expect.any(String) })
    expect(bodies[1]).toEqual(bodies[0])
  })
})

describe('/healthz', () => {
  it('has the size of the journal, and its limit', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lumoauth-health-'))
    const harness = await createHarness({
      listen: false,
      journal: join(folder, 'journal.jsonl'),
      journalOptions: { maxBytes: 1_000_000 },
    })
    const size = async () => {
      const response = await harness.fetch(`${harness.api}/healthz`)
      const { journal } = (await response.json()) as { journal: { bytes: number } }
      return journal
    }
    const before = await size()

    harness.createTenant()

    expect(before).toEqual({ bytes: expect.any(Number), max_bytes: 1_000_000 })
    expect((await size()).bytes).toBeGreaterThan(before.bytes)
    await harness.close()
    await rm(folder, { recursive: true })
  })
})
