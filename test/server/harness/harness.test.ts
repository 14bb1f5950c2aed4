import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { LumoAuthAgent } from '../../../client/index.ts'
import { createHarness, type Harness, type LogLine } from '../../../server/index.ts'

const origins = { issuer: 'https://app.lumoauth.dev', api: 'https://api.acme-corp.com' }

let open: { close: () => Promise<void> }[] = []

const opened = async (...[options]: Parameters<typeof createHarness>): Promise<Harness> => {
  const harness = await createHarness(options)
  open.push(harness)
  return harness
}

afterEach(async () => {
  await Promise.all(open.map((it) => it.close()))
  open = []
})

describe('a harness', () => {
  it('runs a whole flow over HTTP', async () => {
    const harness = await opened()
    const tenant = harness.createTenant()
    const agent = new LumoAuthAgent({ env: tenant.environment, origins: [harness.api] })
    await using jit = await agent.jit({ name: 'Q4 report' })

    const response = await jit.fetch(`${tenant.urls.api}/v1/documents/doc_9982`)

    expect(await response.json()).toMatchObject({ id: 'doc_9982', title: 'Q4 revenue' })
  })

  it('runs the same flow without a socket, under the given origins', async () => {
    const harness = await opened({ origins })
    const tenant = harness.createTenant()
    const agent = new LumoAuthAgent({
      env: tenant.environment,
      origins: [harness.api],
      fetch: harness.fetch,
    })
    await using jit = await agent.jit()

    const response = await jit.fetch('https://api.acme-corp.com/v1/documents/doc_9982')

    expect(response.status).toBe(200)
    expect(tenant.environment.LUMOAUTH_URL).toBe('https://app.lumoauth.dev')
  })

  it('passes requests to other origins to the global fetch', async () => {
    const elsewhere = createServer((_, response) => response.end('elsewhere'))
    await new Promise<void>((listening) => elsewhere.listen(0, '127.0.0.1', listening))
    open.push({ close: async () => void elsewhere.close() })
    const { port } = elsewhere.address() as AddressInfo
    const harness = await opened({ origins })

    const response = await harness.fetch(`http://127.0.0.1:${port}/`)

    expect(await response.text()).toBe('elsewhere')
  })

  it.each([
    { how: 'without sockets', options: { listen: false } },
    { how: 'with sockets', options: {} },
  ])('reports that it is closed, $how', async ({ options }) => {
    const harness = await createHarness(options)
    await harness.close()

    const asked = harness.fetch(`${harness.issuer}/healthz`)

    await expect(asked).rejects.toThrow(`the harness of ${harness.issuer} is closed`)
  })

  it('uses the configured origin in URLs', async () => {
    const harness = await opened({
      listen: true,
      origins: { issuer: 'http://lumoauth.internal:4400' },
    })

    const tenant = harness.createTenant()

    expect(tenant.urls.tenant).toMatch(/^http:\/\/lumoauth\.internal:4400\/t\//)
    expect(tenant.urls.api).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/t\//)
  })

  it.each([
    { issuer: 'https://app.lumoauth.dev/?tenant=acme' },
    { issuer: 'app.lumoauth.dev' },
    { api: 'ftp://api.acme-corp.com' },
  ])('rejects %o, which is not an origin', async (wrong) => {
    await expect(createHarness({ origins: wrong })).rejects.toThrow('expected an origin such as')
  })

  it.each(['', 'fifteen-letters'])(
    'rejects the control token %j, which is too short',
    async (it) => {
      await expect(createHarness({ listen: false, controlToken: it })).rejects.toThrow(
        'controlToken: expected at least 16 characters',
      )
    },
  )

  it('rejects one origin for both seats', async () => {
    const same = { issuer: 'https://acme-corp.com', api: 'https://acme-corp.com' }

    await expect(createHarness({ origins: same })).rejects.toThrow(
      'expected different origins for issuer and API',
    )
  })

  it('logs every response with its request id, and masks secrets', async () => {
    const lines: LogLine[] = []
    const harness = await opened({ origins, log: (line) => lines.push(line) })
    const { tenant } = harness.createTenant()

    const response = await harness.fetch(
      `${harness.issuer}/t/${tenant}/api/v1/nowhere?access_token=do-not-tell`,
      { headers: { 'x-request-id': 'call-7' } },
    )

    expect(response.headers.get('x-request-id')).toBe('call-7')
    expect(lines).toMatchObject([
      { id: 'call-7', seat: 'issuer', method: 'GET', status: 404, error: 'not_found' },
    ])
    expect(JSON.stringify(lines)).not.toContain('do-not-tell')
  })
})

describe('a tenant object', () => {
  it('moves its own clock only', async () => {
    const harness = await opened({ listen: false })
    const [moved, other] = [harness.createTenant(), harness.createTenant()]
    const before = other.clock.now()

    moved.clock.advance('PT2H')

    expect(moved.clock.now() - before).toBeGreaterThanOrEqual(7200)
    expect(other.clock.now() - before).toBeLessThan(60)
  })

  it('rejects an unknown user as approver', async () => {
    const harness = await opened({ listen: false })
    const tenant = harness.createTenant({ tenant: 'acme-corp' })

    const answers = () => tenant.approver.answers({ decision: 'approve', by: 'eve@example.com' })

    expect(answers).toThrow('acme-corp has no user eve@example.com')
  })

  it('suggests the closest misbehaviour', async () => {
    const harness = await opened({ listen: false })
    const tenant = harness.createTenant()

    await expect(tenant.misbehave('no-such-thing')).rejects.toThrow(
      'unknown misbehaviour: no-such-thing; lumoauth-harness misbehaviours lists them',
    )
    await expect(tenant.misbehave('network-rest')).rejects.toThrow(
      'unknown misbehaviour: network-rest; did you mean network-reset?',
    )
  })

  it('applies a new policy at once', async () => {
    const { tenant, jit } = await agentAtWork()
    tenant.decideBy({
      rules: [{ name: 'nothing today', risk: 'low', decision: 'deny', reason: 'Audit.' }],
    })

    const answer = await jit.requestPermission({ type: 'file_access', actions: ['read'] })

    expect(answer).toMatchObject({ status: 'denied' })
  })

  it('waits for a future event', async () => {
    const { tenant, jit } = await agentAtWork()

    const [completed] = await Promise.all([tenant.waitFor('task.completed'), jit.completeTask()])

    expect(completed).toMatchObject({ type: 'task.completed' })
  })

  it('reports the last event when waiting times out', async () => {
    const { tenant } = await agentAtWork()

    await expect(tenant.waitFor('task.completed', 0.01)).rejects.toThrow(
      /no task\.completed within 0\.01 s; the last event is task\.opened/,
    )
  })

  it('lets a test decide a request, once', async () => {
    const { tenant, jit } = await agentAtWork()
    const request = await jit.requestPermission({ type: 'user_data', actions: ['read'] })

    await tenant.approver.deny(request, {
      reason: 'The auditor is here.',
      agentMessage: 'Not during the audit.',
    })

    expect(await jit.waitForApproval(request)).toMatchObject({
      status: 'denied',
      agent_message: 'Not during the audit.',
      has_notes: true,
    })
    await expect(tenant.approver.approve(request)).rejects.toThrow('was refused (4')
  })

  it('resets to its seeds, and keeps its credentials', async () => {
    const { tenant, agent } = await agentAtWork()

    tenant.reset()

    expect(tenant.journal().map(({ type }) => type)).not.toContain('task.opened')
    expect(await agent.authenticate()).toMatch(/^eyJ/)
  })

  it('restores the policy of its seeds on a reset', async () => {
    const { tenant, jit } = await agentAtWork()
    const policy = { rules: [{ name: 'ask', risk: 'high' as const, decision: 'ask' as const }] }

    tenant.amend({ policy })
    const answer = await jit.requestPermission({ type: 'file_access', actions: ['read'] })

    expect(answer.status).toBe('pending')
    tenant.reset()
    expect(tenant.journal()).toContainEqual(expect.objectContaining({ type: 'policy.replaced' }))
  })

  it('lists all pending requests to its approver, across pages', async () => {
    const { tenant, jit } = await agentAtWork()
    tenant.amend({
      policy: {
        limits: { pending_per_task: 200 },
        scoring: { high: 0 },
        rules: [{ name: 'ask', risk: 'high' as const, decision: 'ask' as const }],
      },
    })
    for (let count = 0; count < 120; count += 1) {
      await jit.requestPermission({ type: 'file_access', identifier: `doc_${count}` })
    }

    const pending = await tenant.approver.pending()

    expect(new Set(pending.map(({ request_id }) => request_id)).size).toBe(120)
  })

  it('keeps as many exchanges as configured', async () => {
    const harness = await opened({ listen: false, exchangeLog: { exchanges: 2, bodyBytes: 10 } })
    const tenant = harness.createTenant()
    const keys = `${tenant.urls.tenant}/.well-known/jwks.json`
    for (let count = 0; count < 10; count += 1) await harness.fetch(keys)

    expect(tenant.exchanges().length).toBeLessThan(4)
    expect(tenant.exchanges()[0]?.answer.body).toMatch(/^.{10}… \(\d+ characters more\)$/)
  })

  it('is not found after its deletion', async () => {
    const { tenant, agent } = await agentAtWork()

    tenant.delete()

    expect(() => tenant.journal()).toThrow('has been deleted')
    await expect(agent.authenticate()).rejects.toThrow('404')
  })
})

const shared = createHarness({ listen: false })

const agentAtWork = async () => {
  const harness = await shared
  const tenant = harness.createTenant()
  const agent = new LumoAuthAgent({
    env: tenant.environment,
    fetch: harness.fetch,
    sleep: async (seconds) => tenant.clock.advance(seconds),
  })
  return { tenant, agent, jit: await agent.jit() }
}

describe('the options of createHarness', () => {
  it.each([
    [
      { reachedAt: { issuer: 'http://10.0.0.7:4400' } },
      /^createHarness: reachedAt: expected a journal that processes share, postgres:\/\/…, or a store$/,
    ],
    [
      { reachedAt: { issuer: 'https://10.0.0.7' }, journal: 'postgres://127.0.0.1/x' },
      /^createHarness: reachedAt\.issuer: expected an origin of plain HTTP, such as http:\/\/10\.0\.0\.7:4400$/,
    ],
    [{ prot: 1 }, /^createHarness: unknown key "prot"; did you mean "port"\?$/],
    [
      { origins: { isuer: 'x' } },
      /^createHarness: origins: unknown key "isuer"; did you mean "issuer"\?$/,
    ],
    [{ port: 'x' }, /^createHarness: port: expected number, received string$/],
    [{ port: 65_536 }, /^createHarness: port: Too big: expected number to be <=65535$/],
    [{ algorithm: 'HS256' }, /^createHarness: algorithm: Invalid option: expected one of "RS256"/],
    [
      { tenants: [{ agents: [{ name: 'x', capabilites: [] }] }] },
      /^tenants\.0: agents\.0: unknown key "capabilites"; did you mean "capabilities"\?$/,
    ],
  ])('are rejected when invalid: %j', async (options, why) => {
    const making = createHarness({ listen: false, ...options } as never)

    await expect(making).rejects.toThrow(why)
    await expect(making).rejects.toThrow(TypeError)
  })

  it('reject a seed with one line for each mistake', async () => {
    await using harness = await createHarness({ listen: false })

    const seed = { agents: [{ name: 'x', capabilites: [] }], documents: [{ id: 3, title: 'T' }] }

    expect(() => harness.createTenant(seed as never)).toThrow(
      /^tenant: agents\.0: unknown key "capabilites"; did you mean "capabilities"\?\ntenant: documents\.0\.id: expected string, received number$/,
    )
  })
})
