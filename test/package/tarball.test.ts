import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Running, root } from '../support/running.ts'

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
    expect(
      loaded.filter((it) => /dist\/(client|scenarios\/(runner|reports|targets))/.test(it)),
    ).toEqual([])
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

/** Runs a command of the package and notes which files it loads. */
const tracing = async (...args: string[]): Promise<{ stdout: string; loaded: string[] }> => {
  const hook = join(folder, 'trace.mjs')
  const trace = join(folder, 'loaded.json')
  await writeFile(hook, hookText(trace))
  const cli = join(folder, 'node_modules/lumoauth-harness/dist/scenarios/cli.js')
  await using running = new Running(process.execPath, ['--import', hook, cli, ...args], {
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
