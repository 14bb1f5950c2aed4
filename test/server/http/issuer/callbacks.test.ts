import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { exporting, issuerWorld, noonEpoch, reading } from './world.ts'

const callback_url = 'http://127.0.0.1:9/hook'

describe('a callback_url', () => {
  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://10.0.0.1/',
    'http://2130706433/',
    'http://[::ffff:127.0.0.1]/',
    'http://user:pw@127.0.0.1/',
    'http://93.184.216.34/',
    'file:///etc/passwd',
    'not a url',
  ])('is refused at once for a forbidden URL: %s', async (url) => {
    const { requestPermission, openTask, far, happened } = await issuerWorld()

    const { status, body } = await requestPermission(await openTask(), exporting, {
      callback_url: url,
    })

    expect(status).toBe(400)
    expect(body.error).toBe('invalid_request')
    expect(far.sent).toEqual([])
    expect(happened('permission.requested')).toEqual([])
  })

  it('gets no call for a request the policy decides at once', async () => {
    const { requestPermission, openTask, far, settle } = await issuerWorld()

    await requestPermission(await openTask(), reading, { callback_url })
    await settle()

    expect(far.sent).toEqual([])
  })

  it('gets jit.request.approved, signed in both forms', async () => {
    const { as, requestPermission, userToken, tenant, openTask, far, settle, happened } =
      await issuerWorld()
    const task = await openTask()
    const { request_id } = (await requestPermission(task, exporting, { callback_url })).body

    await as(await userToken())
      .post(`/jit/approve/${request_id}`)
      .send({ ttl: 60 })
    await settle()

    const [message] = far.sent
    const { body = '', headers = {} } = message ?? {}
    const hex = createHmac('sha256', tenant.webhook_secret).update(body).digest('hex')
    expect(message?.url.href).toBe(callback_url)
    expect(headers).toMatchObject({
      'x-lumo-signature': hex,
      'x-lumoauth-signature': `sha256=${hex}`,
      'x-lumoauth-timestamp': String(noonEpoch),
    })
    expect(JSON.parse(body)).toMatchObject({
      id: headers['x-lumoauth-delivery'],
      type: 'jit.request.approved',
      timestamp: '2026-11-24T12:00:00Z',
      tenant: tenant.tenant,
      data: { request_id, task_id: task, status: 'approved', granted_ttl: 60 },
    })
    expect(body).not.toMatch(/access_token|eyJ/)
    expect(happened('callback.delivered')).toMatchObject([
      { requestId: request_id, attempt: 1, status: 202 },
    ])
  })

  it.each([
    ['x-lumo-signature', 'x-lumoauth-signature'],
    ['x-lumoauth-signature', 'x-lumo-signature'],
  ] as const)('is signed with %s alone if the dialect says so', async (only, other) => {
    const { as, requestPermission, userToken, openTask, far, settle } = await issuerWorld({
      dialect: { callback_signature: only },
    })
    const { request_id } = (await requestPermission(await openTask(), exporting, { callback_url }))
      .body

    await as(await userToken())
      .post(`/jit/deny/${request_id}`)
      .send({ agent_message: 'no' })
    await settle()

    expect(far.sent[0]?.headers).toHaveProperty(only)
    expect(far.sent[0]?.headers).not.toHaveProperty(other)
    expect(JSON.parse(far.sent[0]?.body ?? '').data).toMatchObject({
      status: 'denied',
      deny_reason: 'no',
    })
  })

  it('gets jit.request.expired when the request expires undecided', async () => {
    const { requestPermission, tenant, openTask, far, settle } = await issuerWorld()
    await requestPermission(await openTask(), exporting, { callback_url })

    tenant.clock.advance('PT5M')
    await settle()

    expect(far.sent.map(({ body }) => JSON.parse(body).type)).toEqual(['jit.request.expired'])
  })

  it('gets no jit.request.expired after a decision', async () => {
    const { as, requestPermission, userToken, tenant, openTask, far, settle } = await issuerWorld()
    const { request_id } = (await requestPermission(await openTask(), exporting, { callback_url }))
      .body
    await as(await userToken())
      .post(`/jit/approve/${request_id}`)
      .send({})
    await settle()

    tenant.clock.advance('PT10M')
    await settle()

    expect(far.sent).toHaveLength(1)
  })

  it('gets the decision of a scripted approver even if the agent never polls', async () => {
    const { requestPermission, tenant, openTask, far, settle } = await issuerWorld({
      approver: { decision: 'approve', after: 'PT1M' },
    })
    await requestPermission(await openTask(), exporting, { callback_url })

    tenant.clock.advance('PT1M')
    await settle()

    expect(JSON.parse(far.sent[0]?.body ?? '').type).toBe('jit.request.approved')
  })

  it('is tried five times within about an hour, then no more', async () => {
    const { requestPermission, tenant, openTask, far, settle, happened } = await issuerWorld({
      approver: { decision: 'deny', after: 1 },
    })
    far.answers[0] = 503
    await requestPermission(await openTask(), exporting, { callback_url })
    tenant.clock.advance(1)
    await settle()
    for (const pause of [10, 60, 600, 2900, 10_000, 10_000]) {
      tenant.clock.advance(pause - 1)
      await settle()
      tenant.clock.advance(1)
      await settle()
    }

    expect(far.sent).toHaveLength(5)
    expect(new Set(far.sent.map(({ body }) => body)).size).toBe(1)
    expect(happened('callback.failed')).toMatchObject(
      [1, 2, 3, 4, 5].map((attempt) => ({
        attempt,
        reason: 'the answer was 503',
        final: attempt === 5,
      })),
    )
  })

  it('treats a redirect as a failure, does not follow it, and is delivered once', async () => {
    const { requestPermission, tenant, openTask, far, settle, happened } = await issuerWorld({
      approver: { decision: 'deny', after: 1 },
    })
    far.answers.unshift(302)
    await requestPermission(await openTask(), exporting, { callback_url })
    tenant.clock.advance(1)
    await settle()
    tenant.clock.advance('PT2H')
    await settle()
    tenant.clock.advance('PT2H')
    await settle()

    expect(far.sent.map(({ url }) => url.href)).toEqual([callback_url, callback_url])
    expect(happened('callback.delivered')).toMatchObject([{ attempt: 2 }])
  })

  it('that resolves to a forbidden address fails finally, without a connection', async () => {
    const { requestPermission, tenant, openTask, far, settle, happened } = await issuerWorld({
      approver: { decision: 'deny', after: 1 },
    })
    far.names.set('rebound.example', [{ address: '169.254.169.254', family: 4 }])
    await requestPermission(await openTask(), exporting, {
      callback_url: 'http://rebound.example/',
    })

    tenant.clock.advance(1)
    await settle()

    expect(far.sent).toEqual([])
    expect(happened('callback.failed')).toMatchObject([{ attempt: 1, final: true }])
  })

  it('gets nothing after the harness is closed', async () => {
    const { requestPermission, harness, tenant, openTask, far, settle } = await issuerWorld({
      approver: { decision: 'deny', after: 1 },
    })
    await requestPermission(await openTask(), exporting, { callback_url })

    await harness.close()
    tenant.clock.advance('PT1H')
    await settle()

    expect(far.sent).toEqual([])
  })
})
