import type { TenantContext } from '../../server/http/tenant/tenant-context.ts'
import { createHarness } from '../../server/index.ts'
import { ErrorBody, pathsOf, type Route, type RouteName, routes } from '../../server/wire/index.ts'
import type { OpenApi, Operation, PathItem } from '../../server/wire/openapi/document.ts'
import { onlooker } from '../support/onlooker.ts'

/** The state of the tenant in the harness. */
let seen: TenantContext | undefined

export const harness = await createHarness({
  listen: false,
  algorithm: 'ES256',
  misbehaviours: [
    onlooker((context) => {
      seen = context
    }),
  ],
  // Long polls end at once.
  timers: { set: (act) => setTimeout(act, 0), clear: (timer) => clearTimeout(timer as number) },
  onBug: (bug, { method, path }) => {
    bugs.push(`${method} ${path}: ${bug instanceof Error ? bug.stack : bug}`)
  },
})

export const bugs: string[] = []

export const document = (await (
  await harness.fetch(`${harness.issuer}/openapi.json`)
).json()) as OpenApi

export const operationOf = (route: Route, path: string): Operation => {
  const template = path.replace(/\/:(\w+)/g, '/{$1}')
  const item = document.paths[template] as PathItem & Record<string, Operation>
  return item[route.method.toLowerCase()] as Operation
}

export type Sent = Readonly<{
  method?: string
  path?: string
  query?: Readonly<Record<string, unknown>>
  headers?: Readonly<Record<string, string>>
  body?: string
}>

export type Answered = Readonly<{ status: number; headers: Headers; text: string }>

/** A tenant with every record a route can name: tasks, requests, tokens, a session. */
export const openWorld = async () => {
  const tenant = harness.createTenant({
    clock: '2030-01-01T00:00:00Z',
    users: [
      {
        email: 'ada@example.com',
        permissions: ['jit.approve', 'agents.manage', 'settings.manage', 'ssf.manage'],
      },
      { email: 'alice@example.com' },
    ],
    mcp_servers: [{ server_id: 'files', name: 'Files', resource_uri: 'https://files.example/mcp' }],
    policy: {
      rules: [
        { name: 'payments wait', when: { type: 'payment' }, risk: 'critical', decision: 'ask' },
        { name: 'all else passes', risk: 'low', decision: 'approve' },
      ],
    },
  })
  const [agent] = tenant.agents
  if (agent === undefined) throw new Error('a tenant without agents')

  const ask = async (origin: string, { method = 'GET', path = '/', ...sent }: Sent) => {
    const url = new URL(origin + path)
    for (const [name, value] of Object.entries(sent.query ?? {})) {
      for (const one of [value].flat()) url.searchParams.append(name, textOf(one))
    }
    const response = await harness.handle(
      new Request(url, {
        method,
        headers: { ...sent.headers },
        ...(sent.body === undefined ? {} : { body: sent.body }),
      }),
    )
    const streams = response.headers.get('content-type')?.startsWith('text/event-stream')
    if (streams) await response.body?.cancel()
    const text = streams ? '' : await response.text()
    return { status: response.status, headers: response.headers, text }
  }
  const json = async (origin: string, sent: Sent & { json?: object; token?: string }) => {
    const { status, text } = await ask(origin, {
      ...sent,
      headers: {
        ...(sent.token ? { authorization: `Bearer ${sent.token}` } : {}),
        ...(sent.json ? { 'content-type': 'application/json' } : {}),
        ...sent.headers,
      },
      ...(sent.json ? { body: JSON.stringify(sent.json) } : {}),
    })
    if (status >= 400) throw new Error(`${sent.method} ${sent.path}: ${status} ${text}`)
    return JSON.parse(text)
  }
  const base = new URL(tenant.urls.tenant).pathname
  const post = (path: string, order: object, token: string) =>
    json(harness.issuer, { method: 'POST', path: base + path, json: order, token })
  const control = (path: string, order: object) =>
    json(harness.issuer, {
      method: 'POST',
      path: `/_harness/tenants/${tenant.tenant}${path}`,
      json: order,
      token: harness.controlToken,
    })

  await tenant.misbehave('onlooker')
  const { access_token: agentToken } = await json(harness.issuer, {
    method: 'POST',
    path: `${base}/oauth/token`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: agent.client_id,
      client_secret: agent.client_secret,
    }).toString(),
  })
  tenant.behave()
  const context = seen as TenantContext
  if (context?.tenant.slug !== tenant.tenant) throw new Error('no request was observed')

  const approverToken = await tenant.approver.token()
  const { task_id } = await post('/jit/task', { name: 'bad input' }, agentToken)
  const wanting = (detail: object) =>
    post('/jit/request', { task_id, authorization_details: detail }, agentToken)
  const waiting = await wanting({ type: 'payment', actions: ['initiate'], identifier: 'inv_1' })
  const { approval_token } = await post(
    '/agents/me/approvals',
    { task_id, reason: 'May I?', on_behalf_of: 'alice@example.com' },
    agentToken,
  )
  const { stream_id } = await post('/ssf/stream', {}, agentToken)
  const report = context.api.reports.create({ title: 'Q4', content: 'Revenue rose.' }, 'system')
  const { url: link } = await control('/console-link', { operator: true })
  const opened = await ask(harness.issuer, {
    method: 'POST',
    path: `/console/${tenant.tenant}/session`,
    headers: { 'content-type': 'application/json', origin: harness.issuer },
    body: JSON.stringify({ code: link.split('#code=')[1] }),
  })
  const session = {
    cookie: opened.headers.get('set-cookie')?.split(';')[0] ?? '',
    'x-csrf-token': JSON.parse(opened.text).csrf_token as string,
  }

  /** The values in paths, and in bodies under the same names. */
  const known: Record<string, string> = {
    tenant: tenant.tenant,
    taskId: task_id,
    requestId: waiting.request_id,
    approvalToken: approval_token,
    serverId: 'files',
    streamId: stream_id,
    documentId: 'doc_9982',
    reportId: report.id,
    kid: context.keys.current.kid,
    name: 'onlooker',
    model: 'scripted',
  }
  const inBodies: Record<string, unknown> = {
    task_id,
    parent_task_id: task_id,
    on_behalf_of: 'alice@example.com',
    grant_type: 'client_credentials',
    client_id: agent.client_id,
    client_secret: agent.client_secret,
    server_id: 'files',
    stream_id,
    user: 'ada@example.com',
    by: 'ada@example.com',
    agent: 'report-bot',
    may_act: 'report-bot',
    may_delegate: true,
    control_token: harness.controlToken,
    model: 'scripted',
    token: agentToken,
    after_polls: 3,
    // Nothing arrives while a poll waits.
    wait: 0,
    returnImmediately: true,
    csrf: 'as-in-the-cookie',
    response_type: 'code',
    redirect_uri: 'http://127.0.0.1/callback',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    scope: 'read:documents',
  }

  /** A JIT token for the detail that a call of the API needs. */
  const needed = async (route: Route, sent: Sent): Promise<string> => {
    const answered = await ask(harness.api, {
      ...sent,
      method: route.method,
      headers: { ...sent.headers, authorization: `Bearer ${agentToken}` },
    })
    const challenge = answered.headers.get('insufficient-authorization-details')
    if (challenge === null) return agentToken
    const detail = JSON.parse(Buffer.from(challenge, 'base64').toString('utf8'))
    const { request_id } = await wanting(detail)
    const granted = await post(`/jit/request/${request_id}/token`, {}, agentToken)
    return granted.access_token
  }

  const basic = ({ client_id, client_secret }: { client_id: string; client_secret: string }) =>
    `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`

  return {
    tenant,
    context,
    agentToken,
    approverToken,
    basic,
    session,
    known,
    inBodies,
    needed,
    control,
    pathOf: (path: string) =>
      path.replace(/(?<=\/):(\w+)/g, (_, name) => encodeURIComponent(known[name] ?? name)),
    ask: (route: Route, sent: Sent): Promise<Answered> =>
      ask(route.seat === 'api' ? harness.api : harness.issuer, { method: route.method, ...sent }),
    /**
     * Valid credentials for a route: of an agent if the route accepts one, else of an approver, …
     */
    credentials: async (name: RouteName, route: Route): Promise<Record<string, string>> => {
      const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
      switch (route.auth) {
        case 'none':
          return { origin: harness.issuer, cookie: `lumoauth_consent=${inBodies.csrf}` }
        case 'client':
        case 'caller':
          return { authorization: basic(tenant.api_client) }
        case 'agent':
          return bearer(agentToken)
        case 'bearer':
          return bearer(name.startsWith('ssf.') ? agentToken : approverToken)
        case 'guard':
          return bearer(agentToken)
        case 'control':
          return bearer(harness.controlToken)
        case 'session':
        case 'operator':
          return { ...session, origin: harness.issuer }
        case 'model':
          return bearer(tenant.model.api_key)
      }
    },
    /** Everything a request could have changed, as text. What time deletes is left out. */
    digest: (): string => {
      const { forgetting: _, ...state } = context.tenant.state
      const { api, keys, misbehaving, model, pushHeaders } = context
      const all = {
        state,
        journal: context.tenant.journal.last,
        now: context.tenant.clock.now(),
        documents: [...api.documents.all()],
        reports: [...api.reports.all()],
        keys: keys.jwks(),
        misbehaviours: misbehaving.active,
        model: model.script,
        pushHeaders,
        ended: context.ended.signal.aborted,
      }
      return JSON.stringify(all, (_name, value) =>
        value instanceof Map || value instanceof Set ? [...value] : value,
      )
    },
  }
}

export type World = Awaited<ReturnType<typeof openWorld>>

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value)

/** A form or a query as it is sent: lists repeat their name. */
export const encoded = (fields: unknown): string => {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(fields as object)) {
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(name, textOf(one))
  }
  return parameters.toString()
}

/** What is wrong with a response, whatever the request was. */
export const complaints = (
  name: RouteName,
  route: Route,
  { status, headers, text }: Answered,
): string[] => {
  // Endpoints that are not implemented are not in the document: they answer 501, and reject bad
  // input.
  const documented = /^(?:aauth|admin)\./.test(name)
    ? ['501', '4XX']
    : Object.keys(operationOf(route, pathsOf(route)[0] ?? '').responses)
  const isDocumented = documented.some(
    (it) => it === String(status) || it === `${status}`.replace(/..$/, 'XX'),
  )
  const wrong = [
    ...(status >= 500 && !(status === 501 && /^(?:aauth|admin)\./.test(name))
      ? [`a ${status}`]
      : []),
    ...(isDocumented || status === 405 ? [] : [`${status} is not documented`]),
  ]
  if (status < 400) return wrong
  const isPage = headers.get('content-type')?.startsWith('text/html') === true
  if (isPage && (route.pages || name === 'console.page')) return wrong
  return [...wrong, ...envelope(route, status, text)]
}

const envelope = (route: Route, status: number, text: string): string[] => {
  try {
    const body = JSON.parse(text)
    if (route.auth === 'model' && typeof body.error !== 'string') {
      const { message, type, code, status: name } = body.error
      if (route.path.includes('/v1beta/')) {
        const isWhole = code === status && [message, name].every((it) => typeof it === 'string')
        return isWhole ? [] : ['not Gemini’s form']
      }
      return [message, type, code].every((it) => typeof it === 'string')
        ? []
        : ['not OpenAI’s form']
    }
    const { error, error_description, message, code, status: said } = ErrorBody.parse(body)
    return [
      ...(said === status ? [] : [`status ${said} in a ${status}`]),
      ...(error === code ? [] : [`error ${error}, code ${code}`]),
      ...(error_description === message ? [] : ['two descriptions']),
    ]
  } catch (failed) {
    return [
      `no envelope: ${failed instanceof Error ? failed.message : failed}: ${text.slice(0, 200)}`,
    ]
  }
}

export const all = Object.entries(routes) as [RouteName, Route][]
