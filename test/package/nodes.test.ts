import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { Running, root } from '../support/running.ts'
import {
  agentTest,
  asWeUse,
  createProject,
  environmentWith,
  installNode,
  type Project,
  run,
  runIn,
  writeApis,
} from './project.ts'

const { engines } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))

/** The oldest supported Node and the newest; all between with `FULL=1`, others with `NODES=22,24`. */
const versions = process.env.NODES?.split(',') ?? [
  `${engines.node.replace('>=', '')}.0`,
  ...(process.env.FULL ? ['22', '24', '25'] : []),
  '26',
]

let project: Project
beforeAll(async () => {
  project = await createProject(inject('tarball'))
  const { folder } = project
  await run(folder, 'npm', 'install', 'express@5', ...(await asWeUse('vitest', 'msw')))
  await writeApis(folder)
  await writeFile(join(folder, 'agent.test.ts'), agentTest)
}, 300_000)
afterAll(() => project[Symbol.asyncDispose]())

describe.each(versions)('the tarball, on Node %s,', (version) => {
  let home: string
  let node: string
  let env: NodeJS.ProcessEnv
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), `node-${version}-`))
    node = await installNode(home, version)
    env = { ...environmentWith(node), NODE_COMPILE_CACHE: join(home, 'compiled') }
  }, 120_000)
  afterAll(() => rm(home, { recursive: true, force: true }))

  const command = (...args: string[]) =>
    new Running(node, [project.cli, ...args], { cwd: project.folder, env })

  /** Runs a command of the package and records the files it loads. */
  const tracing = async (...args: string[]): Promise<{ stdout: string; loaded: string[] }> => {
    const hook = join(home, 'trace.mjs')
    const trace = join(home, 'loaded.json')
    await writeFile(hook, hookText(trace))
    await using running = new Running(node, ['--import', hook, project.cli, ...args], {
      cwd: project.folder,
      env,
    })
    await running.prints('stdout', /\n/)
    if (args.includes('start')) running.signal('SIGTERM')
    await running.ends()
    return { stdout: running.stdout, loaded: JSON.parse(await readFile(trace, 'utf8')) }
  }

  it('runs on that Node', async () => {
    const printed = await runIn({ cwd: home, env }, 'node', '--version')

    expect(`${printed.trim().slice(1)}.`.startsWith(`${version}.`)).toBe(true)
  })

  it('prints help for each command, without loading the command', async () => {
    const { stdout, loaded } = await tracing('--help')

    expect(stdout).toContain('Usage: lumoauth-harness [options] [command]')
    expect(loaded.filter((it) => !it.includes('lumoauth-harness/dist/'))).toEqual([])
    expect(loaded.length).toBeLessThan(10)
  })

  it('runs the whole suite', async () => {
    const stdout = await runIn({ cwd: project.folder, env }, project.bin, 'run')

    expect(stdout).toMatch(/\d+ passed, 0 failed/)
  }, 180_000)

  it('leaves a refused response readable after garbage collection', async () => {
    const script = join(project.folder, 'refused.mjs')
    await writeFile(script, refusedAndCollected)

    const stdout = await runIn({ cwd: project.folder, env }, node, '--expose-gc', script)

    expect(stdout).toBe('20 of 20 readable\n')
  }, 60_000)

  it('brings its own Express', async () => {
    const { stdout, loaded } = await tracing('run', 'founding', '--host', 'express')

    expect(stdout).toMatch(/\d+ passed, 0 failed/)
    expect(loaded.filter((it) => it.includes('node_modules/express/'))).toEqual([])
  }, 60_000)

  it('starts, without loading client or scenarios', async () => {
    const { stdout, loaded } = await tracing('start', '--port', '0', '--api-port', '0', '--json')

    expect(JSON.parse(stdout)).toMatchObject({ tenant: 'acme-corp', client_id: 'report-bot' })
    const chunks = dirname(project.cli)
    const all = (await readdir(chunks)).filter((it) => it.endsWith('.js'))
    const texts = async (names: readonly string[]) =>
      (await Promise.all(names.map((it) => readFile(join(chunks, it), 'utf8')))).join()
    const [there, here] = await Promise.all([
      texts(all),
      texts(all.filter((it) => loaded.some((url) => url.endsWith(`/dist/cli/${it}`)))),
    ])
    const marks = [
      'LumoAuthAgent = class',
      'wait_for_decision',
      '<testsuite',
      'RateLimitedFetch = class',
    ]
    expect(marks.filter((it) => there.includes(it))).toEqual(marks)
    expect(marks.filter((it) => here.includes(it))).toEqual([])
  })

  it('checks an API', async () => {
    const api = `"${node}" guarded.js`
    await using check = command('check', 'api', '--target', 'target.yaml', '--api-command', api)

    expect(await check.ends(), check.stdout + check.stderr).toBe(0)
    expect(check.stdout).toMatch(/\d+ passed, 0 failed/)
  }, 180_000)

  it('checks an agent', async () => {
    await using check = command('check', 'agent', '--only', 'happy-path', '--', node, '--eval', '')

    expect(await check.ends(), check.stderr).toBe(1)
    expect(check.stdout).toContain('the agent called neither issuer nor API')
  }, 180_000)

  it('provides every export', async () => {
    const paths = ['', '/client', '/express', '/contract', '/scenarios', '/msw']
    const text = `
      const names = {}
      for (const path of ${JSON.stringify(paths)}) {
        names[path] = Object.keys(await import('lumoauth-harness' + path))
      }
      console.log(JSON.stringify(names))
    `
    await writeFile(join(project.folder, 'exports.js'), text)

    const stdout = await runIn({ cwd: project.folder, env }, 'node', 'exports.js')

    expect(JSON.parse(stdout)).toMatchObject({
      '': expect.arrayContaining(['createHarness']),
      '/client': expect.arrayContaining(['LumoAuthAgent', 'createJitFetch', 'documentTools']),
      '/express': ['expressApps', 'lumoauthGuard'],
      '/contract': expect.arrayContaining(['AuthorizationDetail', 'covers', 'routes']),
      '/scenarios': expect.arrayContaining(['loadScenarios', 'run']),
      '/msw': expect.arrayContaining(['createHandlers']),
    })
  })

  it('lets a project test its agent', async () => {
    const output = ['--reporter', 'json', '--outputFile', 'tests.json']
    await runIn({ cwd: project.folder, env }, 'npx', 'vitest', 'run', ...output)

    const report = JSON.parse(await readFile(join(project.folder, 'tests.json'), 'utf8'))
    expect(report).toMatchObject({ numPassedTests: 2, numFailedTests: 0 })
  }, 180_000)
})

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

/** Node 22.18 cancels the body of a response when a clone of it is collected (nodejs/undici#4414). */
const refusedAndCollected = `import { createHarness } from 'lumoauth-harness'
import { LumoAuthAgent } from 'lumoauth-harness/client'

const rules = [{ name: 'none', risk: 'low', decision: 'deny', reason: 'not today' }]
const harness = await createHarness({ tenants: [{ policy: { rules } }] })
const { environment } = harness.tenants[0]
const jit = await new LumoAuthAgent({ env: environment, origins: [harness.api] }).jit()
const url = environment.DOCUMENTS_API_URL + '/v1/documents/doc_9982'
const responses = await Promise.all(Array.from({ length: 20 }, () => jit.fetch(url)))
for (let at = 0; at < 20; at += 1) {
  globalThis.gc()
  await new Promise((resolve) => setImmediate(resolve))
}
const texts = await Promise.all(responses.map((it) => it.text().catch(() => '')))
console.log(texts.filter((it) => it.includes('"error"')).length + ' of 20 readable')
await jit.completeTask()
await harness.close()
`
