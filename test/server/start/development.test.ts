import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import express from 'express'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LumoAuthAgent } from '../../../client/index.ts'
import { lumoauthGuard } from '../../../server/express/index.ts'
import { lumoauthHarness } from '../../support/running.ts'

/** These tests start whole processes, and the machine may be busy. */
vi.setConfig({ testTimeout: 60_000 })

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumoauth-development-'))
})
afterEach(() => rm(folder, { recursive: true }))

/**
 * The environment names the ports, so that a script in package.json needs no other arguments here.
 */
const env = { ...process.env, LUMOAUTH_HARNESS_PORT: '0', LUMOAUTH_HARNESS_API_PORT: '0' }

const start = (...args: string[]) => lumoauthHarness(['start', ...args], { cwd: folder, env })

const ready = async (...args: string[]) => {
  await using running = start('--json', ...args)
  const [line] = await running.prints('stdout', /^.*\n/)
  return JSON.parse(line)
}

const refusal = async (...args: string[]) => {
  await using running = lumoauthHarness(args, { cwd: folder, env })
  return [await running.ends(), running.stderr]
}

describe('start, for development on one machine,', () => {
  it('creates the same client ids and secrets each time, and new keys', async () => {
    const [first, second] = [await ready(), await ready()]

    expect(first.tenant).toBe('acme-corp')
    expect(first.client_secret).toBe('not-secret-acme-corp-report-bot')
    expect(first.environment.api).toMatchObject({
      API_CLIENT_ID: 'documents-api',
      API_CLIENT_SECRET: 'not-secret-acme-corp-documents-api',
    })
    expect(second).toMatchObject({
      client_id: first.client_id,
      client_secret: first.client_secret,
    })
    expect(second.control_token).not.toBe(first.control_token)
    expect(second.model.api_key).not.toBe(first.model.api_key)
  })

  it('creates new secrets with --secrets fresh', async () => {
    const [first, second] = [await ready('--secrets', 'fresh'), await ready('--secrets', 'fresh')]

    expect(second.client_secret).not.toBe(first.client_secret)
  })

  it('creates new secrets on a non-loopback address, and says so', async () => {
    const { client_secret } = await ready('--issuer-origin', 'http://lumoauth:4400')
    await using running = start('--api-origin', 'https://api.acme-corp.com')

    await running.prints('stdout', /Ctrl-C ends it/)

    expect(client_secret).not.toMatch(/not-secret/)
    expect(running.stdout).not.toMatch(/not-secret/)
    expect(running.stdout).toMatch(/^client secrets fresh at every start/m)
  })

  it('rejects fixed secrets on a non-loopback address', async () => {
    expect(await refusal('start', '--host', '0.0.0.0', '--secrets', 'fixed')).toEqual([
      2,
      'lumoauth-harness: --secrets fixed: expected to be reached on this machine only, not at 0.0.0.0; give each agent a client_secret in --config\n',
    ])
  })

  it('keeps a secret from the configuration', async () => {
    const agent = '{ name: report-bot, client_secret: my-own-secret }'
    await writeFile(join(folder, 'tenants.yaml'), `tenants: [{ agents: [${agent}] }]\n`)

    expect(await ready()).toMatchObject({ client_secret: 'my-own-secret' })
  })

  it('writes a dotenv file that a process can be started with', async () => {
    const file = join(folder, '.env.lumoauth')
    await ready('--dotenv', file)
    const { environment } = await ready('--dotenv', file)

    expect(parseEnv(await readFile(file, 'utf8'))).toEqual({
      ...environment.agent,
      ...environment.api,
      ...environment.model,
    })
  })

  it('leaves a dotenv file of the user unchanged', async () => {
    const file = join(folder, '.env')
    await writeFile(file, 'MINE=1\n')

    const [code, stderr] = await refusal('start', '--dotenv', file)

    expect(code).toBe(2)
    expect(stderr).toContain(`${file} was not written by lumoauth-harness start`)
    expect(await readFile(file, 'utf8')).toBe('MINE=1\n')
  })

  it('prints the environment an API needs to accept the tokens', async () => {
    await using running = start('--json')
    const { environment } = JSON.parse((await running.prints('stdout', /^.*\n/))[0])
    const { api } = environment
    const guard = lumoauthGuard({
      tenant: api.LUMOAUTH_ISSUER,
      audience: api.LUMOAUTH_AUDIENCE,
      introspection: { clientId: api.API_CLIENT_ID, clientSecret: api.API_CLIENT_SECRET },
    })
    const detail = { type: 'file_access', actions: ['read'], identifier: 'plan' }
    const server = express()
      .get('/plan', guard.requiring({ detail }), (request, response) => {
        response.json({ by: request.auth?.sub })
      })
      .listen(0, '127.0.0.1')
    await once(server, 'listening')
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

    const agent = new LumoAuthAgent({ env: environment.agent, origins: [origin] })
    const jit = await agent.jit({ resourceIndicators: false })
    const response = await jit.fetch(`${origin}/plan`)
    await jit.completeTask()
    server.close()

    expect([response.status, await response.json()]).toEqual([200, { by: expect.any(String) }])
    expect((await fetch(api.LUMOAUTH_JWKS_URI)).status).toBe(200)
  })
})

describe('SIGHUP', () => {
  it('reads the configuration again, even if no change was noticed', async () => {
    await writeFile(join(folder, 'tenants.yaml'), 'tenants: [{ tenant: acme }]')
    await using running = start('--json')
    await running.prints('stdout', /^.*\n/)

    running.signal('SIGHUP')

    const [said] = await running.prints('stderr', /^tenants\.yaml: .*$/m)
    expect(said).toBe('tenants.yaml: unchanged')
  })

  it('does not end a process without configuration', async () => {
    await using running = start('--json')
    const { issuer } = JSON.parse((await running.prints('stdout', /^.*\n/))[0])

    running.signal('SIGHUP')

    await running.prints('stderr', /^no configuration to read again$/m)
    expect((await fetch(`${issuer}/healthz`)).status).toBe(200)
  })
})

describe('init', () => {
  const init = async (...args: string[]) => {
    await using running = lumoauthHarness(['init', ...args], { cwd: folder, env })
    expect(await running.ends(), running.stderr).toBe(0)
    return running.stdout
  }

  it('writes a configuration that start finds and reads', async () => {
    await init()
    await using running = start()
    await running.prints('stdout', /Ctrl-C ends it/)
    expect(running.stdout).toMatch(/^tenant {9}acme-corp \(tenants\.yaml\)$/m)
    const file = join(folder, 'tenants.yaml')
    const text = await readFile(file, 'utf8')

    await writeFile(file, `${text}  - { tenant: second }\n`)

    await running.prints('stderr', /read tenants\.yaml again: second was created/)
  })

  it('adds scripts, and keeps existing ones', async () => {
    const file = join(folder, 'package.json')
    const scripts = { test: 'mine', lumoauth: 'mine, too' }
    await writeFile(file, JSON.stringify({ name: 'mine', scripts }))

    await init('--agent', 'node agent.ts')

    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      name: 'mine',
      scripts: {
        lumoauth: 'mine, too',
        'lumoauth:check': 'lumoauth-harness check agent -- node agent.ts',
        test: 'mine',
      },
    })
  })

  it('adds the dotenv file to .gitignore', async () => {
    const file = join(folder, '.gitignore')
    await writeFile(file, 'dist')

    await init()
    await init('--force')

    expect(await readFile(file, 'utf8')).toBe('dist\n.env.lumoauth\n')
  })

  it('overwrites nothing', async () => {
    await writeFile(join(folder, 'tenants.yaml'), 'mine')

    expect(await refusal('init')).toEqual([
      2,
      'lumoauth-harness: tenants.yaml is there already; --force writes over it\n',
    ])
    expect(await readFile(join(folder, 'tenants.yaml'), 'utf8')).toBe('mine')
  })
})
