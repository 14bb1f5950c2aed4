import { connect } from 'node:net'
import { afterAll, describe, expect, it } from 'vitest'
import { LumoAuthAgent } from '../../client/index.ts'
import { controlArea } from '../../server/http/control/control.ts'
import { createHarness } from '../../server/index.ts'
import { registerClient } from '../../server/issuer/oauth/clients.ts'
import { logTo } from '../../server/start/log-style.ts'
import { pathsOf, type Route, routes, TenantSeed } from '../../server/wire/index.ts'
import { issuerWorld } from './http/issuer/world.ts'
import { errorOf, world } from './issuer/world.ts'

const printed: string[] = []
const out = {
  write: (text: string) => printed.push(text) > 0,
  hasColors: () => false,
}
const styles = [logTo(out, 'json'), logTo(out, 'pretty')]
const harness = await createHarness({
  algorithm: 'ES256',
  log: (line) => {
    for (const { hears } of styles) hears.log?.(line)
  },
})
const tenant = harness.createTenant()
afterAll(() => harness.close())

const controlRoutes = Object.values(routes as Record<string, Route>)
  .filter(({ auth }) => auth === 'control')
  .flatMap((route) =>
    pathsOf(route).map((path) => [route.method, path.replace(':tenant', tenant.tenant)] as const),
  )

const token = `Bearer ${harness.controlToken}`

/** A request with headers that `fetch` does not allow. */
const sent = (method: string, path: string, headers: Record<string, string>): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(harness.issuer).port), '127.0.0.1')
    let heard = ''
    socket.setEncoding('utf8').on('data', (data) => {
      heard += data
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(heard))
    const fields = { connection: 'close', 'content-length': '0', ...headers }
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
  })

describe('the control plane', () => {
  it.each(controlRoutes)(
    '%s %s: gets 401 without its token, 403 from another Origin or Host',
    async (method, path) => {
      const host = new URL(harness.issuer).host

      const answers = await Promise.all([
        sent(method, path, { host }),
        sent(method, path, { host, authorization: 'Bearer guess' }),
        sent(method, path, { host, authorization: token, origin: 'https://evil.example' }),
        sent(method, path, { host, authorization: token, origin: 'null' }),
        sent(method, path, { host: 'rebound.example', authorization: token }),
        sent(method, path, { host: `127.0.0.1.evil.example:80`, authorization: token }),
        sent(method, path, { host: 'localhost.evil.example', authorization: token }),
      ])

      expect(answers.map((it) => it.slice(9, 12))).toEqual([
        '401',
        '401',
        '403',
        '403',
        '403',
        '403',
        '403',
      ])
      for (const answer of answers) expect(answer).not.toMatch(/access-control-allow/i)
    },
  )

  it('gets 429 above 10,000 tenants', async () => {
    const call = { registry: { slugs: () => Array(10_000).fill('x'), find: () => undefined } }

    const { handlers } = controlArea(call.registry as never, 'x', () => 'http://localhost')
    const refused = async () =>
      handlers['control.tenant.create']({ ...call, body: TenantSeed.parse({}) } as never)

    await expect(refused()).rejects.toMatchObject({ answer: { status: 429 } })
  })
})

describe('text from a caller', () => {
  it.each([
    ['X-Request-Id', { 'x-request-id': 'a\r\nset-cookie: stolen=1' }],
    ['X-Request-Id, cut', { 'x-request-id': 'a\tb' }],
    ['a path', {}],
  ])('cannot inject a header field through %s', async (_, headers) => {
    const path = '/t/x%0d%0aset-cookie:%20stolen=1/api/v1/oauth/userinfo'

    const heard = await sent('GET', path, { host: 'localhost', ...headers })

    const [head = ''] = heard.split('\r\n\r\n')
    expect(head.toLowerCase()).not.toContain('\nset-cookie')
  })

  it('cannot inject a log line or a terminal sequence', async () => {
    const before = printed.length
    const path = `${harness.issuer}/t/a%0aFAKE%1b%5b2J%e2%80%a8FAKE%e2%80%aeFAKE/api/v1/oauth/userinfo`

    await fetch(`${path}?x=%0aFAKE`, { headers: { 'x-request-id': 'b\u001b[2J' } }).catch(() => {})
    await fetch(path)

    const lines = printed.slice(before)
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) {
      expect(line.at(-1)).toBe('\n')
      expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    }
  })
})

it('no log format contains a secret', async () => {
  const agent = new LumoAuthAgent({ env: tenant.environment, origins: [harness.api] })
  const approver = await tenant.approver.token()
  const jit = await agent.jit({ name: 'secret work' })
  const wide = await agent.token()
  const asked = await jit.requestPermission({
    type: 'file_access',
    actions: ['read'],
    identifier: 'doc_9982',
  })
  const { access_token: narrow } = await jit.getToken(asked)
  await fetch(`${harness.api}/v1/documents/doc_9982?access_token=${narrow}`)
  await fetch(`${tenant.urls.tenant}/oauth/token?client_secret=${tenant.agents[0]?.client_secret}`)
  await fetch(`${tenant.urls.tenant}/jit/status/${wide}`, {
    headers: { authorization: `Bearer ${wide}` },
  })
  await fetch(`${harness.issuer}/t/${narrow}/api/v1/oauth/userinfo`)
  await jit.completeTask()
  const logs = printed.join('')

  expect(logs).toContain('/jit/request')
  for (const secret of [
    wide,
    narrow,
    approver,
    harness.controlToken,
    tenant.agents[0]?.client_secret,
    tenant.api_client.client_secret,
    tenant.webhook_secret,
    tenant.model.api_key,
    tenant.api_keys[0]?.key,
  ]) {
    expect(secret?.length).toBeGreaterThan(8)
    expect(logs).not.toContain(secret)
  }
})

describe('callbacks and signals are never sent to', () => {
  const corpus = [
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://[::ffff:169.254.169.254]/',
    'http://[::ffff:a9fe:a9fe]/',
    'http://[::1%25lo]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://10.0.0.1/',
    'http://192.168.0.1/',
    'http://0/',
    'http://[::]/',
    'http://[fd00::1]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://user:pass@127.0.0.1/',
    'http://127.0.0.1\\@10.0.0.1/',
    'http://metadata.internal/',
    'http://rebinding.example/',
    'http://mixed.example/',
    'ftp://127.0.0.1/',
    'file:///etc/passwd',
  ]

  const named = {
    'metadata.internal': '169.254.169.254',
    'rebinding.example': '10.0.0.7',
    'mixed.example': '::ffff:10.0.0.7',
  }

  it.each(corpus)('%s', async (url) => {
    const here = await issuerWorld()
    for (const [name, address] of Object.entries(named)) {
      const family = address.includes(':') ? 6 : 4
      const addresses = [{ address, family }] as const
      here.far.names.set(
        name,
        name.startsWith('mixed')
          ? [{ address: '127.0.0.1', family: 4 }, ...addresses]
          : [...addresses],
      )
    }
    const task = await here.openTask()
    const waits = { type: 'user_data', actions: ['read'], identifier: 'ada' }
    const callback = await here.requestPermission(task, waits, { callback_url: url })
    const push = await here.request
      .post('/ssf/stream')
      .send({ delivery: { method: 'urn:ietf:rfc:8935', endpoint_url: url } })
    if (callback.status < 300) await here.tenant.approver.approve(callback.body)
    await here.request.post(`/jit/task/${task}/complete`)
    await here.settle()

    for (const { status } of [callback, push]) expect(status).toBeLessThan(500)
    expect(here.far.sent).toEqual([])
  })
})

it('the number of self-registered clients is limited', () => {
  const { tenant, state } = world()
  for (let at = state.clients.size; at < 10_000; at += 1) {
    state.clients.set(`client_${at}`, { name: 'x', clientId: `client_${at}`, capabilities: [] })
  }
  const asked = { redirect_uris: ['https://app.example/'], token_endpoint_auth_method: 'none' }

  expect(
    errorOf(() => tenant.run(registerClient, { asked: asked as never, clientId: 'one_more' })),
  ).toBe('limit_reached')
})
