import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { LumoAuthAgent } from '../../../client/index.ts'
import type { ModelAccess } from '../../../server/wire/index.ts'
import { lumoauthHarness, type Running, root } from '../../support/running.ts'

/** These tests start whole processes, and the machine may be busy. */
vi.setConfig({ testTimeout: 60_000 })

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumoauth-start-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

const start = (...args: string[]): Running =>
  lumoauthHarness(['start', '--port', '0', '--api-port', '0', ...args])

type Ready = Readonly<
  Record<
    | 'issuer'
    | 'api'
    | 'tenant'
    | 'client_id'
    | 'client_secret'
    | 'control_token'
    | 'approver_token',
    string
  >
> & { model: ModelAccess }

const ready = async (running: Running): Promise<Ready> =>
  JSON.parse((await running.prints('stdout', /^.*\n/))[0])

const agentOf = ({ issuer, api, tenant, client_id, client_secret }: Ready) =>
  new LumoAuthAgent({
    env: {},
    url: issuer,
    tenant,
    clientId: client_id,
    clientSecret: client_secret,
    origins: [api],
    sleep: async () => {},
  })

const configured = async (name: string, text: string): Promise<string> => {
  const file = join(folder, name)
  await writeFile(file, text)
  return file
}

/** Writes a file beside it and renames it, as editors do. */
const replaced = async (file: string, text: string): Promise<void> => {
  await writeFile(`${file}.new`, text)
  await rename(`${file}.new`, file)
}

describe('start', () => {
  it('prints one line of JSON with all that an agent needs', async () => {
    await using running = start('--json')
    const it = await ready(running)
    await using jit = await agentOf(it).jit()

    const response = await jit.fetch(`${it.api}/v1/documents/doc_9982`)

    expect(response.status).toBe(200)
    expect(running.stdout.match(/\n/g)).toHaveLength(1)
    expect(running.stderr).toBe('')
  })

  it('reads the control token from the environment', async () => {
    await using running = lumoauthHarness(['start', '--port', '0', '--api-port', '0', '--json'], {
      env: { ...process.env, LUMOAUTH_HARNESS_CONTROL_TOKEN: 'known-to-everyone' },
    })

    expect(await ready(running)).toMatchObject({ control_token: 'known-to-everyone' })
  })

  it('exits when the shell that npm put before it gets a signal', async () => {
    const command = `"${process.execPath}" scenarios/cli.ts start --port 0 --api-port 0 --json; true`
    const shell = spawn('sh', ['-c', command], {
      cwd: root,
      env: { ...process.env, npm_lifecycle_event: 'start' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(shell.stdout, 'data')

    shell.kill('SIGTERM')

    // The stream closes once no process is left that could write to it.
    expect(await once(shell, 'close')).toEqual([null, 'SIGTERM'])
  })

  it.each(['SIGTERM', 'SIGINT'] as const)('exits with 0 on %s', async (signal) => {
    await using running = start('--json')
    await ready(running)

    running.signal(signal)

    expect(await running.ends()).toBe(0)
  })

  it('answers 200 on /healthz', async () => {
    await using running = start('--json')
    const { issuer } = await ready(running)

    const response = await fetch(`${issuer}/healthz`)

    expect(await response.json()).toMatchObject({ status: 'ok', tenants: 1 })
  })

  it('prints the environment variables to paste', async () => {
    await using running = start('--env', 'dotenv')

    await running.prints('stdout', /Ctrl-C ends it/)

    expect(running.stdout).toMatch(/^LUMOAUTH_TENANT=acme-corp$/m)
    expect(running.stdout).toMatch(/^# approvals page http:.*\/console\/acme-corp#code=/m)
    expect(running.stdout).toMatch(/^OPENAI_BASE_URL=http:.*\/llm\/v1$/m)
    expect(running.stdout).toMatch(/^GOOGLE_GEMINI_BASE_URL=http:.*\/llm$/m)
    expect(running.stdout).toMatch(/^GOOGLE_API_KEY=sk-acme-corp-\w+$/m)
  })

  it('scripts the model from a file', async () => {
    const file = await configured('model.yaml', 'replies: [{ say: As the file says. }]')
    await using running = start('--json', '--model', file)
    const { model } = await ready(running)

    const response = await fetch(`${model.base_url}/responses`, {
      method: 'POST',
      headers: { authorization: `Bearer ${model.api_key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'scripted', input: 'hello' }),
    })

    expect(await response.text()).toContain('As the file says.')
  })

  it('uses the configured public URLs', async () => {
    await using running = start('--json', '--issuer-origin', 'http://lumoauth:4400/')

    expect(await ready(running)).toMatchObject({ issuer: 'http://lumoauth:4400' })
  })
})

describe('start exits with code 2 and one line for', () => {
  it.each([
    [['--prot', '1'], "unknown option '--prot' (Did you mean --port?)"],
    [['--config', 'nowhere.yaml'], 'cannot read nowhere.yaml: ENOENT: no such file or directory'],
    [
      ['--api-reached-at', 'http://10.0.0.7:4401', '--journal', 'own.jsonl'],
      '--api-reached-at: expected --journal postgres://…, because only processes that share a journal reach one another',
    ],
    [['--misbehave', 'no-such-thing'], '--misbehave: unknown misbehaviour: no-such-thing'],
  ])('%j', async (args, message) => {
    await using running = start(...args)

    expect(await running.ends()).toBe(2)

    expect(running.stdout).toBe('')
    expect(running.stderr).toContain(`lumoauth-harness: ${message}`)
    expect(running.stderr.trim().split('\n')).toHaveLength(1)
  })

  it('a port that is taken', async () => {
    const holder = createServer()
    const port = await new Promise<number>((resolve) => {
      holder.listen(0, '127.0.0.1', () => resolve((holder.address() as { port: number }).port))
    })
    await using running = lumoauthHarness(['start', '--port', `${port}`, '--api-port', '0'])

    expect(await running.ends()).toBe(2)

    expect(running.stderr).toContain(`port ${port} is in use`)
    holder.close()
  })

  it('a configuration with a mistake, with its position', async () => {
    const file = await configured('flawed.yaml', 'tenant: acme\nagents:\n  - { nmae: crew }\n')
    await using running = start('--config', file)

    expect(await running.ends()).toBe(2)

    expect(running.stderr).toContain(`${file}:3:5: agents.0.name: `)
  })

  it('an unknown misbehaviour, with its position and the closest name', async () => {
    const file = await configured(
      'unknown-misbehaviours.yaml',
      `tenants:
  - tenant: acme
  - tenant: other
    misbehave:
      - network-unavailable
      - isuer-exchanges-twice
      - { times: 2, name: kindness }
`,
    )
    await using running = start('--config', file)

    expect(await running.ends()).toBe(2)

    expect(running.stderr).toBe(
      `lumoauth-harness: ${file}:6:9: tenants.1.misbehave.1.name: unknown misbehaviour: isuer-exchanges-twice; did you mean issuer-exchanges-twice?
${file}:7:21: tenants.1.misbehave.2.name: unknown misbehaviour: kindness; lumoauth-harness misbehaviours lists them
`,
    )
  })
})

describe('start --approve', () => {
  it.each([
    ['auto', 'approved'],
    ['deny', 'denied'],
  ])('%s decides every request', async (how, status) => {
    await using running = start('--json', '--approve', how)
    await using jit = await agentOf(await ready(running)).jit()
    const request = await jit.requestPermission({ type: 'user_data', actions: ['read'] })

    const decided = await jit.waitForApproval(request)

    expect(decided.status).toBe(status)
  })

  it('ask waits for a person, whatever the configuration says', async () => {
    const file = await configured('scripted.yaml', 'approver: { decision: approve }\n')
    await using running = start('--json', '--approve', 'ask', '--config', file)
    const it = await ready(running)
    await using jit = await agentOf(it).jit()
    const request = await jit.requestPermission({ type: 'user_data', actions: ['read'] })
    const url = `${it.issuer}/t/${it.tenant}/api/v1/jit`
    const approver = { headers: { authorization: `Bearer ${it.approver_token}` } }

    const pending = await fetch(`${url}/pending`, approver)
    await fetch(`${url}/approve/${request.request_id}`, { method: 'POST', ...approver })

    expect(await pending.text()).toContain(request.request_id)
    expect(await jit.waitForApproval(request)).toMatchObject({ status: 'approved' })
  })
})

describe('start --recording', () => {
  const asked = (method: string, path: string, status: number, body: object) => ({
    ...{ scenario: 'any', method, path: `/t/real-one${path}`, status, body: JSON.stringify(body) },
    headers: { 'content-type': 'application/json' },
  })

  it('starts the tenant that was recorded', async () => {
    const granted = {
      access_token: 'redacted-agent-token-1',
      token_type: 'Bearer',
      expires_in: 3600,
    }
    const recording = {
      ...{ recorded: '2026-11-24T03:00:00Z', target: 'staging' },
      exchanges: [asked('POST', '/api/v1/oauth/token', 200, granted)],
    }
    const file = await configured('recording.json', JSON.stringify(recording))
    await using running = start('--json', '--recording', file)
    const it = await ready(running)

    expect(it.tenant).toBe('real-one')
    expect(await agentOf(it).authenticate()).toBe('redacted-agent-token-1')
    await expect(agentOf(it).jit()).rejects.toThrow(
      'the recording has no answer for POST /t/real-one/api/v1/jit/task',
    )
  })

  it('reports a file that is not a recording', async () => {
    const file = await configured('no-recording.json', '{ "recorded": "yesterday" }')
    await using running = start('--recording', file)

    expect(await running.ends()).toBe(2)
    expect(running.stderr).toContain(`${file}:1:`)
  })
})

describe('start --log', () => {
  it('json prints one line for each request, without secrets', async () => {
    await using running = start('--json', '--log', 'json')
    const it = await ready(running)
    await agentOf(it).authenticate()
    await fetch(`${it.api}/v1/documents?access_token=do-not-tell`, {
      headers: { 'x-request-id': 'call-7' },
    })

    await running.prints('stderr', /call-7.*\n/)

    const lines = running.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toMatchObject([
      {
        level: 'info',
        seat: 'issuer',
        method: 'POST',
        status: 200,
        request_id: expect.any(String),
      },
      { level: 'info', seat: 'api', method: 'GET', request_id: 'call-7' },
    ])
    expect(running.stderr).not.toContain('do-not-tell')
    expect(running.stderr).not.toContain(it.client_secret)
    expect(running.stdout.match(/\n/g)).toHaveLength(1)
  })

  it('pretty prints lines for people', async () => {
    await using running = start('--json', '--log', 'pretty')
    const { issuer } = await ready(running)

    await fetch(`${issuer}/t/unknown/api/v1/oauth/userinfo`, {
      headers: { 'x-request-id': 'call-8' },
    })

    const [line] = await running.prints('stderr', /.*call-8\n/)
    expect(line).toMatch(
      /^\d\d:\d\d:\d\d issuer GET \/t\/unknown\/api\/v1\/oauth\/userinfo 404 tenant_not_found: .* \d+ ms call-8$/m,
    )
  })
})

describe('start with misbehaviours', () => {
  const statusesOf = async (url: string, times: number) => {
    const statuses: number[] = []
    for (let time = 0; time < times; time += 1) statuses.push((await fetch(url)).status)
    return statuses
  }
  const keys = ({ issuer }: Ready, tenant: string) =>
    `${issuer}/t/${tenant}/api/v1/.well-known/jwks.json`

  it('applies them per tenant, as often as the configuration says', async () => {
    const file = await configured(
      'misbehaving.yaml',
      `tenants:
  - { tenant: always, misbehave: [network-unavailable] }
  - { tenant: twice, misbehave: [{ name: network-unavailable, times: 2 }] }
  - { tenant: third, misbehave: [{ name: network-unavailable, nth: 3 }] }
  - { tenant: never }
`,
    )
    await using running = start('--json', '--config', file)
    const it = await ready(running)

    expect(await statusesOf(keys(it, 'always'), 4)).toEqual([503, 503, 503, 503])
    expect(await statusesOf(keys(it, 'twice'), 4)).toEqual([503, 503, 200, 200])
    expect(await statusesOf(keys(it, 'third'), 4)).toEqual([200, 200, 503, 200])
    expect(await statusesOf(keys(it, 'never'), 2)).toEqual([200, 200])
  })

  it('applies --misbehave to every tenant', async () => {
    const file = await configured('good.yaml', 'tenants: [{ tenant: one }, { tenant: two }]\n')
    await using running = start('--json', '--config', file, '--misbehave', 'network-unavailable')
    const it = await ready(running)

    expect(await statusesOf(keys(it, 'one'), 1)).toEqual([503])
    expect(await statusesOf(keys(it, 'two'), 1)).toEqual([503])
  })

  it('enables and disables them when the configuration changes, and keeps the tenant', async () => {
    const file = await configured('mending.yaml', 'tenant: acme\n')
    await using running = start('--json', '--config', file)
    const it = await ready(running)
    const token = await agentOf(it).authenticate()

    await replaced(file, 'tenant: acme\nmisbehave: [network-unavailable]\n')
    await running.prints('stderr', /acme: new misbehave\n/)
    expect(await statusesOf(keys(it, 'acme'), 1)).toEqual([503])

    await replaced(file, 'tenant: acme\nmisbehave: [network-unavailabel]\n')
    await running.prints(
      'stderr',
      /:2:13: .*did you mean network-unavailable\?\nnothing was changed/,
    )
    expect(await statusesOf(keys(it, 'acme'), 1)).toEqual([503])

    await replaced(file, 'tenant: acme\n')
    await running.prints('stderr', /acme: new misbehave\n(?=[\s\S]*acme: new misbehave\n)/)
    const headers = { authorization: `Bearer ${token}` }
    const info = await fetch(`${it.issuer}/t/acme/api/v1/oauth/userinfo`, { headers })
    expect(info.status).toBe(200)
  })

  it('takes them from the configuration after a restart, and not from the journal', async () => {
    const file = await configured(
      'restarted.yaml',
      'tenant: acme\nmisbehave: [network-unavailable]\n',
    )
    const options = ['--json', '--config', file, '--journal', join(folder, 'restarted.jsonl')]
    await using first = start(...options)
    const before = await statusesOf(keys(await ready(first), 'acme'), 1)
    first.signal('SIGTERM')
    await first.ends()
    await replaced(file, 'tenant: acme\n')

    await using second = start(...options)

    expect(before).toEqual([503])
    expect(await statusesOf(keys(await ready(second), 'acme'), 1)).toEqual([200])
  })
})

describe('start --config, when the file changes,', () => {
  const policy = (decision: string) =>
    `policy: { rules: [{ name: all, risk: low, decision: ${decision}, reason: So it is. }] }\n`

  it('decides by the new policy, and keeps tasks and tokens', async () => {
    const file = await configured('policy-change.yaml', `tenant: acme\n${policy('approve')}`)
    await using running = start('--json', '--config', file)
    await using jit = await agentOf(await ready(running)).jit()
    const asked = async () =>
      (await jit.requestPermission({ type: 'file_access', actions: ['read'] })).status
    expect(await asked()).toBe('approved')

    await replaced(file, `tenant: acme\n${policy('deny')}`)
    await running.prints('stderr', /again: acme: new policy\n/)

    expect(await asked()).toBe('denied')
  })

  it('keeps the old configuration when the new one has a mistake, says where it is, and recovers', async () => {
    const good = `tenant: acme\n${policy('approve')}`
    const file = await configured('flaw-while-running.yaml', good)
    await using running = start('--json', '--config', file)
    await using jit = await agentOf(await ready(running)).jit()

    await replaced(file, 'tenant: acme\npolicy: { rules: [{ name: all, risk: huge }] }\n')
    const [complaint] = await running.prints('stderr', /[\s\S]*nothing was changed\n/)

    expect(complaint).toContain(`${file}:2:`)
    expect(complaint).toContain('policy.rules.0.risk')
    const asked = await jit.requestPermission({ type: 'file_access', actions: ['read'] })
    expect(asked.status).toBe('approved')

    await replaced(file, good)
    await running.prints('stderr', /: unchanged\n/)
  })

  it('replaces a tenant when its seeds change, and keeps its credentials', async () => {
    const file = await configured('seeds.yaml', 'tenant: acme\n')
    await using running = start('--json', '--config', file)
    const agent = agentOf(await ready(running))

    await replaced(file, 'tenant: acme\nagents: [{ name: report-bot }, { name: crew }]\n')
    await running.prints('stderr', /acme: new agents; it was reset/)

    expect(await agent.authenticate()).toMatch(/^eyJ/)
  })

  it('adds and removes tenants', async () => {
    const file = await configured('tenants.yaml', 'tenants: [{ tenant: one }, { tenant: two }]\n')
    await using running = start('--json', '--config', file)
    const { issuer } = await ready(running)

    await replaced(file, 'tenants: [{ tenant: one }, { tenant: three }]\n')
    await running.prints('stderr', /two was deleted; three was created\n/)

    const keys = (tenant: string) => fetch(`${issuer}/t/${tenant}/api/v1/.well-known/jwks.json`)
    expect((await keys('two')).status).toBe(404)
    expect((await keys('three')).status).toBe(200)
  })

  it('also reads the policy file of all tenants again', async () => {
    const file = await configured(
      'house-rules.yaml',
      'rules: [{ name: all, risk: low, decision: approve }]\n',
    )
    await using running = start('--json', '--policy', file)
    await using jit = await agentOf(await ready(running)).jit()

    await replaced(file, 'rules: [{ name: all, risk: low, decision: deny, reason: No. }]\n')
    await running.prints('stderr', /acme-corp: new policy\n/)

    const asked = await jit.requestPermission({ type: 'file_access', actions: ['read'] })
    expect(asked.status).toBe('denied')
  })
})
