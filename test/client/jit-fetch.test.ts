import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  createJitFetch,
  type JitContext,
  type JitFetchOptions,
  type JitStep,
  refusalOf,
} from '../../client/index.ts'
import { encodeRemediation } from '../../server/wire/challenge.ts'
import {
  api,
  atWork,
  challenge,
  elsewhere,
  json,
  networkFailure,
  never,
  reading,
  refusal,
  secret,
  type World,
} from './world.ts'

const doc = `${api}/v1/documents/doc_1`
const line = 'GET /v1/documents/doc_1'

/** A document behind a 403 with the header that a test sets. */
const challengedBy = (world: World, header: string) =>
  world.on(line, () =>
    json(403, { error: 'original' }, { 'insufficient-authorization-details': header }),
  )

const tokensAt = (world: World, at = line) => world.to(at).map(({ token }) => token)
const asked = (world: World) => world.to('POST /jit/request')

afterEach(() => vi.useRealTimers())

describe('a call that is not permitted', () => {
  it.each(['denied', 'expired', 'revoked'])(
    'returns the original 403 once the request is %s',
    async (status) => {
      const { world, jit } = await atWork()
      Object.assign(world, { decision: status, afterPolls: 1 })

      const response = await jit.fetch(doc)

      expect(response.status).toBe(403)
      expect(await response.json()).toMatchObject({ error_description: 'more is needed' })
      expect(refusalOf(response)).toMatchObject({
        reason: status,
        required: reading('doc_1'),
        message: expect.stringContaining('not during the audit'),
      })
      expect(tokensAt(world)).toHaveLength(1)
    },
  )

  it('returns the original 403 when no decision comes within the limit', async () => {
    const { world, jit } = await atWork({ limit: 20 })
    world.afterPolls = 1000

    const response = await jit.fetch(doc)

    expect(response.status).toBe(403)
    expect(refusalOf(response)).toMatchObject({
      reason: 'timeout',
      cause: { code: 'approval_timeout' },
    })
    expect(world.slept).toEqual([5, 5, 5, 5])
  })

  it.each([
    [400, 'task_not_active'],
    [403, 'request_forbidden'],
    [429, 'rate_limit_exceeded'],
  ])('returns the original 403 when the issuer answers %i %s', async (status, error) => {
    const { world, jit } = await atWork()
    world.on('POST /jit/request', () => refusal(status, error))

    const response = await jit.fetch(doc)

    expect(response.status).toBe(403)
    expect(refusalOf(response)).toMatchObject({ reason: 'issuer', cause: { serverCode: error } })
  })

  it('throws instead with onRefusal: throw', async () => {
    const { world, jit } = await atWork({ onRefusal: 'throw' })
    world.decision = 'denied'

    await expect(jit.fetch(doc)).rejects.toMatchObject({
      code: 'escalation_refused',
      reason: 'denied',
    })
  })

  it.each([
    ['the network', () => Promise.reject(networkFailure()), 'network_error'],
    ['the issuer', () => refusal(500, 'server_error'), 'api_error'],
    ['the login', () => refusal(401, 'invalid_client'), 'authentication_error'],
    ['the contract', () => json(201, { nothing: 1 }), 'invalid_answer'],
  ])('throws when %s fails, which is not a refusal', async (_, handler, code) => {
    const { world, jit } = await atWork()
    world.on('POST /jit/request', handler)

    await expect(jit.fetch(doc)).rejects.toMatchObject({ code })
  })

  it('throws no_task once the task is completed', async () => {
    const { jit } = await atWork()
    await jit.completeTask()

    await expect(jit.fetch(doc)).rejects.toMatchObject({ code: 'no_task' })
  })

  it('throws no_task when the task is completed while it waits', async () => {
    const { world, jit } = await atWork()
    world.afterPolls = 1000
    world.whileSleeping = () => void jit.completeTask()

    await expect(jit.fetch(doc)).rejects.toMatchObject({ code: 'no_task' })
  })

  it('keeps the body of a long original 403 readable', async () => {
    const { world, jit } = await atWork()
    world.decision = 'denied'
    world.on(line, async () => {
      const { headers } = challenge(reading('doc_1'))
      return new Response('x'.repeat(200_000), { status: 403, headers })
    })

    const response = await jit.fetch(doc)

    expect(await response.text()).toHaveLength(200_000)
  })
})

describe('a call that escalates', () => {
  it('requests exactly the detail of the challenge, once, and retries with that token', async () => {
    const { world, jit } = await atWork()

    const response = await jit.fetch(doc)

    expect(response.status).toBe(200)
    expect(asked(world).map((it) => it.json)).toEqual([
      {
        task_id: jit.taskId,
        authorization_details: reading('doc_1'),
        requested_ttl: 300,
        justification: `Required for GET ${doc}`,
      },
    ])
    expect(tokensAt(world)).toEqual(['wide-token_1', 'jit-token_4'])
    expect(refusalOf(response)).toBeUndefined()
  })

  it('never loops: a second challenge is returned', async () => {
    const { world, jit } = await atWork()
    world.on(line, () => challenge(reading('doc_1')))

    const response = await jit.fetch(doc)

    expect(response.status).toBe(403)
    expect(asked(world)).toHaveLength(1)
    expect(tokensAt(world)).toHaveLength(2)
  })

  it('requests one detail when several are missing', async () => {
    const { world, jit } = await atWork()
    const details = [reading('doc_1'), reading('doc_2')]
    world.on(line, () =>
      json(403, { error: 'insufficient_authorization_details', authorization_details: details }),
    )

    const response = await jit.fetch(doc)

    expect(response.status).toBe(403)
    expect(asked(world).map((it) => it.json.authorization_details)).toEqual([reading('doc_1')])
  })

  it('requests the missing detail when the challenge names several', async () => {
    const { world, jit } = await atWork()
    await jit.fetch(doc)
    const details = [reading('doc_1'), reading('doc_2')]
    world.on(line, () =>
      json(403, { error: 'insufficient_authorization_details', authorization_details: details }),
    )

    await jit.fetch(doc)

    expect(asked(world).map((it) => it.json.authorization_details)).toEqual(details)
  })

  it('cancels the body of the original 403, however long', async () => {
    const { world, jit } = await atWork()
    const cancelled = Promise.withResolvers<string>()
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1000)),
      cancel: () => cancelled.resolve('cancelled'),
    })
    const { headers } = challenge(reading('doc_1'))
    world.once(line, () => new Response(endless, { status: 403, headers }))

    const response = await jit.fetch(doc)

    expect(response.status).toBe(200)
    await expect(cancelled.promise).resolves.toBe('cancelled')
  })

  it('reads the challenge from the body, as in draft -04', async () => {
    const { world, jit } = await atWork()
    world.once(line, () =>
      json(403, {
        error: 'insufficient_authorization_details',
        authorization_details: [reading('doc_1')],
      }),
    )

    expect((await jit.fetch(doc)).status).toBe(200)
  })

  const inBody = {
    error: 'insufficient_authorization_details',
    authorization_details: [reading('doc_1')],
  }
  it.each([
    ['application/json', true],
    ['application/problem+json; charset=utf-8', true],
    ['Application/JSON', true],
    ['text/plain', false],
    ['text/x-application/json', false],
    ['application/jsonl', false],
  ])('reads it from a body of type %s: %s', async (type, found) => {
    const { world, jit } = await atWork()
    world.once(
      line,
      () =>
        new Response(JSON.stringify(inBody), { status: 403, headers: { 'content-type': type } }),
    )

    expect((await jit.fetch(doc)).status).toBe(found ? 200 : 403)
  })

  it('does not read it from the body of a 401', async () => {
    const { world, jit } = await atWork()
    world.once(line, () => json(401, inBody))

    expect((await jit.fetch(doc)).status).toBe(401)
    expect(asked(world)).toEqual([])
  })

  it('decodes a body split into any chunks', async () => {
    const { world, jit } = await atWork({ allow: () => true })
    const bytes = new TextEncoder().encode(
      JSON.stringify({ ...inBody, authorization_details: [{ type: 'ä€' }] }),
    )
    const body = new ReadableStream({
      start: (controller) => {
        for (const byte of bytes) controller.enqueue(new Uint8Array([byte]))
        controller.close()
      },
    })
    const headers = { 'content-type': 'application/json' }
    world.once(line, () => new Response(body, { status: 403, headers }))

    await jit.fetch(doc)

    expect(asked(world)[0]?.json.authorization_details).toEqual({ type: 'ä€' })
  })

  it('reads authorization_remediation from a 401, as in wg-00, and keeps the wide token', async () => {
    const { world, jit } = await atWork()
    const remediation = encodeRemediation({ authorization_details: [reading('doc_1')] })
    world.once(line, () =>
      json(401, null, {
        'www-authenticate': `Bearer error="insufficient_authorization", authorization_remediation=${remediation}`,
      }),
    )

    const response = await jit.fetch(doc)

    expect(response.status).toBe(200)
    expect(world.to('POST /oauth/token')).toHaveLength(1)
  })

  it('waits for an approval', async () => {
    const { world, jit } = await atWork()
    world.afterPolls = 3

    const response = await jit.fetch(doc)

    expect(response.status).toBe(200)
    expect(world.slept).toEqual([5, 5, 5])
  })

  it('sends the configured justification and requested_ttl', async () => {
    const { world, jit } = await atWork({
      ttl: 60,
      justification: ({ identifier }, { method, url }) => `${method} ${identifier} on ${url.host}`,
    })

    await jit.fetch(doc)

    expect(asked(world)[0]?.json).toMatchObject({
      requested_ttl: 60,
      justification: 'GET doc_1 on api.test',
    })
  })

  it('does not send the query to the issuer, since it may contain secrets', async () => {
    const { world, jit } = await atWork()

    await jit.fetch(`${doc}?key=s3cr3t`)

    expect(asked(world)[0]?.text).not.toContain('s3cr3t')
  })

  it('reports each step to observe, without tokens', async () => {
    const steps: JitStep[] = []
    const { jit } = await atWork({ observe: (step) => steps.push(step) })

    await jit.fetch(doc)

    expect(steps.map(({ step }) => step)).toEqual(['challenged', 'requested', 'granted'])
    expect(JSON.stringify(steps)).not.toMatch(/-token_/)
  })

  it('reports to observe why it failed', async () => {
    const steps: JitStep[] = []
    const { jit } = await atWork({ allow: [], observe: (step) => steps.push(step) })

    await jit.fetch(doc)

    expect(steps).toEqual([
      { step: 'challenged', request: `GET ${doc}`, required: reading('doc_1') },
      {
        step: 'refused',
        reason: 'not_allowed',
        message: 'not requested: the option allow does not permit file_access read doc_1',
      },
    ])
  })

  it.each([
    [{ type: 't', actions: ['a', 'b'], identifier: 'x' }, 't a, b x'],
    [{ type: 't' }, 't'],
    [{ type: 't', identifier: 'x' }, 't x'],
    [{ type: 't', identifier: 'x'.repeat(240) }, `t ${'x'.repeat(198)}`],
  ])('names the missing detail in its message: %j', async (detail, name) => {
    const { world, jit } = await atWork({ allow: [] })
    world.on(line, () => challenge(detail))

    expect(refusalOf(await jit.fetch(doc))?.message).toBe(
      `not requested: the option allow does not permit ${name}`,
    )
  })

  it.each([
    ['get', 'GET'],
    ['DELETE', 'DELETE'],
    ['Options', 'OPTIONS'],
    ['MYGET', 'MYGET'],
    ['getx', 'getx'],
  ])('sends the method %s as %s', async (method, sent) => {
    const { world, jit } = await atWork()

    await jit.fetch(`${api}/v1/else`, { method })

    expect(world.received.at(-1)?.line).toBe(`${sent} /v1/else`)
  })

  it('keeps the options of a Request and of the init', async () => {
    const seen: RequestInit[] = []
    const { world, jit } = await atWork({}, {})
    Object.defineProperty(jit.agent, 'fetch', {
      value: (input: URL, init: RequestInit) => {
        seen.push(init)
        return world.fetch(input, init)
      },
    })
    const request = new Request(`${api}/v1/else`, { cache: 'no-store', credentials: 'omit' })

    await jit.fetch(request)
    await jit.fetch(`${api}/v1/else`, { cache: 'reload' })

    const calls = seen.filter((it) => it.cache !== undefined)
    expect(calls).toMatchObject([{ cache: 'no-store', credentials: 'omit' }, { cache: 'reload' }])
  })

  it('is a plain fetch when no detail is missing', async () => {
    const { world, jit } = await atWork()

    const response = await jit.fetch(`${api}/v1/public?page=2`, { headers: { 'x-mine': 'yes' } })

    expect(await response.json()).toMatchObject({ query: '?page=2' })
    expect(world.received.at(-1)?.headers.get('x-mine')).toBe('yes')
    expect(asked(world)).toEqual([])
  })
})

describe('a challenge that cannot be parsed', () => {
  const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64')
  const deep = (levels: number): unknown => (levels === 0 ? 1 : { more: deep(levels - 1) })

  it.each([
    ['is empty', ''],
    ['is no base64', 'äö'],
    ['mixes both alphabets', `${base64(reading('doc_1'))}-_+/`],
    ['was joined of two', `${base64(reading('doc_1'))}, ${base64(reading('doc_2'))}`],
    ['is no JSON', Buffer.from('{').toString('base64')],
    ['is no UTF-8', Buffer.from([0x22, 0xff, 0x22]).toString('base64')],
    ['is a text', base64('file_access')],
    ['is null', base64(null)],
    ['is an empty list', base64([])],
    ['has no type', base64({ actions: ['read'] })],
    ['has a key __proto__', Buffer.from('{"type":"t","__proto__":{}}').toString('base64')],
    ['is too long', base64({ type: 'x'.repeat(5000) })],
    ['is a list too long', base64(Array(17).fill({ type: 't' }))],
    ['is nested too deep', base64({ ...reading('doc_1'), ...(deep(30) as object) })],
  ])('returns the original response when the header %s', async (_, header) => {
    const steps: JitStep[] = []
    const { world, jit } = await atWork({
      onRefusal: 'throw',
      allow: () => true,
      observe: (step) => steps.push(step),
    })
    challengedBy(world, Buffer.from(header).toString('latin1'))

    const response = await jit.fetch(doc)

    expect(response.status).toBe(403)
    expect(await response.json()).toEqual({ error: 'original' })
    expect(asked(world)).toEqual([])
    expect(steps).toMatchObject([{ step: 'malformed' }])
  })

  it.each([
    ['is no JSON', '{'],
    ['is null', 'null'],
    ['names another error', JSON.stringify({ error: 'x', authorization_details: [reading('d')] })],
    ['is longer than 64 KiB', JSON.stringify({ pad: 'x'.repeat(70_000) })],
    ['is an abyss', `${'['.repeat(50_000)}`],
  ])('returns the original response when the body %s', async (_, body) => {
    const { world, jit } = await atWork()
    const headers = { 'content-type': 'application/problem+json' }
    world.on(line, () => new Response(body, { status: 403, headers }))

    const response = await jit.fetch(doc)

    expect(await response.text()).toBe(body)
    expect(asked(world)).toEqual([])
  })

  it('returns the original response when the body is nested too deep', async () => {
    const { world, jit } = await atWork({ allow: () => true })
    const more = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    const body = `{"error":"insufficient_authorization_details","authorization_details":[{"type":"t","more":${more}}]}`
    world.on(
      line,
      () => new Response(body, { status: 403, headers: { 'content-type': 'application/json' } }),
    )

    const response = await jit.fetch(doc)

    expect(await response.text()).toBe(body)
    expect(asked(world)).toEqual([])
  })

  it('returns the original response when the body never ends', async () => {
    vi.useFakeTimers()
    const { world, jit } = await atWork()
    const headers = { 'content-type': 'application/json' }
    world.on(line, () => new Response(new ReadableStream(), { status: 403, headers }))

    const pending = jit.fetch(doc)
    await vi.advanceTimersByTimeAsync(30_000)

    expect((await pending).status).toBe(403)
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each([200, 400, 404, 500])('is ignored in a %i', async (status) => {
    const { world, jit } = await atWork()
    const { headers } = challenge(reading('doc_1'))
    world.on(line, () => new Response('{}', { status, headers }))

    expect((await jit.fetch(doc)).status).toBe(status)

    expect(asked(world)).toEqual([])
  })

  it('is ignored inside a quoted realm', async () => {
    const { world, jit } = await atWork()
    const remediation = encodeRemediation({ authorization_details: [reading('doc_1')] })
    const realm = `Bearer realm="x, authorization_remediation=${remediation}, y"`
    world.on(line, () => json(401, null, { 'www-authenticate': realm }))

    expect((await jit.fetch(doc)).status).toBe(401)

    expect(asked(world)).toEqual([])
  })

  it('is ignored in the Insufficient-Authorization-Details header of a 401', async () => {
    const { world, jit } = await atWork()
    const { headers } = challenge(reading('doc_1'))
    world.on(line, () => new Response('{}', { status: 401, headers }))

    expect((await jit.fetch(doc)).status).toBe(401)

    expect(asked(world)).toEqual([])
  })
})

describe('allow', () => {
  it('is called before the issuer', async () => {
    const allow = vi.fn(() => false)
    const { world, jit } = await atWork({ allow })

    const response = await jit.fetch(`${doc}?page=2`)

    expect(response.status).toBe(403)
    expect(refusalOf(response)).toMatchObject({ reason: 'not_allowed' })
    expect(allow).toHaveBeenCalledExactlyOnceWith(reading('doc_1'), {
      method: 'GET',
      url: new URL(`${doc}?page=2`),
    })
    expect(asked(world)).toEqual([])
  })

  it.each([
    { type: 'payment', actions: ['initiate'] },
    { type: 'user_data', actions: ['read'] },
    { type: 'file_access', actions: ['read', 'delete'] },
    { type: 'file_access', actions: ['read'], privileges: ['admin'] },
    { type: 'file_access', actions: ['read'], locations: [`${elsewhere}/`] },
    { type: 'file_access', actions: ['read'], locations: ['somewhere'] },
    { type: 'file_access', actions: ['read'], everything: true },
    { type: 'File_Access', actions: ['read'] },
  ])('permits only read-like actions by default, and so not %j', async (detail) => {
    const { world, jit } = await atWork()
    world.on(line, () => challenge(detail))

    const response = await jit.fetch(doc)

    expect(refusalOf(response)).toMatchObject({ reason: 'not_allowed' })
    expect(asked(world)).toEqual([])
  })

  it.each([
    reading('anything'),
    { type: 'file_access', actions: ['read'], locations: [`${api}/v1`], datatypes: ['pdf'] },
    { type: 'api_call', actions: ['GET'] },
    { type: 'database_query', actions: ['select'], identifier: 'sales' },
  ])('permits only read-like actions by default, and so %j', async (detail) => {
    const { world, jit } = await atWork()
    world.once(line, () => challenge(detail))

    await jit.fetch(doc)

    expect(asked(world)).toHaveLength(1)
  })

  it('may be a list, of which one entry must cover the detail', async () => {
    const { world, jit } = await atWork({
      allow: [{ type: 'file_access', actions: ['read', 'write'], identifier: 'doc_1' }],
    })

    const own = await jit.fetch(doc, { method: 'PUT', body: 'x' })
    const other = await jit.fetch(`${api}/v1/documents/doc_2`, { method: 'PUT', body: 'x' })

    expect([own.status, other.status]).toEqual([200, 403])
    expect(asked(world)).toHaveLength(1)
  })

  it('of the task takes precedence over that of the agent', async () => {
    const { world, agent } = await atWork({}, { allow: [] })
    const strict = await agent.jit()
    const lenient = await agent.jit({ allow: () => true })

    const refused = await strict.fetch(doc)
    const granted = await lenient.fetch(doc)

    expect([refused.status, granted.status]).toEqual([403, 200])
    expect(asked(world)).toHaveLength(1)
  })
})

describe('origins', () => {
  it('is required', async () => {
    const { jit } = await atWork({ origins: [] })

    await expect(jit.fetch(doc)).rejects.toMatchObject({ code: 'config_error' })
  })

  it('may name an http origin', async () => {
    const { jit } = await atWork()

    expect(() => createJitFetch(jit, { origins: ['http://localhost:3000'] })).not.toThrow()
  })

  it.each(['api.test', 'file:///etc', '', 'xhttp://api.test', 'https-x://api.test'])(
    'cannot be %j',
    async (origin) => {
      const { jit } = await atWork()

      expect(() => createJitFetch(jit, { origins: [origin] })).toThrow(
        expect.objectContaining({ code: 'config_error' }),
      )
    },
  )

  it.each([elsewhere, 'http://api.test', 'https://api.test:8443', 'https://api.test.evil.test'])(
    'excludes %s, which gets a plain fetch, and its challenges are returned',
    async (origin) => {
      const { world, jit } = await atWork()
      world.on('GET /v1/documents/doc_1', () => challenge(reading('doc_1')))

      const response = await jit.fetch(`${origin}/v1/documents/doc_1`)

      expect(response.status).toBe(403)
      expect(tokensAt(world)).toEqual([undefined])
      expect(asked(world)).toEqual([])
    },
  )

  it('leaves an Authorization header of the caller unchanged', async () => {
    const { world, jit } = await atWork()

    const response = await jit.fetch(doc, { headers: { authorization: 'Bearer mine' } })

    expect(response.status).toBe(401)
    expect(tokensAt(world)).toEqual(['mine'])
  })
})

describe('the tokens of a task', () => {
  const twice = async (options: Partial<JitFetchOptions> = {}) => {
    const there = await atWork(options)
    await there.jit.fetch(doc)
    return there
  }

  it('are reused for the same method, origin and path, whatever the query', async () => {
    const { world, jit } = await twice()

    await jit.fetch(`${doc}?page=2`)

    expect(tokensAt(world)).toEqual(['wide-token_1', 'jit-token_4', 'jit-token_4'])
    expect(asked(world)).toHaveLength(1)
  })

  it('are not sent to paths that did not require them', async () => {
    const { world, jit } = await twice()

    await jit.fetch(`${api}/v1/public`)

    expect(world.received.at(-1)?.token).toBe('wide-token_1')
  })

  it('are not sent with another method', async () => {
    const { world, jit } = await twice()

    await jit.fetch(doc, { method: 'PUT', body: 'x' })

    expect(world.received.at(-1)).toMatchObject({ token: 'wide-token_1' })
  })

  it('are reused when a challenge names a detail one of them has', async () => {
    const { world, jit } = await twice()
    const other = 'GET /v1/documents/doc_1/pages'

    const response = await jit.fetch(`${api}/v1/documents/doc_1/pages`)

    expect(response.status).toBe(200)
    expect(tokensAt(world, other)).toEqual(['wide-token_1', 'jit-token_4'])
    expect(asked(world)).toHaveLength(1)
  })

  it('are dropped shortly before they expire', async () => {
    const { world, jit } = await twice({ ttl: 100, skew: 30 })

    world.pass(69)
    await jit.fetch(doc)
    world.pass(1)
    await jit.fetch(doc)

    expect(asked(world)).toHaveLength(2)
    expect(tokensAt(world).slice(2)).toEqual(['jit-token_4', 'wide-token_1', 'jit-token_6'])
  })

  it('are used once when their lifetime is too short to cache them', async () => {
    const { world, jit } = await twice({ ttl: 5 })

    const response = await jit.fetch(doc)

    expect(response.status).toBe(200)
    expect(asked(world)).toHaveLength(2)
  })

  it('are dropped on a 401, which is returned', async () => {
    const { world, jit } = await twice()
    world.once(line, () => refusal(401, 'invalid_token'))

    const revoked = await jit.fetch(doc)
    const afresh = await jit.fetch(doc)

    expect([revoked.status, afresh.status]).toEqual([401, 200])
    expect(tokensAt(world).slice(2)).toEqual(['jit-token_4', 'wide-token_1', 'jit-token_6'])
  })

  it('are dropped on a 401 that follows an escalation', async () => {
    const { world, jit } = await atWork()
    world.once(
      line,
      () => challenge(reading('doc_1')),
      () => refusal(401, 'invalid_token'),
    )

    const revoked = await jit.fetch(doc)
    await jit.fetch(doc)

    expect(revoked.status).toBe(401)
    expect(asked(world)).toHaveLength(2)
  })

  it('keep the wide token renewable when the wide token is rejected', async () => {
    const { world, jit } = await atWork()
    world.once('GET /v1/public', () => refusal(401, 'invalid_token'))

    const first = await jit.fetch(`${api}/v1/public`)
    const second = await jit.fetch(`${api}/v1/public`)

    expect([first.status, second.status]).toEqual([401, 200])
    expect(world.to('POST /oauth/token')).toHaveLength(2)
  })

  it('are replaced when they no longer suffice', async () => {
    const { world, jit } = await twice()
    world.once(line, () => challenge(reading('doc_1')))

    const response = await jit.fetch(doc)

    expect(response.status).toBe(200)
    expect(asked(world)).toHaveLength(2)
  })

  it('follow the latest challenge', async () => {
    const { world, jit } = await twice()
    const stricter = { ...reading('doc_1'), datatypes: ['secret'] }
    world.once(line, () => challenge(stricter))

    await jit.fetch(doc)
    await jit.fetch(doc)

    expect(tokensAt(world).slice(2)).toEqual(['jit-token_4', 'jit-token_6', 'jit-token_6'])
  })

  it('are cached with the granted details, even if these are fewer than requested', async () => {
    const { world, jit } = await atWork()
    world.on('POST /jit/request/jit_3/token', () =>
      json(200, { access_token: 'narrow', expires_in: 300, authorization_details: [] }),
    )
    world.once(
      line,
      () => challenge(reading('doc_1')),
      () => challenge(reading('doc_1')),
    )

    const first = await jit.fetch(doc)
    await jit.fetch(doc)

    expect(first.status).toBe(403)
    expect(asked(world)).toHaveLength(2)
  })

  it('are dropped with their task', async () => {
    const { world, jit } = await twice()
    await jit.completeTask()
    await jit.createTask()

    await jit.fetch(doc)

    expect(tokensAt(world)[2]).toBe('wide-token_1')
    expect(asked(world)).toHaveLength(2)
  })
})

describe('two origins of one task', () => {
  const other = 'https://other-api.test'
  const otherDoc = `${other}/v1/documents/doc_1`
  /** Both require the same detail, each with its own token. */
  const between = async (options: Partial<JitFetchOptions> = {}) => {
    const there = await atWork({ origins: [api, other], ...options })
    const { world } = there
    const at = (origin: string) => world.received.filter((it) => it.url.origin === origin)
    const shown = (origin: string) => at(origin).map(({ token }) => token)
    world.on(line, (it) =>
      it.url.origin === other && !it.token?.startsWith('jit')
        ? challenge(reading('doc_1'))
        : world.usual({ ...it, url: new URL(it.url.pathname, api) }),
    )
    return { ...there, shown }
  }

  it('RES-07: never receive the token for the other origin', async () => {
    const { world, jit, shown } = await between()

    const first = await jit.fetch(doc)
    const second = await jit.fetch(otherDoc)
    await Promise.all([jit.fetch(doc), jit.fetch(otherDoc)])

    expect([first.status, second.status]).toEqual([200, 200])
    expect(asked(world)).toHaveLength(2)
    expect(shown(api).filter((it) => shown(other).includes(it))).toEqual([])
  })

  it('have separate requests even at the same time', async () => {
    const { world, jit, shown } = await between()

    await Promise.all([jit.fetch(doc), jit.fetch(otherDoc)])

    expect(asked(world)).toHaveLength(2)
    expect(shown(api).filter((it) => shown(other).includes(it))).toEqual([])
  })

  it('are each named as the resource of their tokens', async () => {
    const { world, jit } = await between()

    await jit.fetch(doc)
    await jit.fetch(otherDoc)

    expect(world.to('POST /oauth/token').map((it) => it.json.resource)).toEqual([undefined, other])
    const exchanges = world.received.filter((it) => /jit\/request\/\w+\/token$/.test(it.line))
    expect(exchanges.map((it) => it.json)).toEqual([{ resource: api }, { resource: other }])
  })

  it('receive separate wide tokens; the first origin gets the one without resource', async () => {
    const { jit, shown } = await between()

    await jit.fetch(`${other}/v1/public`)
    await jit.fetch(`${api}/v1/public`)

    expect(shown(api)).toEqual(['wide-token_1'])
    expect(shown(other)).toEqual(['wide-token_3'])
  })

  it('receive separate wide tokens; wideTokenOrigin gets the one without resource', async () => {
    const { jit, shown } = await between({ wideTokenOrigin: `${other}/v1` })

    await jit.fetch(`${other}/v1/public`)
    await jit.fetch(`${api}/v1/public`)

    expect(shown(other)).toEqual(['wide-token_1'])
    expect(shown(api)).toEqual(['wide-token_3'])
  })

  it('receive only their own token when the issuer knows no resource indicators', async () => {
    const { world, jit, shown } = await between({ resourceIndicators: false })

    await jit.fetch(doc)
    const response = await jit.fetch(otherDoc)

    expect(response.status).toBe(200)
    expect(shown(other)[0]).toBeUndefined()
    expect(world.to('POST /oauth/token')).toHaveLength(1)
    expect(world.received.map((it) => it.text).join()).not.toContain('resource')
  })

  it('renew their own token once it is rejected', async () => {
    const { world, jit, shown } = await between()
    await jit.fetch(`${api}/v1/public`)
    world.once('GET /v1/public', () => refusal(401, 'invalid_token'))

    await jit.fetch(`${other}/v1/public`)
    await jit.fetch(`${other}/v1/public`)
    await jit.fetch(`${api}/v1/public`)

    expect(shown(other)).toEqual(['wide-token_3', 'wide-token_4'])
    expect(shown(api)).toEqual(['wide-token_1', 'wide-token_1'])
  })

  it('RES-07: get no token for a detail whose locations name the other', async () => {
    const { world, jit } = await between()
    const theirs = { ...reading('doc_1'), locations: [`${api}/v1`] }
    world.on(line, () => challenge(theirs))

    const response = await jit.fetch(otherDoc)

    expect(refusalOf(response)).toMatchObject({ reason: 'not_allowed' })
    expect(asked(world)).toEqual([])
  })

  it('get the original response when the issuer does not know one of them', async () => {
    const { world, jit } = await between()
    world.on('POST /jit/request/jit_3/token', () => refusal(400, 'invalid_target'))

    const response = await jit.fetch(doc)

    expect(response.status).toBe(403)
    expect(refusalOf(response)).toMatchObject({ cause: { serverCode: 'invalid_target' } })
  })

  it.each(['https://third.test', 'api.test', `http://api.test`])(
    'reject the wideTokenOrigin %s',
    async (wideTokenOrigin) => {
      const { jit } = await atWork()

      expect(() => createJitFetch(jit, { origins: [api], wideTokenOrigin })).toThrow(
        expect.objectContaining({ code: 'config_error' }),
      )
    },
  )
})

describe('the state of the client', () => {
  /** Changes every member and every list of a value, at any depth. */
  const spoil = (value: unknown): void => {
    if (value instanceof URL) {
      value.href = 'https://spoilt.test/'
      return
    }
    if (typeof value !== 'object' || value === null) return
    for (const member of Object.values(value)) spoil(member)
    if (Array.isArray(value)) value.push('spoilt')
    else Object.assign(value, { task_id: 'spoilt', type: 'spoilt', method: 'spoilt' })
  }

  it('is independent of callbacks and readers that change their arguments', async () => {
    const { world, jit } = await atWork({
      allow: (detail, request) => {
        spoil(detail)
        spoil(request)
        return true
      },
      justification: (detail, request) => {
        spoil(detail)
        spoil(request)
        return 'because'
      },
      observe: spoil,
    })
    spoil(jit.task)

    await jit.fetch(doc)
    await jit.fetch(doc)

    expect(asked(world).map((it) => it.json)).toEqual([
      {
        task_id: 'task_2',
        authorization_details: reading('doc_1'),
        requested_ttl: 300,
        justification: 'because',
      },
    ])
    expect(tokensAt(world)).toEqual(['wide-token_1', 'jit-token_4', 'jit-token_4'])
  })

  it('is independent of changes to a refusal', async () => {
    const { world, jit } = await atWork()
    world.decision = 'denied'

    const first = refusalOf(await jit.fetch(doc))
    spoil(first?.required)
    const second = refusalOf(await jit.fetch(doc))

    expect(second?.required).toEqual(reading('doc_1'))
    expect(second).not.toBe(first)
  })

  it('is independent of changes to a response', async () => {
    const { world, jit } = await atWork()
    await jit.completeTask()
    spoil(await jit.createTask())

    const [first, second] = await Promise.all([jit.completeTask(), jit.completeTask()])
    spoil(first)

    expect(second).toEqual({ status: 'completed' })
    expect(await jit.completeTask()).toEqual({ status: 'completed' })
    expect(world.lines().at(-1)).toBe('POST /jit/task/task_3/complete')
  })
})

describe('concurrent calls', () => {
  it('share one request when they get the same challenge', async () => {
    const { world, jit } = await atWork()
    world.afterPolls = 2
    const shuffled = { identifier: 'doc_1', actions: ['read'], type: 'file_access' }
    world.once('GET /v1/documents/doc_1/b', () => challenge(shuffled))

    const responses = await Promise.all([
      jit.fetch(doc),
      jit.fetch(`${doc}/a`),
      jit.fetch(`${doc}/b`),
    ])

    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(asked(world)).toHaveLength(1)
    expect(world.lines().filter((it) => it.endsWith('/token') && it.includes('jit'))).toHaveLength(
      1,
    )
  })

  it('share one refusal', async () => {
    const { world, jit } = await atWork()
    world.decision = 'denied'

    const responses = await Promise.all([jit.fetch(doc), jit.fetch(doc)])

    expect(responses.map((it) => refusalOf(it)?.reason)).toEqual(['denied', 'denied'])
    expect(asked(world)).toHaveLength(1)
  })

  it('do not share different details', async () => {
    const { world, jit } = await atWork()

    await Promise.all([jit.fetch(doc), jit.fetch(`${api}/v1/documents/doc_2`)])

    expect(asked(world)).toHaveLength(2)
  })

  it('continue when one of them aborts', async () => {
    const { world, jit } = await atWork()
    const abort = new AbortController()
    world.afterPolls = 2
    world.whileSleeping = () => abort.abort(new Error('changed my mind'))

    const [first, second] = await Promise.allSettled([
      jit.fetch(doc, { signal: abort.signal }),
      jit.fetch(doc),
    ])

    expect(first).toMatchObject({ status: 'rejected', reason: { message: 'changed my mind' } })
    expect(second).toMatchObject({ status: 'fulfilled', value: { status: 200 } })
    expect(asked(world)).toHaveLength(1)
  })
})

describe('aborting', () => {
  const abortedAt = async (
    prepare: (world: World, abort: () => void, jit: JitContext) => void,
  ): Promise<World> => {
    const { world, jit } = await atWork()
    const abort = new AbortController()
    prepare(world, () => abort.abort(new Error('changed my mind')), jit)
    await expect(jit.fetch(doc, { signal: abort.signal })).rejects.toThrow('changed my mind')
    return world
  }

  it('before the call sends nothing', async () => {
    const world = await abortedAt((_, abort) => abort())

    expect(world.to(line)).toEqual([])
  })

  it.each([
    ['the login', 'POST /oauth/token'],
    ['the call', line],
    ['the request', 'POST /jit/request'],
    ['the poll', 'GET /jit/request/jit_3/status'],
    ['the exchange', 'POST /jit/request/jit_3/token'],
  ])('during %s ends the call there', async (_, at) => {
    const world = await abortedAt((world, abort, { agent }) => {
      world.afterPolls = at.endsWith('status') ? 1 : 0
      if (at === 'POST /oauth/token') agent.forgetToken('wide-token_1')
      world.on(at, (it) => {
        queueMicrotask(abort)
        return never(it)
      })
    })

    expect(world.lines().at(-1)).toBe(at)
  })

  it('between polls ends the call there', async () => {
    const world = await abortedAt((world, abort) => {
      world.afterPolls = 9
      world.whileSleeping = abort
    })

    expect(world.slept).toEqual([5])
  })

  it('during the retry ends the call there', async () => {
    const world = await abortedAt((world, abort) => {
      world.once(
        line,
        () => challenge(reading('doc_1')),
        (it) => {
          queueMicrotask(abort)
          return never(it)
        },
      )
    })

    expect(world.to(line)).toHaveLength(2)
  })

  it('while the challenge is read ends the call there', async () => {
    await abortedAt((world, abort) => {
      const headers = { 'content-type': 'application/json' }
      world.on(line, () => {
        setTimeout(abort)
        return new Response(new ReadableStream(), { status: 403, headers })
      })
    })
  })
})

describe('the deadline', () => {
  it('ends a call without a response, and leaves no timer', async () => {
    vi.useFakeTimers()
    const { world, jit } = await atWork()
    world.on(line, never)

    const outcome = expect(jit.fetch(doc)).rejects.toMatchObject({ code: 'deadline_exceeded' })
    await vi.advanceTimersByTimeAsync(30_000)

    await outcome
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does not end a response whose body is being read', async () => {
    vi.useFakeTimers()
    const { world, jit } = await atWork()
    const slow = new TransformStream<Uint8Array, Uint8Array>()
    world.on(line, () => new Response(slow.readable))

    const response = await jit.fetch(doc)
    await vi.advanceTimersByTimeAsync(60_000)
    const writer = slow.writable.getWriter()
    void writer.write(new TextEncoder().encode('late')).then(() => writer.close())

    expect(await response.text()).toBe('late')
  })
})

describe('a network failure', () => {
  it('names the call, and neither the token nor the query', async () => {
    const { world, jit } = await atWork()
    world.on(line, ({ token }) => {
      throw Object.assign(new TypeError(`cannot send ${token}`), { code: 'ECONNRESET' })
    })

    const error = await jit.fetch(`${doc}?key=${secret}`).catch((it) => it)

    expect(error).toMatchObject({
      code: 'network_error',
      message: `GET ${doc}: could not be reached`,
      cause: { message: 'cannot send [hidden]', code: 'ECONNRESET' },
    })
  })
})
