import { createHarness, type HarnessOptions } from '../../../server/index.ts'
import { bearer, openTask, serve } from '../../support/signed-in.ts'

/** The users of each tenant: two approvers, and one who may not approve. */
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
  const { requests } = await serve(harness)
  /** Requests to the issuer's origin, without credentials. */
  const request = requests()
  const control = requests(origin, bearer(harness.controlToken))
  const codeFor = async (user: string, more: object = {}) => {
    const path = '/_harness/tenants/acme/console-link'
    const { body } = await control.post(path).send({ user, ...more })
    return new URL(body.url).hash.replace('#code=', '')
  }

  /** A browser that signs in with `proof`: a code or the control token. */
  const browser = async (proof: object) => {
    const opened = await request.post('/console/acme/session').set({ origin }).send(proof)
    const { status, headers, body: session } = opened
    const cookie: string = headers['set-cookie']?.[0]?.split(';')[0] ?? ''
    const own: Headers = { origin, cookie, 'x-csrf-token': session.csrf_token ?? '' }
    return { status, headers, session, own, request: requests(origin, own) }
  }

  /** An agent with a pending request. */
  const asked = async (detail: object = { type: 'user_data', actions: ['read'] }, more = {}) => {
    const [tenant] = harness.tenants
    const { client_id, client_secret } = tenant?.agents[0] ?? {}
    const base = `${origin}/t/acme/api/v1`
    const granted = await requests(base)
      .post('/oauth/token')
      .type('form')
      .send({ grant_type: 'client_credentials', client_id, client_secret })
    const token: string = granted.body.access_token
    const agent = requests(base, bearer(token))
    const taskId = await openTask(agent, { name: 'Q4 report' })
    const { body } = await agent
      .post('/jit/request')
      .send({ task_id: taskId, authorization_details: detail, ...more })
    const requestId: string = body.request_id
    return {
      taskId,
      requestId,
      token,
      status: async () => (await agent.get(`/jit/request/${requestId}/status`)).body,
      exchange: async () => (await agent.post(`/jit/request/${requestId}/token`)).body,
      complete: async () => (await agent.post(`/jit/task/${taskId}/complete`)).body,
    }
  }

  return {
    harness,
    origin,
    requests,
    request,
    control,
    codeFor,
    browser,
    asked,
    /** The event stream, which never ends by itself. */
    events: (headers: Headers) => harness.fetch(`${origin}/console/acme/events`, { headers }),
    signedInAs: async (user: string, more: object = {}) =>
      browser({ code: await codeFor(user, more) }),
    [Symbol.asyncDispose]: () => harness.close(),
  }
}

/** The events of a stream, read one by one. */
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
  /** The next event of this type; undefined when the stream ends first. */
  const nextOf = async (kind: string) => {
    for (;;) {
      const event = await next()
      if (event === undefined || event.event === kind) return event
    }
  }
  return { next, nextOf, cancel: () => reader?.cancel() }
}
