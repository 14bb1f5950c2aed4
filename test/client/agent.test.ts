import { getEventListeners } from 'node:events'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { LumoAuthAgent } from '../../client/index.ts'
import { atWork, issuer, json, never, reading, refusal, secret, signedUp } from './world.ts'

const credentials = { AGENT_CLIENT_ID: 'report-bot', AGENT_CLIENT_SECRET: secret }

describe('configuring an agent', () => {
  it('throws config_error without a tenant', () => {
    expect(() => new LumoAuthAgent({ env: credentials })).toThrow(
      expect.objectContaining({
        code: 'config_error',
        message: expect.stringMatching(/LUMOAUTH_TENANT or LUMOAUTH_ORG_ID/),
      }),
    )
  })

  it.each(['AGENT_CLIENT_ID', 'AGENT_CLIENT_SECRET'])(
    'throws config_error without %s',
    (variable) => {
      const env = { LUMOAUTH_TENANT: 'acme', ...credentials, [variable]: '' }

      expect(() => new LumoAuthAgent({ env })).toThrow(
        expect.objectContaining({
          code: 'config_error',
          message: expect.stringContaining(variable),
        }),
      )
    },
  )

  it('throws config_error for both names of the tenant at once', () => {
    expect(() => new LumoAuthAgent({ tenant: 'a', orgId: 'b', env: credentials })).toThrow(
      expect.objectContaining({ code: 'config_error' }),
    )
  })

  it('throws config_error for a URL that is not http or https', () => {
    expect(() => new LumoAuthAgent({ url: 'file:///etc', tenant: 'a', env: credentials })).toThrow(
      expect.objectContaining({ code: 'config_error' }),
    )
  })

  it.each(['xhttp://lumo.test', 'https-x://lumo.test', 'nowhere'])(
    'throws config_error for %s',
    (url) => {
      expect(() => new LumoAuthAgent({ url, tenant: 'a', env: credentials })).toThrow(
        expect.objectContaining({ code: 'config_error' }),
      )
    },
  )

  it.each([
    [{ LUMOAUTH_URL: `${issuer}//`, LUMOAUTH_TENANT: 'a' }, `${issuer}/t/a/api/v1`],
    [{ LUMOAUTH_URL: 'http://lumo.test', LUMOAUTH_TENANT: 'a' }, 'http://lumo.test/t/a/api/v1'],
    [{ LUMOAUTH_TENANT: 'acme' }, 'https://app.lumoauth.dev/t/acme/api/v1'],
    [{ LUMOAUTH_ORG_ID: 'acme' }, 'https://app.lumoauth.dev/orgs/acme/api/v1'],
    [{ LUMOAUTH_TENANT: 'acme', LUMOAUTH_ORG_ID: 'b' }, 'https://app.lumoauth.dev/t/acme/api/v1'],
    [{ LUMOAUTH_TENANT: '', LUMOAUTH_ORG_ID: 'b' }, 'https://app.lumoauth.dev/orgs/b/api/v1'],
    [{ LUMOAUTH_URL: `${issuer}/`, LUMOAUTH_TENANT: 'a/b' }, `${issuer}/t/a%2Fb/api/v1`],
  ])('reads %o as %s', (env, baseUrl) => {
    expect(new LumoAuthAgent({ env: { ...credentials, ...env } }).baseUrl).toBe(baseUrl)
  })

  it('prefers an option over the environment', () => {
    const env = { ...credentials, LUMOAUTH_URL: 'https://no.test', LUMOAUTH_TENANT: 'no' }

    const agent = new LumoAuthAgent({ url: issuer, orgId: 'yes', env })

    expect(agent.baseUrl).toBe(`${issuer}/orgs/yes/api/v1`)
  })
})

describe('authenticating', () => {
  it('sends the credentials in the form, and no Authorization header', async () => {
    const { world, agent } = signedUp({ scope: 'read:documents' })

    await agent.token()

    expect(world.received[0]).toMatchObject({
      token: undefined,
      json: {
        grant_type: 'client_credentials',
        client_id: 'report-bot',
        client_secret: secret,
        scope: 'read:documents',
      },
    })
  })

  it('requests no scope by default', async () => {
    const { world, agent } = signedUp()

    await agent.token()

    expect(world.received[0]?.json).not.toHaveProperty('scope')
  })

  it('forgetToken ignores a token that is not the cached one', async () => {
    const { agent } = signedUp()
    agent.forgetToken('unknown')
    const token = await agent.token()

    agent.forgetToken('unknown')

    expect(await agent.token()).toBe(token)
  })

  it('reports the error of the server, without a secret it echoes', async () => {
    const { world, agent } = signedUp()
    world.on('POST /oauth/token', () =>
      json(401, { error: 'invalid_client', error_description: `no client with ${secret}` }),
    )

    const error = await agent.token().catch((it) => it)

    expect(error).toMatchObject({
      code: 'authentication_error',
      status: 401,
      serverCode: 'invalid_client',
      description: 'no client with [hidden]',
    })
    expect(error.message).not.toContain(secret)
  })

  it('caches the token for a resource apart from the wide token', async () => {
    const { world, agent } = signedUp()
    const resource = 'https://api.test'

    const wide = await agent.token()
    const [first, second] = await Promise.all([
      agent.token({ resource }),
      agent.token({ resource }),
    ])
    agent.forgetToken(first)

    expect([first === wide, first === second]).toEqual([false, true])
    expect(await agent.token()).toBe(wide)
    expect(await agent.token({ resource })).not.toBe(first)
    expect(world.to('POST /oauth/token').map((it) => it.json.resource)).toEqual([
      undefined,
      resource,
      resource,
    ])
  })

  it('sends one request for concurrent calls', async () => {
    const { world, agent } = signedUp()

    const tokens = await Promise.all([agent.token(), agent.token(), agent.token()])

    expect(new Set(tokens).size).toBe(1)
    expect(world.lines()).toEqual(['POST /oauth/token'])
  })

  it('continues for other callers when one aborts', async () => {
    const { agent } = signedUp()
    const impatient = new AbortController()

    const first = agent.token({ signal: impatient.signal })
    const second = agent.token()
    impatient.abort(new Error('changed my mind'))

    await expect(first).rejects.toThrow('changed my mind')
    await expect(second).resolves.toBe('wide-token_1')
  })

  it('aborts the request when the last caller aborts', async () => {
    const { world, agent } = signedUp()
    const impatient = new AbortController()
    let ended = false
    world.on('POST /oauth/token', (it) => {
      it.signal.addEventListener('abort', () => {
        ended = true
      })
      queueMicrotask(() => impatient.abort(new Error('changed my mind')))
      return never(it)
    })

    await expect(agent.token({ signal: impatient.signal })).rejects.toThrow('changed my mind')

    expect(ended).toBe(true)
  })

  it('sends a new request for a caller after all others aborted', async () => {
    const { world, agent } = signedUp()
    const impatient = new AbortController()
    world.once('POST /oauth/token', never)

    const first = agent.token({ signal: impatient.signal }).catch((it) => it)
    await Promise.resolve()
    impatient.abort(new Error('changed my mind'))
    await first

    await expect(agent.token()).resolves.toMatch(/^wide-token/)
  })

  it('caches no failure', async () => {
    const { world, agent } = signedUp()
    world.once('POST /oauth/token', () => refusal(503, 'temporarily_unavailable'))

    await expect(agent.token()).rejects.toMatchObject({ code: 'api_error', status: 503 })

    await expect(agent.token()).resolves.toMatch(/^wide-token/)
  })

  it('renews the token 60 seconds before it expires', async () => {
    const { world, agent } = signedUp()
    const first = await agent.token()

    world.pass(3600 - 61)
    const kept = await agent.token()
    world.pass(1)
    const renewed = await agent.token()

    expect(kept).toBe(first)
    expect(renewed).not.toBe(first)
  })

  it('keeps a token with a lifetime of 60 seconds for half of it', async () => {
    const { world, agent } = signedUp()
    world.on('POST /oauth/token', () => json(200, { access_token: 'brief', expires_in: 60 }))

    await agent.token()
    world.pass(29)
    await agent.token()

    expect(world.received).toHaveLength(1)
  })

  it('renews a cached token once after a 401', async () => {
    const { world, agent } = signedUp()
    await agent.token()
    world.once('GET /oauth/userinfo', () => refusal(401, 'invalid_token'))
    world.on('GET /oauth/userinfo', ({ token }) =>
      token === 'wide-token_1' ? refusal(401, 'invalid_token') : json(200, { sub: 'agent:bot' }),
    )

    const info = await agent.userinfo()

    expect(info.sub).toBe('agent:bot')
    expect(world.to('POST /oauth/token')).toHaveLength(2)
  })

  it('does not renew a new token after a 401', async () => {
    const { world, agent } = signedUp()
    world.on('GET /oauth/userinfo', () => refusal(401, 'invalid_token'))

    await expect(agent.userinfo()).rejects.toMatchObject({ code: 'authentication_error' })

    expect(world.lines()).toEqual(['POST /oauth/token', 'GET /oauth/userinfo'])
  })

  it('renews once per call, never in a loop', async () => {
    const { world, agent } = signedUp()
    await agent.token()
    world.on('GET /oauth/userinfo', () => refusal(401, 'invalid_token'))

    await expect(agent.userinfo()).rejects.toMatchObject({ code: 'authentication_error' })

    expect(world.to('GET /oauth/userinfo')).toHaveLength(2)
  })
})

describe('calling the issuer', () => {
  afterEach(() => vi.useRealTimers())

  it.each([
    [401, 'authentication_error'],
    [403, 'permission_denied'],
    [404, 'not_found'],
    [429, 'rate_limited'],
    [400, 'api_error'],
    [500, 'api_error'],
    [503, 'api_error'],
  ])('turns %i into %s', async (status, code) => {
    const { world, agent } = signedUp()
    world.on('GET /oauth/userinfo', () => refusal(status, 'nope'))

    const error = await agent.userinfo().catch((it) => it)

    expect(error).toMatchObject({
      code,
      status,
      serverCode: 'nope',
      description: 'because of nope',
    })
  })

  it('throws api_error for an error body without error and message', async () => {
    const { world, agent } = signedUp()
    world.on('GET /oauth/userinfo', () => json(418, { error: true, message: null }))

    await expect(agent.userinfo()).rejects.toMatchObject({ code: 'api_error', status: 418 })
  })

  it.each(['', 'not json', '{}', '[]', '{"sub":7}'])(
    'throws invalid_answer for the response %j',
    async (text) => {
      const { world, agent } = signedUp()
      world.on('GET /oauth/userinfo', () => new Response(text))

      await expect(agent.userinfo()).rejects.toMatchObject({ code: 'invalid_answer' })
    },
  )

  it('names the call and the invalid member of its response', async () => {
    const { world, agent } = signedUp()
    const messages: string[] = []
    for (const text of ['{"sub":7}', '[]', 'null']) {
      world.on('GET /oauth/userinfo', () => new Response(text))
      messages.push((await agent.userinfo().catch((it) => it)).message)
    }

    expect(messages).toEqual([
      'GET /oauth/userinfo: unexpected answer; invalid members: sub',
      'GET /oauth/userinfo: unexpected answer; invalid members: the body',
      'GET /oauth/userinfo: unexpected answer; invalid members: the body',
    ])
  })

  it.each([199, 299, 300])('accepts the status %i as success', async (status) => {
    const { world, agent } = signedUp()
    const answer = new Response('{"sub":"bot"}')
    Object.defineProperty(answer, 'status', { value: status })
    world.on('GET /oauth/userinfo', () => answer)

    const { sub, code } = await agent.userinfo().catch((it) => it)

    expect([sub, code]).toEqual(status === 299 ? ['bot', undefined] : [undefined, 'api_error'])
  })

  it.each(['GET /oauth/userinfo', 'POST /oauth/token'])(
    'reads at most 1 MiB of a response to %s',
    async (line) => {
      const { world, agent } = signedUp()
      let stopped = false
      world.on(
        line,
        () =>
          new Response(
            new ReadableStream({
              pull: (controller) => controller.enqueue(new Uint8Array(2 ** 16).fill(120)),
              cancel: () => {
                stopped = true
              },
            }),
          ),
      )

      await expect(agent.userinfo()).rejects.toMatchObject({
        code: 'invalid_answer',
        message: `${line}: expected an answer of at most 1048576 bytes; the rest was not read`,
      })
      expect(stopped).toBe(true)
    },
  )

  it('rejects JSON that is nested deeper than 64 levels', async () => {
    const { world, agent } = signedUp()
    const more = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    world.on('GET /oauth/userinfo', () => new Response(`{"sub":"a","more":${more}}`))

    await expect(agent.userinfo()).rejects.toMatchObject({ code: 'invalid_answer' })
  })

  it('sends Accept: application/json, and Content-Type with a JSON body', async () => {
    const { world, jit, agent } = await atWork()
    world.on('GET /oauth/userinfo', () => json(200, { sub: 'bot' }))
    await agent.userinfo()
    await jit.requestPermission(reading('d'))
    const sent = (line: string) => {
      const { headers, text } = world.to(line)[0] ?? {}
      return [headers?.get('accept'), headers?.get('content-type'), text !== '']
    }

    expect(sent('GET /oauth/userinfo')).toEqual(['application/json', null, false])
    expect(sent('POST /jit/request')).toEqual(['application/json', 'application/json', true])
    expect(sent('POST /oauth/token')[1]).toMatch('application/x-www-form-urlencoded')
  })

  it('follows no redirect, which would carry the credentials elsewhere', async () => {
    const { world, agent } = signedUp()
    world.on('POST /oauth/token', () => Response.redirect('https://elsewhere.test/', 307))

    await expect(agent.token()).rejects.toMatchObject({ code: 'api_error', status: 307 })

    expect(world.received).toMatchObject([{ redirect: 'manual' }])
  })

  it('hides the token in a network_error', async () => {
    const { world, agent } = signedUp()
    world.on('GET /oauth/userinfo', ({ token }) => {
      throw new TypeError(`"Bearer ${token}" is an invalid header value`)
    })

    const error = await agent.userinfo().catch((it) => it)

    expect(error).toMatchObject({ code: 'network_error', cause: { name: 'TypeError' } })
    expect(error.cause.message).toBe('"Bearer [hidden]" is an invalid header value')
  })

  it('ends at the deadline, and leaves no timer', async () => {
    vi.useFakeTimers()
    const { world, agent } = signedUp({ deadline: 7 })
    world.on('POST /oauth/token', never)

    const outcome = expect(agent.token()).rejects.toMatchObject({ code: 'deadline_exceeded' })
    await vi.advanceTimersByTimeAsync(7000)

    await outcome
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ends at the deadline even if the fetch ignores its signal, and while a body is read', async () => {
    vi.useFakeTimers()
    const { world, agent } = signedUp()
    world.on('POST /oauth/token', () => new Response(new ReadableStream()))

    const outcome = expect(agent.token()).rejects.toMatchObject({ code: 'deadline_exceeded' })
    await vi.advanceTimersByTimeAsync(30_000)

    await outcome
  })

  it('leaves no timer after a success', async () => {
    vi.useFakeTimers()
    const { agent } = signedUp()

    await agent.token()

    expect(vi.getTimerCount()).toBe(0)
  })

  it('leaves no listener on a signal that outlives it', async () => {
    const { agent } = signedUp()
    const { signal } = new AbortController()

    await agent.token({ signal })

    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('sends nothing when the signal is already aborted', async () => {
    const { world, agent } = signedUp()

    await expect(
      agent.userinfo({ signal: AbortSignal.abort(new Error('too late')) }),
    ).rejects.toThrow('too late')

    expect(world.received).toEqual([])
  })
})
