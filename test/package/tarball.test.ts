import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Running, root } from '../support/running.ts'
import { composite } from './composite.ts'

/*
 * What `npm pack` makes, in an empty project outside the repository. Tools that only judge the
 * tarball are installed there and are no dependency of ours.
 */

const judges = ['publint@0.3.25', '@arethetypeswrong/cli@0.18.5']

/** No setting of the npm that runs us, and the Node that runs us first. */
const env = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name))),
  PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
  NODE_OPTIONS: '',
}

const execute = promisify(execFile)

/** @returns what it printed. @throws with that when it fails */
const run = async (cwd: string, command: string, ...args: string[]): Promise<string> => {
  try {
    const { stdout } = await execute(command, args, { cwd, env, maxBuffer: 2 ** 26 })
    return stdout
  } catch (failed) {
    const { stdout, stderr } = failed as { stdout: string; stderr: string }
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`)
  }
}

let folder: string
let tarball: string
const cli = () => join(folder, 'node_modules/lumoauth-harness/dist/cli/cli.js')
const bin = () => join(folder, 'node_modules/.bin/lumoauth-harness')

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumoauth-package-'))
  await run(root, 'npm', 'pack', '--pack-destination', folder)
  const [name = ''] = (await readdir(folder)).filter((it) => it.endsWith('.tgz'))
  tarball = join(folder, name)
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', private: true }))
  await run(folder, 'npm', 'install', tarball)
}, 300_000)

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('the tarball, in an empty project,', () => {
  it('brings no tool of development along', async () => {
    const installed = await readdir(join(folder, 'node_modules'))

    const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    expect(Object.keys(dependencies).filter((it) => !installed.includes(it))).toEqual([])
    for (const tool of ['vitest', 'msw', 'typescript', '@biomejs', '@types', 'node']) {
      expect(installed).not.toContain(tool)
    }
  })

  it('holds every suite as it is here', async () => {
    const suitesIn = async (place: string) =>
      (await readdir(join(place, 'scenarios'), { recursive: true }))
        .filter((it) => /^[\w-]*suite\/.*\.yaml$/.test(it))
        .sort()

    const ours = await suitesIn(root)

    expect(await suitesIn(join(folder, 'node_modules/lumoauth-harness'))).toEqual(ours)
    expect(new Set(ours.map((it) => it.split('/')[0])).size).toBe(4)
  })

  it('holds what is compiled, and the suite, and nothing of our tests', async () => {
    const files = await readdir(join(folder, 'node_modules/lumoauth-harness'), {
      recursive: true,
    })

    expect(files).toContain('README.md')
    expect(files).toContain('scenarios/scenario.schema.json')
    expect(files.filter((it) => it.endsWith('.ts') && !it.endsWith('.d.ts'))).toEqual([])
    expect(files.filter((it) => /\.test\.|^test\b|examples/.test(it))).toEqual([])
  })

  it('has a command that explains itself, and loads nothing for it', async () => {
    const { stdout, loaded } = await tracing('--help')

    expect(stdout).toContain('Usage: lumoauth-harness COMMAND')
    expect(loaded.filter((it) => !it.includes('lumoauth-harness/dist/'))).toEqual([])
    expect(loaded.length).toBeLessThan(10)
  })

  it('runs the whole suite', async () => {
    const stdout = await run(folder, bin(), 'run')

    expect(stdout).toMatch(/\d+ passed, 0 failed/)
  }, 60_000)

  it('starts, and loads neither client nor scenarios for it', async () => {
    const { stdout, loaded } = await tracing('start', '--port', '0', '--api-port', '0', '--json')

    expect(JSON.parse(stdout)).toMatchObject({ tenant: 'acme-corp', client_id: 'report-bot' })
    const chunks = dirname(cli())
    const all = (await readdir(chunks)).filter((it) => it.endsWith('.js'))
    const texts = async (names: readonly string[]) =>
      (await Promise.all(names.map((it) => readFile(join(chunks, it), 'utf8')))).join()
    const [there, here] = await Promise.all([
      texts(all),
      texts(all.filter((it) => loaded.some((url) => url.endsWith(`/dist/cli/${it}`)))),
    ])
    const marks = ['LumoAuthAgent = class', 'wait_for_decision', '<testsuite', 'Careful = class']
    expect(marks.filter((it) => there.includes(it))).toEqual(marks)
    expect(marks.filter((it) => here.includes(it))).toEqual([])
  })

  it('gives every export that needs no peer', async () => {
    const stdout = await script(`
      const names = {}
      for (const path of ['', '/client', '/express', '/contract', '/scenarios']) {
        names[path] = Object.keys(await import('lumoauth-harness' + path))
      }
      console.log(JSON.stringify(names))
    `)

    expect(JSON.parse(stdout)).toMatchObject({
      '': expect.arrayContaining(['createHarness']),
      '/client': expect.arrayContaining(['LumoAuthAgent', 'createJitFetch', 'documentTools']),
      '/express': ['lumoauthGuard'],
      '/contract': expect.arrayContaining(['AuthorizationDetail', 'covers', 'routes']),
      '/scenarios': expect.arrayContaining(['loadScenarios', 'run']),
    })
  })

  it.each(['msw', 'vitest'])('names the peer %s where it is missing', async (peer) => {
    await expect(script(`await import('lumoauth-harness/${peer}')`)).rejects.toThrow(
      `Cannot find package '${peer}'`,
    )
  })
})

describe('the action for GitHub, with the tarball,', () => {
  let port: number
  beforeAll(async () => {
    port = await freePort()
    await writeFile(join(folder, 'guarded.js'), api('guard.requiring(() => ({ detail }))'))
    await writeFile(join(folder, 'open.js'), api('(request, response, next) => next()'))
    await writeFile(join(folder, 'target.yaml'), apiTarget(port))
  })
  const acted = (inputs: Record<string, string>) =>
    composite(join(root, '.github/actions/check/action.yml'), inputs, {
      cwd: folder,
      env: { ...env, npm_config_cache: join(folder, '.npm') },
    })
  const checked = (file: string, more: Record<string, string> = {}) =>
    acted({
      seat: 'api',
      arguments: `--api-command '"${process.execPath}" ${file}'`,
      harness: tarball,
      ...more,
    })

  it('passes an API that keeps the rules, and hands its reports over', async () => {
    const { codes, output, summary, uses } = await checked('guarded.js')

    expect(codes, output).toEqual([0, 0])
    expect(summary).toContain('# Conformance')
    expect(uses.map(({ name }) => name.split('@')[0])).toEqual([
      'actions/setup-node',
      'actions/upload-artifact',
    ])
    expect(uses[1]?.with).toMatchObject({ name: 'lumoauth-check-api', path: 'lumoauth-check' })
    expect((await readdir(join(folder, 'lumoauth-check'))).sort()).toEqual([
      'junit.xml',
      'statement.json',
      'statement.md',
    ])
  }, 240_000)

  it('fails one that does not, and still hands its reports over', async () => {
    const reports = 'of the open one'
    const { codes, output, summary, uses } = await checked('open.js', { reports })

    expect(codes, output).toEqual([1, 0])
    expect(summary).toContain('API-COVERS')
    expect(uses[1]?.with).toMatchObject({ path: reports })
    const { counts } = JSON.parse(await readFile(join(folder, reports, 'statement.json'), 'utf8'))
    expect(counts.failed).toBeGreaterThan(20)
  }, 240_000)

  it('passes what is known, once a baseline says so', async () => {
    const baseline = 'known deviations.yaml'
    const command = `--api-command '"${process.execPath}" open.js'`
    await checked('open.js', { baseline, arguments: `${command} --update-baseline` })

    const { codes, output } = await checked('open.js', { baseline })

    expect(codes, output).toEqual([0, 0])
    expect(output).toContain('(known: ')
  }, 240_000)

  it('fails an agent, which needs no target', async () => {
    const { codes, output, uses } = await acted({
      seat: 'agent',
      arguments: `--only plain -- "${process.execPath}" --eval ''`,
      harness: tarball,
    })

    expect(codes, output).toEqual([1, 0])
    expect(output).toContain('the agent called neither issuer nor API')
    expect(uses[1]?.with.name).toBe('lumoauth-check-agent')
  }, 240_000)

  it('reads no input as shell code but its arguments', async () => {
    const target = '$(touch taken).yaml; touch taken'
    const { codes, output } = await checked('guarded.js', { target, baseline: '`touch taken`' })

    expect(codes, output).toEqual([2, 0])
    expect(output).toContain(`there is no ${target}`)
    expect(await readdir(folder)).not.toContain('taken')
  }, 240_000)
})

describe('the tarball, with its peers,', () => {
  beforeAll(async () => {
    const { devDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    const ours = ['typescript', '@types/node', '@types/express', 'vitest', 'msw']
    const wanted = ours.map((name) => `${name}@${devDependencies[name]}`)
    await run(folder, 'npm', 'install', '--no-save', 'express@5', ...wanted, ...judges)
  }, 300_000)

  it('type-checks in a strict project that checks libraries too', async () => {
    await typeChecks('consumer.ts', consumer, ['esnext'])
  }, 120_000)

  it('type-checks with fixtures, matchers and handlers', async () => {
    // MSW's own declarations need those of the browser.
    await typeChecks('agent.test.ts', consumerTest, ['esnext', 'dom'])
  }, 120_000)

  it('lets a project test its agent', async () => {
    await writeFile(join(folder, 'agent.test.ts'), consumerTest)

    await run(folder, 'npx', 'vitest', 'run', '--reporter', 'json', '--outputFile', 'tests.json')

    const report = JSON.parse(await readFile(join(folder, 'tests.json'), 'utf8'))
    expect(report).toMatchObject({ numPassedTests: 2, numFailedTests: 0 })
  }, 120_000)

  it('satisfies publint', async () => {
    await run(folder, 'npx', 'publint', 'node_modules/lumoauth-harness', '--strict')
  }, 60_000)

  it('satisfies are-the-types-wrong', async () => {
    await run(folder, 'npx', 'attw', tarball, '--profile', 'esm-only')
  }, 60_000)
})

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

const apiTarget = (port: number) => `api:
  url: http://127.0.0.1:${port}
  routes:
    - request: GET /plan
      requires: { type: file_access, actions: [read], identifier: plan }
limits: { requests_per_minute: 60000 }
`

/** An API as a user writes it. */
const api = (guarded: string) => `
import express from 'express'
import { lumoauthGuard } from 'lumoauth-harness/express'

const { LUMOAUTH_ISSUER, LUMOAUTH_AUDIENCE, API_CLIENT_ID, API_CLIENT_SECRET } = process.env
const detail = { type: 'file_access', actions: ['read'], identifier: 'plan' }
const guard = lumoauthGuard({
  tenant: LUMOAUTH_ISSUER,
  audience: LUMOAUTH_AUDIENCE,
  introspection: { clientId: API_CLIENT_ID, clientSecret: API_CLIENT_SECRET },
})
express()
  .get('/plan', ${guarded}, (request, response) => response.type('text').send('Sell apples.'))
  .listen(Number(process.env.PORT), process.env.HOST)
`

/** Runs a command of the package and notes which files it loads. */
const tracing = async (...args: string[]): Promise<{ stdout: string; loaded: string[] }> => {
  const hook = join(folder, 'trace.mjs')
  const trace = join(folder, 'loaded.json')
  await writeFile(hook, hookText(trace))
  await using running = new Running(process.execPath, ['--import', hook, cli(), ...args], {
    cwd: folder,
    env,
  })
  await running.prints('stdout', /\n/)
  if (args.includes('start')) running.signal('SIGTERM')
  await running.ends()
  return { stdout: running.stdout, loaded: JSON.parse(await readFile(trace, 'utf8')) }
}

const hookText = (trace: string) => `
  import { writeFileSync } from 'node:fs'
  import { registerHooks } from 'node:module'
  const loaded = []
  registerHooks({
    load: (url, context, next) => {
      if (url.startsWith('file:')) loaded.push(url)
      return next(url, context)
    },
  })
  process.on('exit', () => writeFileSync(${JSON.stringify(trace)}, JSON.stringify(loaded)))
`

const script = async (text: string): Promise<string> => {
  await writeFile(join(folder, 'script.mjs'), text)
  return run(folder, process.execPath, 'script.mjs')
}

const typeChecks = async (file: string, text: string, lib: string[]): Promise<void> => {
  await writeFile(join(folder, file), text)
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2024',
    lib,
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
  }
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, include: [file] }),
  )
  await run(folder, 'npx', 'tsc')
}

const consumer = `
import express from 'express'
import { createHarness, type Harness, type TestTenant } from 'lumoauth-harness'
import { documentTools, type JitContext, LumoAuthAgent } from 'lumoauth-harness/client'
import { AuthorizationDetail, covers } from 'lumoauth-harness/contract'
import { lumoauthGuard } from 'lumoauth-harness/express'
import { loadScenarios, run } from 'lumoauth-harness/scenarios'

const harness: Harness = await createHarness({ listen: false })
const tenant: TestTenant = harness.createTenant({ tenant: 'acme' })
const agent = new LumoAuthAgent({ env: tenant.environment, fetch: harness.fetch })
const jit: JitContext = await agent.jit()
const detail: AuthorizationDetail = { type: 'file_access', actions: ['read'] }
const guard = lumoauthGuard({ tenant: tenant.urls.tenant, audience: 'https://api.test' })

export const same: boolean = covers(detail, AuthorizationDetail.parse(detail))
export const tools = documentTools({ fetch: jit.fetch, documentsUrl: tenant.urls.api })
export const app = express().get('/', guard, (request, response) => {
  const by: string | undefined = request.auth?.sub
  response.json({ by })
})
export { loadScenarios, run }
`

const consumerTest = `
import { setupServer } from 'msw/node'
import { createHandlers } from 'lumoauth-harness/msw'
import { expect, test } from 'lumoauth-harness/vitest'

const detail = { type: 'file_access', actions: ['read'], identifier: 'doc_9982' }

test('an agent reads one document', async ({ agent, jit, tenant, clock, approver, misbehave }) => {
  approver.answers({ decision: 'approve' })
  clock.advance('PT1M')
  await misbehave({ name: 'slow-answers', times: 1 }).catch(() => {})

  const response = await jit.fetch(\`\${tenant.urls.api}/v1/documents/doc_9982\`)
  await jit.completeTask()

  expect(response.status).toBe(200)
  expect(agent).toHaveRequested(detail)
  expect(agent).toHaveUsedOnly([detail])
  expect(tenant).toHaveCompletedItsTask()
})

test.override('harnessOptions', { origins: { issuer: 'https://app.lumoauth.dev' } })

test('handlers answer for the issuer', async ({ harness }) => {
  const server = setupServer(...createHandlers(harness))
  server.listen({ onUnhandledFrame: 'bypass' })

  const response = await fetch('https://app.lumoauth.dev/healthz')
  server.close()

  expect(response.status).toBe(200)
})
`
