import { createHarness, type HarnessOptions } from '../../../server/index.ts'

/** Whom a tenant of these tests knows: two approvers, and one person who is none. */
export const users = [
  { email: 'ada@example.com', name: 'Ada', permissions: ['jit.approve'] },
  { email: 'grace@example.com', name: 'Grace', permissions: ['jit.approve'] },
  { email: 'alice@example.com', name: 'Alice' },
]

type Headers = Record<string, string>
// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
type Json = any

/** A harness without sockets, and browsers that keep their cookie and their CSRF token. */
export const createWorld = async (options: HarnessOptions = {}) => {
  const harness = await createHarness({
    listen: false,
    controlToken: 'the-control-token',
    tenants: [{ tenant: 'acme', users }],
    ...options,
  })
  const origin = harness.issuer

  const send = async (line: string, body?: unknown, headers: Headers = {}) => {
    const [method = '', path = ''] = line.split(' ')
    const response = await harness.fetch(origin + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return response
  }
  const control = async (line: string, body?: unknown) => {
    const response = await send(line, body, { authorization: 'Bearer the-control-token' })
    const text = await response.text()
    return (text === '' ? undefined : JSON.parse(text)) as Json
  }
  const codeFor = async (user: string, more: object = {}) => {
    const { url } = await control('POST /_harness/tenants/acme/console-link', { user, ...more })
    return new URL(url).hash.replace('#code=', '')
  }

  /** A browser that is signed in, by what is shown at the door. */
  const browser = async (proof: object) => {
    const opened = await send('POST /console/acme/session', proof, { origin })
    const session = (await opened.json()) as Json
    const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? ''
    const own: Headers = { origin, cookie, 'x-csrf-token': session.csrf_token ?? '' }
    const ask = async (line: string, body?: unknown, more: Headers = {}) => {
      const response = await send(line, body, { ...own, ...more })
      const text = await response.text()
      return {
        status: response.status,
        headers: response.headers,
        body: (text.startsWith('{') ? JSON.parse(text) : text) as Json,
      }
    }
    return { status: opened.status, headers: opened.headers, session, own, ask }
  }

  /** An agent with a request that waits for a person. */
  const asked = async (detail: object = { type: 'user_data', actions: ['read'] }, more = {}) => {
    const [agent] = harness.tenants[0]?.agents ?? []
    const base = '/t/acme/api/v1'
    const granted = await harness.fetch(`${origin}${base}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: agent?.client_id ?? '',
        client_secret: agent?.client_secret ?? '',
      }),
    })
    const { access_token: token } = (await granted.json()) as Json
    const call = async (line: string, body?: unknown) => {
      const response = await send(line, body, { authorization: `Bearer ${token}` })
      return (await response.json()) as Json
    }
    const { task_id: taskId } = await call(`POST ${base}/jit/task`, { name: 'Q4 report' })
    const { request_id: requestId } = await call(`POST ${base}/jit/request`, {
      task_id: taskId,
      authorization_details: detail,
      ...more,
    })
    return {
      taskId,
      requestId,
      token,
      status: () => call(`GET ${base}/jit/request/${requestId}/status`),
      exchange: () => call(`POST ${base}/jit/request/${requestId}/token`),
      complete: () => call(`POST ${base}/jit/task/${taskId}/complete`),
    }
  }

  return {
    harness,
    origin,
    send,
    control,
    codeFor,
    browser,
    asked,
    signedInAs: async (user: string, more: object = {}) =>
      browser({ code: await codeFor(user, more) }),
    [Symbol.asyncDispose]: () => harness.close(),
  }
}

/** The events of a stream as they come, read one by one. */
export const eventsOf = (response: Response) => {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let buffer = ''
  const next = async (): Promise<{ id?: string; event: string; data: Json } | undefined> => {
    for (;;) {
      const end = buffer.indexOf('\n\n')
      if (end >= 0) {
        const fields = Object.fromEntries(
          buffer
            .slice(0, end)
            .split('\n')
            .map((line) => line.split(/: (.*)/s)),
        )
        buffer = buffer.slice(end + 2)
        if (fields.data !== undefined) return { ...fields, data: JSON.parse(fields.data) }
        continue
      }
      const { value, done } = (await reader?.read()) ?? { done: true }
      if (done) return undefined
      buffer += value
    }
  }
  /** The next event of a kind; undefined when the stream ends before. */
  const nextOf = async (kind: string) => {
    for (;;) {
      const event = await next()
      if (event === undefined || event.event === kind) return event
    }
  }
  return { next, nextOf, cancel: () => reader?.cancel() }
}
