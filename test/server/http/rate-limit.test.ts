import { describe, expect, it } from 'vitest'
import { issuerWorld, noonEpoch } from './issuer/world.ts'

/** A tenant with the agents `a` and `b`, each of which may request a token twice. */
const tokenLimit = async () => {
  const { anonymous, tenant } = await issuerWorld()
  tenant.reset({
    agents: [{ name: 'a' }, { name: 'b' }].map((it) => ({ ...it, client_id: it.name })),
    rate_limits: { token: { limit: 2 } },
    clock: '2026-11-24T12:00:00Z',
  })
  const token = async ({ headers = {}, body }: { headers?: object; body: string }) =>
    (
      await anonymous
        .post('/oauth/token')
        .set({ 'content-type': 'application/x-www-form-urlencoded', ...headers })
        .send(body)
    ).status
  const login = (client_id: string) =>
    token({
      body: `${new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret: 'x' })}`,
    })
  return { login, token }
}

describe('a rate limit', () => {
  it('is off by default, and then sends no headers', async () => {
    const { request } = await issuerWorld()

    const { headers } = await request.get('/agents/me')

    expect(Object.keys(headers).filter((name) => name.startsWith('x-ratelimit'))).toEqual([])
  })

  it('sends what remains on every response, also errors, and 429 when nothing remains', async () => {
    const { request, tenant } = await issuerWorld({
      rate_limits: { jit: { limit: 2, window: 60 } },
    })
    tenant.clock.advance(15)
    const open = (body: object = {}) => request.post('/jit/task').send(body)

    const answers = [await open(), await open({ name: 7 }), await open()]

    expect(answers.map(({ status }) => status)).toEqual([201, 400, 429])
    expect(answers.map(({ headers }) => headers['x-ratelimit-remaining'])).toEqual(['1', '0', '0'])
    const [, , refused] = answers
    expect(refused?.headers).toMatchObject({
      'x-ratelimit-limit': '2',
      'x-ratelimit-reset': String(noonEpoch + 60),
      'retry-after': '45',
    })
    expect(refused?.body).toEqual({
      error: 'rate_limit_exceeded',
      code: 'rate_limit_exceeded',
      status: 429,
      error_description: 'rate limit exceeded: at most 2 calls in 60 seconds',
      message: 'rate limit exceeded: at most 2 calls in 60 seconds',
      retry_after: 45,
    })
  })

  it('ends with its window', async () => {
    const { request, tenant } = await issuerWorld({ rate_limits: { api: { limit: 1 } } })
    const look = async () => (await request.get('/agents/me')).status
    expect([await look(), await look()]).toEqual([200, 429])

    tenant.clock.advance(60)

    expect(await look()).toBe(200)
  })

  it('counts each caller and each group of routes separately', async () => {
    const { as, agentToken, agent, openTask } = await issuerWorld({
      agents: [{ name: 'report-bot' }, { name: 'stranger' }],
      rate_limits: { api: { limit: 1 }, jit: { limit: 1 } },
    })
    const look = async (token: string) => (await as(token).get('/agents/me')).status

    expect([await look(agent), await look(agent)]).toEqual([200, 429])
    expect(await look(await agentToken('stranger'))).toBe(200)
    expect(await openTask()).toMatch(/^task_/)
  })

  it('counts clients at the token endpoint by client_id, and all unknown ids together', async () => {
    const { login } = await tokenLimit()

    expect([await login('a'), await login('a'), await login('b')]).toEqual([401, 401, 401])
    expect([await login('x'), await login('y'), await login('z')]).toEqual([401, 401, 429])
    expect([await login('a'), await login('b')]).toEqual([429, 401])
  })

  it('counts a client_id however it is encoded', async () => {
    const { token } = await tokenLimit()
    const form = (id: string) => ({
      body: `grant_type=client_credentials&client_id=${id}&client_secret=x`,
    })
    const basic = (text: string) => ({
      headers: { authorization: `Basic ${Buffer.from(text).toString('base64')}` },
      body: 'grant_type=client_credentials',
    })

    const answers = [
      await token(form('a')),
      await token(form('a')),
      await token(form('%61')),
      await token({ body: `${form('a').body}&scope=` }),
      await token(basic('a:x')),
      await token(basic('%61:x')),
      await token({ ...form('a'), headers: { 'x-api-key': 'something' } }),
    ]

    expect(answers).toEqual([401, 401, 429, 429, 429, 429, 429])
  })

  it('counts an agent by its token, however the header is written', async () => {
    const { anonymous, agent } = await issuerWorld({ rate_limits: { api: { limit: 1 } } })
    const look = async (authorization: string, more = {}) =>
      (await anonymous.get('/agents/me').set({ authorization, ...more })).status

    expect(await look(`Bearer ${agent}`)).toBe(200)
    expect(await look(`bearer   ${agent}`)).toBe(429)
    expect(await look(`BEARER ${agent} `, { 'x-request-id': 'other' })).toBe(429)
  })

  it('does not count unknown client ids against known clients', async () => {
    const { login } = await tokenLimit()
    for (let i = 0; i < 50; i++) await login(`made-up-${i}`)

    expect([await login('a'), await login('b')]).toEqual([401, 401])
  })

  it('is set by the control plane, which itself has none', async () => {
    const { request, control } = await issuerWorld({
      dialect: { rate_limited: 'too_many_requests' },
    })

    const set = await control.put('/rate-limits').send({ api: { limit: 1, window: 'PT1H' } })
    await request.get('/agents/me')
    const { body } = await request.get('/agents/me')

    expect(set).toMatchObject({ status: 200, body: { api: { limit: 1, window: 3600 } } })
    expect((await control.get('/rate-limits')).body).toEqual(set.body)
    expect(body).toMatchObject({ error: 'too_many_requests', retry_after: 3600 })
    expect((await control.put('/rate-limits').send({ api: { limit: 0 } })).status).toBe(400)
  })
})
