import { describe, expect, it } from 'vitest'
import { Ledger } from '../../../../scenarios/targets/real/ledger.ts'
import {
  longestAnswer,
  RateLimitedFetch,
  type RateLimitedFetchOptions,
} from '../../../../scenarios/targets/real/rate-limited-fetch.ts'

const careful = (
  answer: (request: Request) => Response | Promise<Response>,
  options: Partial<RateLimitedFetchOptions> = {},
) =>
  new RateLimitedFetch({
    hosts: new Set(['issuer.test']),
    perMinute: 60_000,
    total: 100,
    timeout: 5,
    wait: 5,
    signal: new AbortController().signal,
    fetch: async (input, init) => answer(new Request(input, init)),
    ...options,
  })

const at = (path = '/') => new Request(`https://issuer.test${path}`)

describe('RateLimitedFetch', () => {
  it('rejects hosts that the target does not list', async () => {
    const http = careful(() => new Response('never'))

    await expect(http.fetch('https://evil.test/')).rejects.toThrow(
      'evil.test is not a host of this target; add hosts: [evil.test] to allow it',
    )
    expect(http.sent).toBe(0)
  })

  it.each(['http://issuer.test', 'http://issuer.test:443', 'https://issuer.test:8443'])(
    'does not take %s for https://issuer.test',
    async (origin) => {
      const http = careful(() => new Response('never'), {
        hosts: new Set(['https://issuer.test', 'issuer.test']),
      })

      await expect(http.fetch(`${origin}/`)).rejects.toThrow('is not a host of this target')
      expect(http.sent).toBe(0)
    },
  )

  it('allows an http origin that the target lists', async () => {
    const http = careful(() => new Response('ok'), { hosts: new Set(['http://issuer.test:8080']) })

    expect((await http.fetch('http://issuer.test:8080/')).status).toBe(200)
  })

  it('does not follow a redirect', async () => {
    const asked: string[] = []
    const http = careful(({ url, redirect }) => {
      asked.push(`${redirect} ${url}`)
      return new Response(null, { status: 302, headers: { location: 'https://evil.test/' } })
    })

    expect((await http.send(at())).status).toBe(302)
    expect(asked).toEqual(['manual https://issuer.test/'])
  })

  it('stops at the limit of requests, but still cleans up', async () => {
    const http = careful(() => new Response('ok'), { total: 2 })
    await http.send(at())
    await http.send(at())

    await expect(http.send(at())).rejects.toThrow('the limit of 2 requests is reached')
    expect((await http.send(at(), { urgent: true })).status).toBe(200)
  })

  it('repeats the request after Retry-After, not before', async () => {
    let round = 0
    const http = careful(() =>
      round++ === 0
        ? new Response(null, { status: 429, headers: { 'retry-after': '0.05' } })
        : new Response('ok'),
    )

    const started = performance.now()
    expect((await http.send(at())).status).toBe(200)
    expect(performance.now() - started).toBeGreaterThan(45)
  })

  it('does not wait longer than its limit', async () => {
    const http = careful(
      () => new Response(null, { status: 503, headers: { 'retry-after': '60' } }),
    )

    expect((await http.send(at())).status).toBe(503)
    expect(http.sent).toBe(1)
  })

  it('stops reading an endless answer', async () => {
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024)),
    })
    const http = careful(() => new Response(endless))

    await expect(http.send(at())).rejects.toThrow(
      `issuer.test answered with more than ${longestAnswer / 1024 / 1024} MiB; the rest was not read`,
    )
  })

  it('stops waiting for an answer after the timeout', async () => {
    const http = careful(
      ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason))
        }),
      { timeout: 0.05 },
    )

    await expect(http.send(at())).rejects.toThrow('issuer.test gave no answer within 0.05 s')
  })

  it.each([
    ['ENOTFOUND', 'was not found'],
    ['ECONNREFUSED', 'refuses connections'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'the certificate of issuer.test is not trusted'],
    ['CERT_HAS_EXPIRED', 'the certificate of issuer.test is not trusted'],
  ])('explains %s in one line', async (code, says) => {
    const cause = Object.assign(new Error('as the system says it'), { code })
    const http = careful(() => Promise.reject(new TypeError('fetch failed', { cause })))

    await expect(http.send(at())).rejects.toThrow(says)
  })

  it('sends no further request after an interruption', async () => {
    const interrupted = new AbortController()
    const http = careful(() => new Response('ok'), { signal: interrupted.signal })
    interrupted.abort()

    await expect(http.send(at())).rejects.toThrow('interrupted')
    expect((await http.send(at(), { urgent: true })).status).toBe(200)
  })

  it('waits for the answer of a creating request even after an interruption', async () => {
    const interrupted = new AbortController()
    const late = ({ signal }: Request) =>
      new Promise<Response>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
        interrupted.abort()
        setImmediate(() => resolve(Response.json({ task_id: 'task_1' }, { status: 201 })))
      })
    const http = careful(late, { signal: interrupted.signal })

    const opened = await http.send(new Request(at('/jit/task'), { method: 'POST' }))

    expect(await opened.json()).toEqual({ task_id: 'task_1' })
  })

  it('aborts reading requests on an interruption', async () => {
    const interrupted = new AbortController()
    const never = ({ signal }: Request) =>
      new Promise<Response>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
        interrupted.abort()
      })

    await expect(careful(never, { signal: interrupted.signal }).send(at())).rejects.toThrow(
      'interrupted',
    )
  })
})

describe('the ledger of created tasks', () => {
  const agents = [{ name: 'bot', agent_id: '', client_id: 'bot', client_secret: 's' }]
  const opening = (token: string) =>
    new Request('https://issuer.test/t/acme/api/v1/jit/task', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    })
  const opened = (task_id: string) => Response.json({ task_id }, { status: 201 })

  it('completes tasks newest first, and reports the remaining ones', async () => {
    const sent: string[] = []
    const ledger = new Ledger(agents, async ({ url }) => {
      sent.push(new URL(url).pathname)
      return new Response(null, { status: url.includes('second') ? 500 : 200 })
    })
    for (const id of ['first', 'second', 'third']) await ledger.note(opening('t'), opened(id), {})

    const left = await ledger.close()

    const completed = sent.map((path) => /task\/(\w+)\/complete/.exec(path)?.[1])
    expect(completed).toEqual(['third', 'second', 'first'])
    expect(left).toEqual(['the task second is not completed: complete answered 500'])
  })

  it('forgets completed tasks, and does not report ended ones', async () => {
    const ledger = new Ledger(agents, async () =>
      Response.json({ error: 'task_not_active' }, { status: 400 }),
    )
    await ledger.note(opening('t'), opened('one'), {})
    await ledger.note(opening('t'), opened('two'), {})
    const completing = new Request('https://issuer.test/t/acme/api/v1/jit/task/one/complete', {
      method: 'POST',
    })
    await ledger.note(completing, Response.json({}), {})

    expect(ledger.open).toBe(1)
    expect(await ledger.close()).toEqual([])
  })

  it('requests a new token where the token of a task has expired', async () => {
    const ledger = new Ledger(agents, async (request) => {
      if (request.url.endsWith('/oauth/token')) return Response.json({ access_token: 'fresh' })
      const isFresh = request.headers.get('authorization') === 'Bearer fresh'
      return new Response(null, { status: isFresh ? 200 : 401 })
    })
    await ledger.note(opening('stale'), opened('one'), {})

    expect(await ledger.close()).toEqual([])
  })

  it('reports tasks whose answers never arrived', async () => {
    const ledger = new Ledger(agents, async () => new Response())
    await ledger.note(opening('t'), undefined, {})

    expect(await ledger.close()).toEqual([
      '1 requests for a task returned no id; these tasks may be open',
    ])
  })
})
