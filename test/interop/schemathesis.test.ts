import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lumoauthHarness, Running } from '../support/running.ts'
import { environmentWith, pythonMissing } from './python.ts'

const version = '4.32.5'

// biome-ignore lint/suspicious/noExplicitAny: what a foreign client would see
type Json = any

const missing = process.env.INTEROP === 'all' ? await pythonMissing() : 'takes minutes: INTEROP=all'

/** The operations to test, and with which credentials. */
type Round = Readonly<{
  tags: readonly string[]
  at?: 'api'
  as?: 'agent' | 'approver'
  /** Operations that would end the round. */
  without?: readonly string[]
}>

const issuer = ['OAuth', 'Just-in-time permissions', 'Agents', 'Permissions', 'Signals', 'MCP']

const rounds: Readonly<Record<string, Round>> = {
  'the API, as an agent': { tags: ['Documents and reports'], at: 'api' },
  'the issuer, as an agent': { tags: issuer },
  'the issuer, as an approver': { tags: [...issuer, 'Discovery'], as: 'approver' },
  'the control plane': { tags: ['Control plane', 'About'], without: ['control.tenant.delete'] },
  'the approvals page': { tags: ['Approvals page'], without: ['console.session.close'] },
  'the scripted model': { tags: ['Scripted model'] },
}

/**
 * Checks that are excluded, since schemathesis cannot know the state: a request may be decided
 * already, a task may have ended, another agent's record may exist.
 */
const excludedChecks = [
  'positive_data_acceptance',
  'use_after_free',
  'ensure_resource_availability',
  'object_level_authorization',
]

describe.skipIf(missing)(`schemathesis ${version}${missing ? ` (${missing})` : ''}`, () => {
  let world: Awaited<ReturnType<typeof openWorld>>
  let schemathesis: string
  let folder: string

  beforeAll(async () => {
    schemathesis = join(dirname(await environmentWith(`schemathesis==${version}`)), 'st')
    folder = await mkdtemp(join(tmpdir(), 'schemathesis-'))
    world = await openWorld()
  }, 300_000)

  afterAll(async () => {
    await world?.stop()
    if (folder) await rm(folder, { recursive: true })
  })

  it.each(Object.entries(rounds))(
    'finds no deviation in %s',
    async (name, { tags, at, as = 'agent', without = [] }) => {
      const file = join(folder, `${name.replaceAll(/\W+/g, '-')}.toml`)
      await writeFile(file, await world.settings(as))

      await using running = new Running(
        schemathesis,
        [
          ...['--config-file', file, 'run', `${world.issuer}/openapi.json`],
          ...['--url', at === 'api' ? world.api : world.issuer],
          ...tags.flatMap((tag) => ['--include-tag', tag]),
          // The paths of one route share a handler; only the first is tested.
          ...['--exclude-operation-id-regex', String.raw`\.\d+$`],
          ...without.flatMap((id) => ['--exclude-operation-id', id]),
          ...['--phases', 'coverage,fuzzing'],
          ...['--max-examples', '10', '--max-time', '60', '--seed', '1', '--no-shrink'],
          ...['--generation-database', 'none', '--warnings', 'off', '--no-color'],
        ],
        { cwd: folder },
      )

      expect(await running.ends(), running.stdout + running.stderr).toBe(0)
    },
    180_000,
  )
})

/** A running `start`, and a tenant with one live record of each kind. */
const openWorld = async () => {
  const running = lumoauthHarness(['start', '--json', '--port', '0', '--api-port', '0'])
  const [printed] = await running.prints('stdout', /\{.*\}\n/)
  const { issuer, api, control_token } = JSON.parse(printed) as Json

  const post = async (path: string, body: object, headers: Record<string, string> = {}) => {
    const response = await fetch(issuer + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return { headers: response.headers, body: (await response.json()) as Json }
  }
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  const control = async (path: string, body: object) =>
    (await post(`/_harness/tenants${path}`, body, bearer(control_token))).body

  /** Used by this round only, so it may be broken. */
  const settings = async (as: 'agent' | 'approver') => {
    const tenant = await control('', {
      users: [
        {
          email: 'ada@example.com',
          permissions: ['jit.approve', 'agents.manage', 'settings.manage', 'ssf.manage'],
        },
        { email: 'alice@example.com' },
      ],
      mcp_servers: [
        { server_id: 'files', name: 'Files', resource_uri: 'https://files.example/mcp' },
      ],
    })
    const base = `/t/${tenant.tenant}/api/v1`
    const [agent] = tenant.agents
    const { access_token } = (await (
      await fetch(`${issuer}${base}/oauth/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: agent.client_id,
          client_secret: agent.client_secret,
        }),
      })
    ).json()) as Json
    const asAgent = async (path: string, body: object) =>
      (await post(base + path, body, bearer(access_token))).body
    const { task_id } = await asAgent('/jit/task', {})
    const { request_id } = await asAgent('/jit/request', {
      task_id,
      authorization_details: { type: 'payment', actions: ['initiate'], identifier: 'inv_1' },
    })
    const { approval_token } = await asAgent('/agents/me/approvals', {
      task_id,
      reason: 'May I?',
      on_behalf_of: 'alice@example.com',
    })
    const { stream_id } = await asAgent('/ssf/stream', {})
    const approver = await control(`/${tenant.tenant}/user-token`, {})
    const link = await control(`/${tenant.tenant}/console-link`, { operator: true })
    const session = await post(
      `/console/${tenant.tenant}/session`,
      { code: link.url.split('#code=')[1] },
      { origin: issuer },
    )
    const cookie = session.headers.get('set-cookie')?.split(/[=;]/)[1] ?? ''

    return toml({
      '': {
        'continue-on-failure': true,
        'max-stream-events': 1,
        'request-timeout': 10,
      },
      headers: { Origin: issuer },
      // A body that is too large is rejected before it is read.
      'checks.negative_data_rejection': {
        'expected-statuses': ['400', '401', '403', '404', '405', '409', '413', '415', '429', '431'],
      },
      ...Object.fromEntries(excludedChecks.map((it) => [`checks.${it}`, { enabled: false }])),
      // It treats an empty parameter as one of a wrong type; here it is an omitted one.
      '[operations]': { 'include-method': 'GET' },
      'operations.checks.negative_data_rejection': { enabled: false },
      parameters: {
        'path.tenant': tenant.tenant,
        'path.taskId': task_id,
        'path.requestId': request_id,
        'path.approvalToken': approval_token,
        'path.serverId': 'files',
        'path.streamId': stream_id,
        'path.documentId': 'doc_9982',
        'path.model': 'scripted',
        'query.wait': 0,
      },
      'auth.openapi.bearer': { bearer: as === 'agent' ? access_token : approver.access_token },
      'auth.openapi.control': { bearer: control_token },
      'auth.openapi.model': { bearer: tenant.model.api_key },
      'auth.openapi.client': {
        username: tenant.api_client.client_id,
        password: tenant.api_client.client_secret,
      },
      'auth.openapi.session': { api_key: cookie },
      'auth.openapi.csrf': { api_key: session.body.csrf_token },
    })
  }

  return { issuer, api, settings, stop: () => running[Symbol.asyncDispose]() }
}

/** JSON's strings, numbers and lists are valid TOML. */
const toml = (tables: Readonly<Record<string, Readonly<Record<string, unknown>>>>) =>
  Object.entries(tables)
    .map(([name, members]) => {
      const lines = Object.entries(members).map(
        ([key, value]) => `${JSON.stringify(key)} = ${JSON.stringify(value)}`,
      )
      return [...(name === '' ? [] : [`[${name}]`]), ...lines, ''].join('\n')
    })
    .join('\n')
