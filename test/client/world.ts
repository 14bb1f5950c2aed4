import { type AgentOptions, type JitOptions, LumoAuthAgent } from '../../client/index.ts'
import { type AuthorizationDetail, anyCovers } from '../../server/wire/authorization-detail.ts'
import { encodeChallenge } from '../../server/wire/challenge.ts'

/** One request as the world received it. */
export type Received = Readonly<{
  /** Method and path; for the issuer without its prefix. */
  line: string
  url: URL
  headers: Headers
  token: string | undefined
  text: string
  json: Record<string, unknown>
  redirect: string
  signal: AbortSignal
}>

type Handler = (received: Received) => Response | Promise<Response>

export const issuer = 'https://issuer.test'
export const api = 'https://api.test'
export const elsewhere = 'https://elsewhere.test'
export const secret = 'the-agents-client-secret'

export const reading = (identifier: string): AuthorizationDetail => ({
  type: 'file_access',
  actions: ['read'],
  identifier,
})

export const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  })

export const refusal = (status: number, error: string, headers: Record<string, string> = {}) =>
  json(status, { error, error_description: `because of ${error}` }, headers)

export const challenge = (detail: AuthorizationDetail) =>
  json(
    403,
    { error: 'insufficient_authorization_details', error_description: 'more is needed' },
    { 'insufficient-authorization-details': encodeChallenge(detail) },
  )

/** The error of Node's `fetch` when no connection is made. */
export const networkFailure = () =>
  new TypeError('fetch failed', {
    cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
  })

/** Never responds; rejects when the caller aborts. */
export const never: Handler = ({ signal }) =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })

/**
 * An issuer, an API and some other site as one `fetch` function, with a clock that moves only while
 * a caller sleeps. `/v1/documents/ID` requires a `file_access` detail to read or write ID.
 */
export const createWorld = () => {
  const received: Received[] = []
  const slept: number[] = []
  const handlers = new Map<string, Handler>()
  const grants = new Map<string, readonly AuthorizationDetail[]>()
  const requests = new Map<string, Record<string, unknown>>()
  let time = 1_800_000_000
  let count = 0
  const id = (prefix: string) => {
    count += 1
    return `${prefix}_${count}`
  }
  const world = {
    received,
    slept,
    /** The status of a permission request after `afterPolls` polls. */
    decision: 'approved' as string,
    afterPolls: 0,
    now: () => time,
    sleep: async (seconds: number, signal?: AbortSignal) => {
      signal?.throwIfAborted()
      slept.push(seconds)
      time += seconds
      world.whileSleeping()
      signal?.throwIfAborted()
    },
    whileSleeping: () => {},
    pass: (seconds: number) => {
      time += seconds
    },
    /** Handles this line from now on. */
    on: (line: string, handler: Handler) => {
      handlers.set(line, handler)
    },
    /** Handles this line once; afterwards the previous handler does. */
    once: (line: string, ...answers: Handler[]) => {
      const before = handlers.get(line)
      handlers.set(line, (it) => {
        const next = answers.shift()
        if (next) return next(it)
        return (before ?? usual)(it)
      })
    },
    usual: (it: Received) => usual(it),
    lines: () => received.map(({ line }) => line),
    to: (line: string) => received.filter((it) => it.line === line),
    fetch: (async (input: string | URL | Request, init: RequestInit = {}) => {
      const request = new Request(input, init)
      request.signal.throwIfAborted()
      const it = await receivedFrom(request)
      received.push(it)
      return (handlers.get(it.line) ?? usual)(it)
    }) as typeof fetch,
  }

  const usual: Handler = (it) => {
    if (it.url.origin === issuer) return issuing(it)
    if (it.url.origin === api) return guarded(it)
    return new Response('elsewhere')
  }

  const issuing: Handler = ({ line, json: body, token }) => {
    if (line === 'POST /oauth/token') {
      const value = id('wide-token')
      grants.set(value, [])
      return json(200, { access_token: value, token_type: 'Bearer', expires_in: 3600 })
    }
    if (token === undefined || !grants.has(token)) return refusal(401, 'invalid_token')
    const [, requestId = '', step] = /^\w+ \/jit\/request\/(\w+)\/(\w+)$/.exec(line) ?? []
    if (line === 'POST /jit/task') return json(201, { task_id: id('task') })
    if (line === 'POST /jit/request') {
      const request = {
        request_id: id('jit'),
        status: world.afterPolls > 0 ? 'pending' : world.decision,
        risk_level: 'low',
        authorization_details: body.authorization_details,
        ttl: body.requested_ttl,
        polls: 0,
      }
      requests.set(request.request_id, request)
      return json(201, request)
    }
    const request = requests.get(requestId)
    if (step === 'status' && request) {
      request.polls = Number(request.polls) + 1
      if (Number(request.polls) >= world.afterPolls) request.status = world.decision
      return json(200, { ...request, review_notes: 'not during the audit' })
    }
    if (step === 'token' && request) {
      if (request.exchanged) return refusal(403, 'already_exchanged')
      request.exchanged = true
      const value = id('jit-token')
      const details = [request.authorization_details as AuthorizationDetail]
      grants.set(value, details)
      return json(200, {
        access_token: value,
        token_type: 'Bearer',
        expires_in: request.ttl,
        authorization_details: details,
      })
    }
    if (/^POST \/jit\/task\/\w+\/complete$/.test(line)) return json(200, { status: 'completed' })
    if (line === 'GET /jit/pending') return json(200, { requests: [...requests.values()] })
    return refusal(404, 'not_found')
  }

  const guarded: Handler = ({ line, url, token, text }) => {
    const held = grants.get(token ?? '')
    if (held === undefined) return refusal(401, 'invalid_token')
    const [method = '', path = ''] = line.split(' ')
    const identifier = /^\/v1\/documents\/(\w+)/.exec(path)?.[1]
    if (identifier === undefined) return json(200, { path, query: url.search, text })
    const needed = { ...reading(identifier), actions: [method === 'GET' ? 'read' : 'write'] }
    return anyCovers(held, needed) ? json(200, { id: identifier, text }) : challenge(needed)
  }
  return world
}

const receivedFrom = async (request: Request): Promise<Received> => {
  const url = new URL(request.url)
  const text = await request.text()
  const isJson = request.headers.get('content-type') === 'application/json'
  return {
    line: `${request.method} ${url.pathname.replace('/t/acme/api/v1', '')}`,
    url,
    headers: request.headers,
    token: request.headers.get('authorization')?.replace('Bearer ', ''),
    text,
    json: isJson && text !== '' ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text)),
    redirect: request.redirect,
    signal: request.signal,
  }
}

export type World = ReturnType<typeof createWorld>

/** An agent in its own world. */
export const signedUp = (options: AgentOptions = {}) => {
  const world = createWorld()
  const { fetch, now, sleep } = world
  const agent = new LumoAuthAgent({
    url: issuer,
    tenant: 'acme',
    clientId: 'report-bot',
    clientSecret: secret,
    origins: [api],
    env: {},
    fetch,
    now,
    sleep,
    ...options,
  })
  return { world, agent }
}

/** The same with an open task. */
export const atWork = async (options: JitOptions = {}, agentOptions: AgentOptions = {}) => {
  const { world, agent } = signedUp(agentOptions)
  const jit = await agent.jit({ name: 'Q4 report', ...options })
  return { world, agent, jit }
}
