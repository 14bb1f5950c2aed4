import { describe, expect, it, vi } from 'vitest'
import { SecurityEventToken } from '../../../../server/wire/index.ts'
import { issuerWorld, noonEpoch, reading } from './world.ts'

const push = (more: object = {}) => ({
  delivery: {
    method: 'urn:ietf:rfc:8935',
    endpoint_url: 'http://127.0.0.1:9/events',
    authorization_token: 'push-secret',
    ...more,
  },
  audience: 'https://receiver.example',
})

const decoded = (jwt: string) => {
  const [header = '', claims = ''] = jwt.split('.')
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
  return { header: read(header), claims: read(claims) }
}

const streaming = async (body: object = {}, seed: Parameters<typeof issuerWorld>[0] = {}) => {
  const here = await issuerWorld(seed)
  const token = await here.apiToken()
  const created = await here.as(token).post('/ssf/stream').send(body)
  const streamId = created.body.stream_id as string
  return {
    ...here,
    token,
    created,
    streamId,
    poll: async (order: object = {}) =>
      (
        await here
          .as(token)
          .post(`/ssf/poll/${streamId}`)
          .send({ returnImmediately: true, ...order })
      ).body as { sets: Record<string, string>; moreAvailable?: boolean },
    complete: (task: string) => here.request.post(`/jit/task/${task}/complete`),
  }
}

describe('a signal stream', () => {
  it('gets 401 without a token, and 403 for users without the right to manage streams', async () => {
    const { anonymous, as, userToken } = await issuerWorld()

    expect((await anonymous.post('/ssf/stream').send({})).status).toBe(401)
    const token = await userToken('alice@example.com')
    expect((await as(token).post('/ssf/stream').send({})).status).toBe(403)
  })

  it.each([
    { delivery: { method: 'urn:example:pigeon' } },
    { delivery: { method: 'urn:ietf:rfc:8935' } },
    push({ endpoint_url: 'file:///etc/passwd' }),
    push({ endpoint_url: 'http://169.254.169.254/' }),
    push({ endpoint_url: 'http://2130706433/' }),
    push({ authorization_token: 'x\r\nHost: evil' }),
    { events_requested: 'all' },
    { audience: [] },
  ])('gets 400 for %j', async (body) => {
    const { request, happened } = await issuerWorld()

    expect((await request.post('/ssf/stream').send(body)).status).toBe(400)
    expect(happened('stream.created')).toEqual([])
  })

  it('uses poll delivery by default, and names its iss', async () => {
    const { anonymous, created, tenant, streamId } = await streaming()

    const configuration = await anonymous.get('/.well-known/ssf-configuration')

    expect(created).toMatchObject({
      status: 201,
      body: {
        iss: tenant.urls.tenant,
        aud: 'documents-api',
        delivery: {
          method: 'urn:ietf:rfc:8936',
          endpoint_url: `${tenant.urls.tenant}/ssf/poll/${streamId}`,
        },
        status: 'enabled',
      },
    })
    expect(created.body.iss).toBe(configuration.body.issuer)
    expect(configuration.body.delivery_methods_supported).toContain('urn:ietf:rfc:8935')
  })

  it('can be read, verified, polled and deleted only by its owner', async () => {
    const { as, request, token, streamId } = await streaming()

    await request.get(`/ssf/stream?stream_id=${streamId}`).expect(404)
    await request.delete(`/ssf/stream?stream_id=${streamId}`).expect(404)
    await request.post('/ssf/verify').send({ stream_id: streamId }).expect(404)
    await request.post(`/ssf/poll/${streamId}`).send({ returnImmediately: true }).expect(404)
    expect((await request.get('/ssf/stream')).body).toEqual({ streams: [] })
    expect((await as(token).get('/ssf/stream')).body.streams).toHaveLength(1)
    expect((await as(token).delete('/ssf/stream')).status).toBe(204)
    expect((await as(token).delete('/ssf/stream')).status).toBe(404)
  })

  it('must be named when the client has several', async () => {
    const { as, token } = await streaming()
    await as(token).post('/ssf/stream').send({})

    expect((await as(token).delete('/ssf/stream')).status).toBe(400)
  })

  it('never shows its authorization_token, also not in journal or exchanges', async () => {
    const { as, token, created, tenant, control } = await streaming(push())

    const read = await as(token).get('/ssf/stream')
    const journal = await control.get('/journal')
    const exchanges = await control.get('/exchanges')

    expect(tenant.journal().length).toBeGreaterThan(0)
    expect(JSON.stringify([created.body, read.body, journal.body, exchanges.body])).not.toContain(
      'push-secret',
    )
  })
})

describe('a poll', () => {
  it('returns a signed token for a completed task, as in RFC 8417 and SSF', async () => {
    const { anonymous, openTask, complete, poll, tenant, created } = await streaming()
    const task = await openTask()
    const { caep_session_id } = tenant
      .journal()
      .flatMap((it) =>
        it.type === 'task.opened' ? [{ caep_session_id: it.task.caepSessionId }] : [],
      )
      .at(-1) ?? { caep_session_id: '' }
    await complete(task)

    const { sets } = await poll()

    const [[jti, jwt = ''] = ['']] = Object.entries(sets)
    const { header, claims } = decoded(jwt)
    const { keys } = (await anonymous.get('/.well-known/jwks.json')).body
    expect(header).toMatchObject({ typ: 'secevent+jwt', kid: keys[0].kid })
    expect(SecurityEventToken.parse(claims)).toEqual({
      iss: created.body.iss,
      aud: ['documents-api'],
      iat: noonEpoch,
      jti,
      sub_id: {
        format: 'complex',
        session: { format: 'opaque', id: caep_session_id },
        user: { format: 'iss_sub', iss: created.body.iss, sub: `agent:report-bot:task:${task}` },
      },
      events: {
        'https://schemas.openid.net/secevent/caep/event-type/session-revoked': {
          event_timestamp: noonEpoch,
          initiating_entity: 'system',
          reason_admin: { en: 'the task was completed' },
        },
      },
    })
  })

  it('returns the same signals until they are acknowledged', async () => {
    const { openTask, complete, poll } = await streaming()
    for (const task of [await openTask(), await openTask()]) await complete(task)

    const first = Object.keys((await poll()).sets)
    const again = Object.keys((await poll({ ack: ['unknown'] })).sets)
    const rest = await poll({ ack: first.slice(0, 1) })
    const none = await poll({ setErrs: { [first[1] ?? '']: { err: 'invalid_key' } } })

    expect(again).toEqual(first)
    expect(Object.keys(rest.sets)).toEqual(first.slice(1))
    expect(none.sets).toEqual({})
  })

  it('says moreAvailable when more signals wait than were requested', async () => {
    const { openTask, complete, poll } = await streaming()
    for (const task of [await openTask(), await openTask()]) await complete(task)

    expect(await poll({ maxEvents: 1 })).toMatchObject({ moreAvailable: true })
    expect(Object.keys((await poll({ maxEvents: 1 })).sets)).toHaveLength(1)
    expect((await poll({ maxEvents: 0 })).sets).toEqual({})
  })

  it('waits for the first signal, up to a limit', async () => {
    const { openTask, complete, poll, waiting } = await streaming()
    const task = await openTask()
    const isWaiting = () => vi.waitFor(() => expect(waiting.size).toBe(1))

    const waited = poll({ returnImmediately: false })
    await isWaiting()
    await complete(task)
    const { sets } = await waited
    const inVain = poll({ returnImmediately: false, ack: Object.keys(sets) })
    await isWaiting()
    const [timer] = waiting.values()
    timer?.act()

    expect(Object.keys(sets)).toHaveLength(1)
    expect(await inVain).toEqual({ sets: {} })
    expect(timer?.milliseconds).toBe(30_000)
  })

  it('returns token-claims-change for a revoked JIT token, with its id', async () => {
    const { request, requestPermission, openTask, poll, anonymous, tenant } = await streaming()
    const { request_id } = (await requestPermission(await openTask(), reading)).body
    const jit = (await request.post(`/jit/request/${request_id}/token`)).body
    const { client_id, client_secret } = tenant.agents[0] ?? {}
    await anonymous
      .post('/oauth/revoke')
      .type('form')
      .send({ token: jit.access_token, client_id, client_secret })

    const [set = ''] = Object.values((await poll()).sets)

    const { claims } = decoded(set)
    expect(claims.sub_id).toMatchObject({
      format: 'jwt_id',
      jti: decoded(jit.access_token).claims.jti,
    })
    expect(Object.values(claims.events)).toMatchObject([{ claims: { authorization_details: [] } }])
  })

  it('of an agent returns only signals about that agent', async () => {
    const { as, request, agentToken, openTask } = await issuerWorld({
      agents: [{ name: 'report-bot' }, { name: 'stranger' }],
    })
    const stranger = await agentToken('stranger')
    const { stream_id } = (await as(stranger).post('/ssf/stream').send({})).body
    await request.post(`/jit/task/${await openTask()}/complete`)

    const { body } = await as(stranger)
      .post(`/ssf/poll/${stream_id}`)
      .send({ returnImmediately: true })

    expect(body.sets).toEqual({})
  })
})

describe('a verification', () => {
  it('comes through the stream with the given state', async () => {
    const { as, token, streamId, poll } = await streaming()

    const { status } = await as(token)
      .post('/ssf/verify')
      .send({ stream_id: streamId, state: 'hello' })

    const [set = ''] = Object.values((await poll()).sets)
    expect(status).toBe(204)
    expect(decoded(set).claims).toMatchObject({
      sub_id: { format: 'opaque', id: streamId },
      events: {
        'https://schemas.openid.net/secevent/ssf/event-type/verification': { state: 'hello' },
      },
    })
  })

  it('is refused for an unknown stream, and when many wait', async () => {
    const { as, token, streamId } = await streaming()
    const verify = async (stream_id: string) =>
      (await as(token).post('/ssf/verify').send({ stream_id })).status
    for (let times = 0; times < 10; times += 1) await verify(streamId)

    expect(await verify('ssf_x')).toBe(404)
    expect(await verify(streamId)).toBe(429)
  })
})

describe('a push', () => {
  it('carries the signed token and the stream’s authorization', async () => {
    const { openTask, complete, far, settle, happened, streamId } = await streaming(push())

    await complete(await openTask())
    await settle()

    expect(far.sent[0]?.headers).toEqual({
      'content-type': 'application/secevent+jwt',
      accept: 'application/json',
      authorization: 'Bearer push-secret',
    })
    expect(decoded(far.sent[0]?.body ?? '').claims.aud).toEqual(['https://receiver.example'])
    expect(happened('signal.delivered')).toMatchObject([{ streamId, attempt: 1 }])
  })

  it('sends authorization_header as the whole Authorization header', async () => {
    const order = push({ authorization_token: undefined, authorization_header: 'Basic eDp5' })
    const { openTask, complete, far, settle } = await streaming(order)

    await complete(await openTask())
    await settle()

    expect(far.sent[0]?.headers.authorization).toBe('Basic eDp5')
  })

  it('is repeated later, in order', async () => {
    const { openTask, complete, far, settle, tenant } = await streaming(push())
    far.answers.unshift(503)
    for (const task of [await openTask(), await openTask()]) await complete(task)
    await settle()
    expect(far.sent).toHaveLength(1)

    tenant.clock.advance(10)
    await settle()

    const names = far.sent.map(({ body }) => decoded(body).claims.jti)
    expect(names).toHaveLength(3)
    expect(names[1]).toBe(names[0])
    expect(names[2]).not.toBe(names[0])
  })

  it.each([200, 204])(
    'is not delivered by a status %i, which is no answer of a receiver',
    async (status) => {
      const { openTask, complete, far, settle, tenant, happened } = await streaming(push())
      far.answers.unshift(status)

      await complete(await openTask())
      await settle()
      const failed = happened('signal.failed')
      tenant.clock.advance(10)
      await settle()

      expect(failed).toMatchObject([
        { final: false, reason: `the answer was ${status}, expected 202` },
      ])
      expect(happened('signal.delivered')).toMatchObject([{ attempt: 2 }])
    },
  )

  it('is not repeated after the receiver rejected it', async () => {
    const { openTask, complete, far, settle, tenant, happened } = await streaming(push())
    far.answers[0] = 400
    await complete(await openTask())
    await settle()
    tenant.clock.advance('PT2H')
    await settle()

    expect(far.sent).toHaveLength(1)
    expect(happened('signal.failed')).toMatchObject([
      { final: true, reason: 'the receiver rejected it' },
    ])
  })

  it('is never sent to a name that resolves to a private address', async () => {
    const { openTask, complete, far, settle, happened } = await streaming(
      push({ endpoint_url: 'https://receiver.example/' }),
    )
    far.names.set('receiver.example', [{ address: '10.0.0.1', family: 4 }])

    await complete(await openTask())
    await settle()

    expect(far.sent).toEqual([])
    expect(happened('signal.failed')).toMatchObject([{ final: true }])
  })

  it('stops when the stream is deleted', async () => {
    const { as, token, openTask, complete, far, settle, tenant } = await streaming(push())
    far.answers[0] = 503
    await complete(await openTask())
    await settle()

    await as(token).delete('/ssf/stream')
    tenant.clock.advance('PT2H')
    await settle()

    expect(far.sent).toHaveLength(1)
  })
})
