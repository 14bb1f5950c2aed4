import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Fetch, LumoAuthAgent } from '../../client/index.ts'
import { createJitFetch } from '../../client/jit-fetch.ts'
import { encodeChallenge } from '../../server/wire/challenge.ts'
import { createWorld, issuer } from './world.ts'

// The cases of the web-platform tests (`fetch/api/**`) for `fetch(request, init)` that apply
// outside of a browser, under their names there. Each runs through an escalation, and with the
// `fetch` of Node beside it: both must show what the case expects.

/** Challenges every request without a JIT token, then returns what it received or redirects. */
const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const url = new URL(request.url ?? '', 'http://host')
  const body = await readText(request)
  if (/^Bearer wide-token/.test(request.headers.authorization ?? '')) {
    const detail = { type: 'file_access', actions: ['read'], identifier: 'echo' }
    response
      .writeHead(403, { 'insufficient-authorization-details': encodeChallenge(detail) })
      .end('{}')
    return
  }
  const status = Number(url.searchParams.get('status') ?? 200)
  const left = Number(url.searchParams.get('left') ?? 1)
  if (url.pathname === '/redirect' && left > 0) {
    const location = left === 1 ? '/echo' : `/redirect?status=${status}&left=${left - 1}`
    response.writeHead(status, { location }).end()
    return
  }
  const { 'content-type': type, 'x-own': own, 'content-language': language } = request.headers
  const received = JSON.stringify({
    method: request.method,
    path: url.pathname,
    type: type ?? null,
    own,
    language,
    body,
  })
  const empty = request.method === 'HEAD' || status === 204 || status === 205
  response.writeHead(url.pathname === '/redirect' ? 200 : status, {
    'content-type': 'application/json',
  })
  response.end(empty ? undefined : received)
}

let server: Server
let origin: string
let jitFetch: Fetch

beforeAll(async () => {
  server = createServer((request, response) => {
    answer(request, response).catch((error) => response.destroy(error))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const world = createWorld()
  const agent = new LumoAuthAgent({
    url: issuer,
    tenant: 'acme',
    clientId: 'report-bot',
    clientSecret: 'secret',
    env: {},
    now: world.now,
    sleep: world.sleep,
    fetch: async (input, init) =>
      (String(input).startsWith(issuer) ? world : globalThis).fetch(input, init),
  })
  const jit = await agent.jit()
  jitFetch = createJitFetch(jit, { origins: [origin], allow: () => true })
})

afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

/** Node's `fetch` with a sufficient token from the start: what `jit.fetch` is compared with. */
const plainFetch: Fetch = (input, init) => fetch(input, init)

const fetches = () => [['jit.fetch', jitFetch] as const, ['fetch', plainFetch] as const]

type Seen = Readonly<{
  status: number
  redirected: boolean
  path: string
  received: Record<string, unknown> | undefined
}>

const look = async (response: Response): Promise<Seen> => {
  const { status, redirected, url } = response
  const text = await response.text()
  return {
    status,
    redirected,
    path: new URL(url).pathname,
    received: text === '' ? undefined : JSON.parse(text),
  }
}

/**
 * A request to which both must give the expected response. `make` gives fresh arguments: bodies are
 * used up.
 */
const both = async (
  make: () => Readonly<Parameters<Fetch>>,
  expected: { status?: number; redirected?: boolean; path?: string; received?: object },
) => {
  const seen = []
  for (const [name, send] of fetches()) {
    const outcome = await look(await send(...make()))
    expect(outcome, name).toMatchObject(expected)
    seen.push(outcome)
  }
  expect(seen[0]).toEqual(seen[1])
}

const bothReject = async (make: () => Readonly<Parameters<Fetch>>, error: { name: string }) => {
  for (const [name, send] of fetches()) {
    const thrown = await send(...make()).catch((it: unknown) => it)
    expect(thrown, name).toMatchObject(error)
  }
}

const streamOf = (...chunks: unknown[]) =>
  new ReadableStream({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })

const bytes = (text: string) => new TextEncoder().encode(text)
const echo = () => `${origin}/echo`
const post = (body: unknown) => ({ method: 'POST', body, duplex: 'half' }) as RequestInit

describe('fetch/api/basic/request-upload.any.js', () => {
  const four = '\0\0\0\0'
  it.each<[string, () => unknown, string]>([
    ['Fetch with POST with text body', () => "Request's body", "Request's body"],
    [
      'Fetch with POST with URLSearchParams body',
      () => new URLSearchParams('name=value'),
      'name=value',
    ],
    ['Fetch with POST with Blob body', () => new Blob(['Test']), 'Test'],
    ['Fetch with POST with ArrayBuffer body', () => new ArrayBuffer(4), four],
    ['Fetch with POST with Uint8Array body', () => new Uint8Array(4), four],
    ['Fetch with POST with Int8Array body', () => new Int8Array(4), four],
    ['Fetch with POST with Float32Array body', () => new Float32Array(1), four],
    ['Fetch with POST with Float64Array body', () => new Float64Array(1), four + four],
    ['Fetch with POST with DataView body', () => new DataView(new ArrayBuffer(8), 0, 4), four],
    [
      'Fetch with POST with Blob body with mime type',
      () => new Blob(['Test'], { type: 'text/maybe' }),
      'Test',
    ],
    ['Fetch with POST with ReadableStream', () => streamOf(bytes('Test')), 'Test'],
  ])('%s', async (_, body, expected) => {
    await both(() => [echo(), post(body())], { received: { method: 'POST', body: expected } })
  })

  it('Fetch with PUT with body', async () => {
    await both(() => [echo(), { method: 'PUT', body: "Request's body" }], {
      received: { method: 'PUT', body: "Request's body" },
    })
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['number', 99],
    ['Blob', new Blob([])],
  ])('Fetch with POST with ReadableStream containing %s', async (_, chunk) => {
    await bothReject(() => [echo(), post(streamOf(chunk))], { name: 'TypeError' })
  })

  it('Fetch with POST with ReadableStream containing ArrayBuffer', async () => {
    // Node's `fetch` differs from the standard here: it sends the bytes.
    await expect(jitFetch(echo(), post(streamOf(new ArrayBuffer(0))))).rejects.toThrow(TypeError)
  })
})

describe('fetch/api/request/request-error.any.js', () => {
  it.each<[string, (url: string) => readonly [string, RequestInit?]]>([
    ["RequestInit's method is invalid", (url) => [url, { method: 'IN VALID' }]],
    ["RequestInit's method is forbidden", (url) => [url, { method: 'TRACE' }]],
    ["RequestInit's mode is invalid", (url) => [url, { mode: 'invalid' as never }]],
    [
      "RequestInit's cache mode is only-if-cached and mode is not same-origin",
      (url) => [url, { cache: 'only-if-cached', mode: 'cors' }],
    ],
    ["RequestInit's redirect is invalid", (url) => [url, { redirect: 'invalid' as never }]],
    ["RequestInit's referrer is invalid", (url) => [url, { referrer: 'http://:invalid' }]],
    [
      "RequestInit's referrerPolicy is invalid",
      (url) => [url, { referrerPolicy: 'invalid' as never }],
    ],
    [
      "RequestInit's credentials mode is invalid",
      (url) => [url, { credentials: 'invalid' as never }],
    ],
    ['Input URL has credentials', (url) => [url.replace('//', '//user:pass@')]],
    ["RequestInit's window is not null", (url) => [url, { window: 'http://test' as never }]],
    ['RequestInit has a body with GET', (url) => [url, { method: 'GET', body: 'body' }]],
    ['RequestInit has a body with HEAD', (url) => [url, { method: 'HEAD', body: 'body' }]],
  ])('%s', async (_, args) => {
    await bothReject(() => args(echo()), { name: 'TypeError' })
  })

  it('Request should get its content-type from the init request', async () => {
    const make = () =>
      [new Request(echo(), { method: 'POST', headers: { 'content-type': 'potato' } })] as const
    await both(make, { received: { type: 'potato' } })
  })

  it('Request should not get its content-type from the init request if init headers are provided', async () => {
    const make = () =>
      [
        new Request(echo(), { method: 'POST', headers: { 'content-type': 'potato' } }),
        { headers: { 'x-own': 'yes' } },
      ] as const
    await both(make, { received: { own: 'yes', type: null } })
  })

  it('Request should get its content-type from the body if none is provided', async () => {
    const make = () => [new Request(echo(), { method: 'POST', body: 'this is my plate' })] as const
    await both(make, { received: { type: 'text/plain;charset=UTF-8', body: 'this is my plate' } })
  })

  it('Request should get its content-type from init headers if one is provided', async () => {
    const init = { method: 'POST', body: 'this is my plate', headers: { 'content-type': 'potato' } }
    await both(() => [new Request(echo(), init)], { received: { type: 'potato' } })
  })
})

describe('fetch/api/request/request-constructor-init-body-override.any.js', () => {
  it('Check that the body of a new request can be overridden when created from an existing Request object', async () => {
    const make = () =>
      [new Request(echo(), { method: 'POST', body: 'req1' }), { body: 'req2' }] as const
    await both(make, { received: { body: 'req2' } })
  })
})

describe('fetch/api/request/request-init-stream.any.js', () => {
  it('It is OK to omit .duplex when the body is null.', async () => {
    await both(() => [echo(), { method: 'POST', body: null }], { received: { body: '' } })
  })

  it('The body of the Request is kept when init.body is null', async () => {
    const make = () =>
      [new Request(echo(), { method: 'PUT', body: 'kept' }), { body: null }] as const
    await both(make, { received: { body: 'kept' } })
  })

  it('Constructing a Request with a stream on which getReader() is called', async () => {
    const locked = () => {
      const body = streamOf(bytes('x'))
      body.getReader()
      return [echo(), post(body)] as const
    }
    await bothReject(locked, { name: 'TypeError' })
  })

  it('Constructing a Request with a stream on which read() and releaseLock() are called', async () => {
    for (const [name, send] of fetches()) {
      const body = streamOf(bytes('lost'), bytes('kept'))
      const reader = body.getReader()
      await reader.read()
      reader.releaseLock()
      expect(await send(echo(), post(body)).catch((it: unknown) => it), name).toBeInstanceOf(
        TypeError,
      )
    }
  })

  it('Constructing a Request with a Request on which read() and releaseLock() are called', async () => {
    for (const [name, send] of fetches()) {
      const request = new Request(echo(), { method: 'POST', body: '...' })
      const reader = request.body?.getReader()
      await reader?.read()
      reader?.releaseLock()
      expect(await send(request).catch((it: unknown) => it), name).toBeInstanceOf(TypeError)
    }
  })
})

describe('fetch/api/request/request-disturbed.any.js', () => {
  it("Request's body: bodyUsed is true after fetch, and a second fetch is a TypeError", async () => {
    for (const [name, send] of fetches()) {
      const request = new Request(echo(), { method: 'POST', body: 'once' })
      await look(await send(request))
      expect(request.bodyUsed, name).toBe(true)
      expect(await send(request).catch((it: unknown) => it), name).toBeInstanceOf(TypeError)
    }
  })
})

describe('fetch/api/basic/request-headers-case.any.js, request-head.any.js', () => {
  it.each(['get', 'Head', 'pOst', 'put', 'delete', 'options'])(
    'the method %s is sent in upper case',
    async (method) => {
      const upper = method.toUpperCase()
      await both(
        () => [echo(), { method }],
        upper === 'HEAD' ? {} : { received: { method: upper } },
      )
    },
  )

  // In upper case, as Node's HTTP parser rejects methods it does not know.
  it.each(['PATCH', 'PURGE'])('the method %s is sent as it is', async (method) => {
    await both(() => [echo(), { method }], { received: { method } })
  })
})

describe('fetch/api/response/response-status, response-consume-empty', () => {
  it.each([200, 201, 204, 205, 400, 404, 418, 500, 503])(
    'status %d is the answer',
    async (status) => {
      await both(() => [`${echo()}?status=${status}`], { status })
    },
  )
})

describe('fetch/api/redirect/redirect-method.any.js', () => {
  it('Response.redirected should be false on not-redirected responses', async () => {
    await both(() => [echo()], { redirected: false })
  })

  const cases = [301, 302, 303, 307, 308].flatMap((status) =>
    ['GET', 'POST', 'HEAD', 'PUT'].map((method) => [status, method] as const),
  )

  it.each(cases)('Redirect %d with %s', async (status, method) => {
    const body = method === 'POST' || method === 'PUT' ? { body: 'this is my body' } : {}
    const headers = { 'content-language': 'en-US' }
    const changes =
      (status === 303 && method !== 'GET' && method !== 'HEAD') ||
      (status < 303 && method === 'POST')
    await both(() => [`${origin}/redirect?status=${status}`, { method, headers, ...body }], {
      status: 200,
      redirected: true,
      path: '/echo',
      ...(method === 'HEAD'
        ? {}
        : {
            received: {
              method: changes ? 'GET' : method,
              body: changes ? '' : (body.body ?? ''),
              ...(changes ? {} : { language: 'en-US' }),
            },
          }),
    })
  })

  it.each([307, 308])('Redirect %d with POST (blob body)', async (status) => {
    await both(() => [`${origin}/redirect?status=${status}`, post(new Blob(['a', 'b']))], {
      received: { method: 'POST', body: 'ab' },
    })
  })
})

describe('fetch/api/redirect/redirect-count.any.js', () => {
  it.each([301, 302, 303, 307, 308])('Redirect %d 20 times', async (status) => {
    await both(() => [`${origin}/redirect?status=${status}&left=20`], { path: '/echo' })
  })

  it.each([301, 302, 303, 307, 308])('Redirect %d 21 times', async (status) => {
    const url = `${origin}/redirect?status=${status}&left=21`
    await expect(plainFetch(url)).rejects.toBeInstanceOf(TypeError)
    await expect(jitFetch(url)).rejects.toMatchObject({ code: 'redirect_refused' })
  })
})

describe('fetch/api/redirect/redirect-mode.any.js', () => {
  it.each([301, 302, 303, 307, 308])('same-origin redirect %d in error mode', async (status) => {
    const url = `${origin}/redirect?status=${status}`
    await expect(plainFetch(url, { redirect: 'error' })).rejects.toBeInstanceOf(TypeError)
    await expect(jitFetch(url, { redirect: 'error' })).rejects.toMatchObject({
      code: 'redirect_refused',
    })
  })

  it.each([301, 302, 303, 307, 308])('same-origin redirect %d in manual mode', async (status) => {
    const make = () => [`${origin}/redirect?status=${status}`, { redirect: 'manual' }] as const
    await both(make, { status, redirected: false, path: '/redirect' })
  })
})

describe('fetch/api/abort/general.any.js', () => {
  const aborted = () => {
    const controller = new AbortController()
    controller.abort()
    return controller.signal
  }

  it('Aborting rejects with AbortError', async () => {
    await bothReject(() => [echo(), { signal: aborted() }], { name: 'AbortError' })
  })

  it('Aborting rejects with abort reason', async () => {
    for (const [, send] of fetches()) {
      const reason = new Error('mine')
      await expect(send(echo(), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    }
  })

  it('TypeError from request constructor takes priority', async () => {
    const make = () => [echo(), { method: 'TRACE', signal: aborted() }] as const
    await bothReject(make, { name: 'TypeError' })
  })

  it('Signal on request object', async () => {
    await bothReject(() => [new Request(echo(), { signal: aborted() })], { name: 'AbortError' })
  })

  it('Signal on request object created from request object', async () => {
    const make = () => [new Request(new Request(echo(), { signal: aborted() }))] as const
    await bothReject(make, { name: 'AbortError' })
  })

  it('Signal retained after unrelated properties are overridden by fetch', async () => {
    const make = () => [new Request(echo(), { signal: aborted() }), { method: 'POST' }] as const
    await bothReject(make, { name: 'AbortError' })
  })

  it('Signal removed by setting to null', async () => {
    const make = () => [new Request(echo(), { signal: aborted() }), { signal: null }] as const
    await both(make, { status: 200 })
  })

  it("Request is still 'used' if signal is aborted before fetching", async () => {
    for (const [name, send] of fetches()) {
      const request = new Request(echo(), { method: 'POST', body: 'foo', signal: aborted() })
      await send(request).catch(() => undefined)
      expect(request.bodyUsed, name).toBe(true)
    }
  })

  it.each(['arrayBuffer', 'blob', 'json', 'text', 'bytes'] as const)(
    'response.%s() rejects if already aborted',
    async (read) => {
      for (const [name, send] of fetches()) {
        const controller = new AbortController()
        const response = await send(echo(), { signal: controller.signal })
        controller.abort()
        expect(await response[read]().catch((it: unknown) => it), name).toMatchObject({
          name: 'AbortError',
        })
      }
    },
  )

  it('Already aborted signal can be used for many fetches', async () => {
    const signal = aborted()
    for (const [, send] of fetches()) {
      for (const _ of [1, 2, 3]) {
        await expect(send(echo(), { signal })).rejects.toMatchObject({ name: 'AbortError' })
      }
    }
  })

  it('Readable stream cancels with AbortError if aborted before reading', async () => {
    for (const [name, send] of fetches()) {
      let reason: unknown
      const body = new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array([42])),
        cancel: (it) => {
          reason = it
        },
      })
      const thrown = await send(echo(), { ...post(body), signal: aborted() }).catch(
        (it: unknown) => it,
      )
      expect(thrown, name).toMatchObject({ name: 'AbortError' })
      expect(reason, name).toBe(thrown)
    }
  })
})

describe('objects of other realms and other copies of undici', () => {
  it('sends a stream whose bytes are those of another realm', async () => {
    const chunk = runInNewContext('Uint8Array.of(84, 101, 115, 116)')
    expect(chunk).not.toBeInstanceOf(Uint8Array)

    const response = await jitFetch(echo(), post(streamOf(chunk)))

    expect(await response.json()).toMatchObject({ body: 'Test' })
  })

  it('recognizes a Request by its members, not by its class', async () => {
    const own = new Request(echo(), { method: 'PUT', body: 'Test', headers: { 'x-own': 'yes' } })
    const foreign = new Proxy(
      {},
      {
        get: (_, key) => {
          const value = Reflect.get(own, key)
          return typeof value === 'function' ? value.bind(own) : value
        },
        has: (_, key) => key in own,
      },
    )
    expect(foreign).not.toBeInstanceOf(Request)

    const response = await jitFetch(foreign as Request)

    expect(await response.json()).toMatchObject({ method: 'PUT', own: 'yes', body: 'Test' })
  })

  it('calls a given fetch without a receiver, as browsers require of theirs', async () => {
    const world = createWorld()
    const receivers: unknown[] = []
    async function picky(this: unknown, ...args: Parameters<Fetch>) {
      receivers.push(this)
      return world.fetch(...args)
    }
    const agent = new LumoAuthAgent({
      url: issuer,
      tenant: 'acme',
      clientId: 'a',
      clientSecret: 'b',
      env: {},
      fetch: picky,
      now: world.now,
    })

    await agent.token()

    expect(receivers).toEqual([undefined])
  })
})
