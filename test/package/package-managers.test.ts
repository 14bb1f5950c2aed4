import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { figure } from '../support/figure.ts'
import { root } from '../support/running.ts'
import { agentTest, asWeUse, environmentWith, run, runIn } from './project.ts'

/*
 * The tarball in an empty project of each package manager, with strict peers and, where the manager
 * has one, a layout that hides undeclared packages.
 */

/** How a package manager installs and runs packages. */
type Manager = Readonly<{
  title: string
  /** The package of the registry that is the manager, pinned. Without one: the npm of this Node. */
  tool?: string
  /** Files of settings. */
  settings?: Readonly<Record<string, string>>
  /** Installs the packages that follow as development dependencies. */
  add: readonly string[]
  /** Runs a command of an installed package. */
  exec: readonly string[]
  /** Runs a file with the packages of the project. Default `node`. */
  node?: readonly string[]
  /** Does not install the peers of Vitest. */
  omitsPeers?: true
  /** A compiler that understands the layout. Default: the one of the repository. */
  typescript?: string
}>

const strictPnpm = 'strictPeerDependencies: true\nhoist: false\n'
const npm = { add: ['npm', 'install', '--save-dev'], exec: ['npm', 'exec', '--no', '--'] }
const pnpm = { add: ['pnpm', 'add', '--save-dev'], exec: ['pnpm', 'exec'] }
const yarn = { add: ['yarn', 'add', '--dev'], exec: ['yarn', 'run'], omitsPeers: true } as const
const yarn4 = (linker: string) => ({
  ...yarn,
  tool: '@yarnpkg/cli-dist@4.18.1',
  settings: { '.yarnrc.yml': `nodeLinker: ${linker}\nenableTelemetry: false\n`, 'yarn.lock': '' },
})

const managers: readonly Manager[] = [
  { title: 'npm', ...npm, settings: { '.npmrc': 'strict-peer-deps=true\n' } },
  {
    title: 'pnpm 12, global virtual store',
    ...pnpm,
    tool: 'pnpm@12.21.0',
    settings: { 'pnpm-workspace.yaml': `${strictPnpm}enableGlobalVirtualStore: true\n` },
  },
]
const withFull: readonly Manager[] = [
  {
    title: 'npm, linked',
    ...npm,
    settings: { '.npmrc': 'strict-peer-deps=true\ninstall-strategy=linked\n' },
  },
  ...['12.21.0', '11.28.10', '10.34.8'].map((version) => ({
    title: `pnpm ${version.slice(0, 2)}`,
    ...pnpm,
    tool: `pnpm@${version}`,
    settings: { 'pnpm-workspace.yaml': strictPnpm },
  })),
  { title: 'Yarn 1', ...yarn, tool: 'yarn@1.22.22', exec: ['yarn', '--silent', 'run'] },
  { title: 'Yarn 4, node-modules', ...yarn4('node-modules') },
  // TypeScript 7 does not read this layout.
  { title: 'Yarn 4, PnP', ...yarn4('pnp'), node: ['yarn', 'node'], typescript: 'typescript@5.9.3' },
  {
    title: 'Bun',
    tool: 'bun@1.4.5',
    add: ['bun', 'add', '--dev'],
    exec: ['bun', 'run'],
  },
  {
    title: 'Bun, isolated, also as the runtime',
    tool: 'bun@1.4.5',
    settings: { 'bunfig.toml': '[install]\nlinker = "isolated"\n' },
    add: ['bun', 'add', '--dev'],
    exec: ['bun', '--bun', 'run'],
    node: ['bun'],
  },
]

const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))

describe.each(process.env.FULL ? [...managers, ...withFull] : managers)('$title', (manager) => {
  const { title, tool, add, exec, node = ['node'], typescript } = manager
  let home: string
  let folder: string
  let env: NodeJS.ProcessEnv
  let missing: string | undefined
  let installed = ''
  const outcome: Record<string, unknown> = {}

  const command = ([name = '', ...first]: readonly string[], ...args: string[]) =>
    runIn({ cwd: folder, env }, name, ...first, ...args)

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'lumoauth-manager-'))
    folder = join(home, 'project')
    await mkdir(folder)
    missing = tool === undefined ? undefined : await installTool(home, tool)
    if (missing !== undefined) return
    env = await environmentOf(home)
    for (const [file, text] of Object.entries(manager.settings ?? {})) {
      await writeFile(join(folder, file), text)
    }
    await writeFile(
      join(folder, 'package.json'),
      JSON.stringify({ name: 'project', type: 'module', private: true }),
    )
    const tarball = basename(inject('tarball'))
    await copyFile(inject('tarball'), join(folder, tarball))
    const names = ['vitest', 'msw', 'pg', '@types/express', '@types/node']
    const packages = [
      `lumoauth-harness@file:./${tarball}`,
      'express@5',
      ...(await asWeUse(...names)),
      ...(typescript === undefined ? await asWeUse('typescript') : [typescript]),
      // Vite 8.4.0 has an optional dependency that the registry does not have; Yarn stops there.
      ...(manager.omitsPeers ? ['vite@8.3.8'] : []),
    ]
    installed = await command(['bash', '-c', 'exec "$@" 2>&1', 'bash', ...add], ...packages)
    await writeFile(join(folder, 'agent.test.ts'), agentTest)
    await writeFile(join(folder, 'every-entry-point.ts'), everyEntryPoint)
    await writeFile(join(folder, 'journal.ts'), journalInPostgres)
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
  }, 300_000)
  beforeEach(({ skip }) => {
    if (missing !== undefined) skip(missing)
  })
  afterAll(async () => {
    figure(`package manager, ${title}`, missing === undefined ? outcome : { skipped: missing })
    await rm(home, { recursive: true, force: true })
  })

  it('installs the package without a complaint about it', () => {
    outcome.manager = tool ?? 'npm'

    expect(installed.split('\n').filter((it) => /lumoauth.*peer|peer.*lumoauth/i.test(it))).toEqual(
      [],
    )
  })

  it('type-checks a file that imports every entry point', async () => {
    expect(await command(exec, 'tsc', '--pretty', 'false').catch(String)).toBe('')
    outcome.types = 'passed'
  }, 120_000)

  it('runs the command', async () => {
    expect(await command(exec, 'lumoauth-harness', '--version')).toContain(version)
    expect(await command(exec, 'lumoauth-harness', 'run', 'founding')).toMatch(
      /[1-9]\d* passed, 0 failed/,
    )
    outcome.command = 'passed'
  }, 60_000)

  it('lets a program import every entry point', async () => {
    const stdout = await command(node, 'every-entry-point.ts')

    expect(stdout).toContain('read doc_9982: true')
    outcome.library = 'passed'
  }, 60_000)

  it('lets the package import pg', async () => {
    expect(await command(node, 'journal.ts')).toMatch(/ECONNREFUSED|Failed to connect/)
    outcome.pg = 'passed'
  }, 60_000)

  it('lets a project test its agent', async ({ skip }) => {
    skip(node[0] === 'bun', 'Vitest 5.1 does not start on Bun')
    const output = ['--reporter', 'json', '--outputFile', 'tests.json']
    await command(exec, 'vitest', 'run', ...output)

    const report = JSON.parse(await readFile(join(folder, 'tests.json'), 'utf8'))
    expect(report).toMatchObject({ numPassedTests: 2, numFailedTests: 0 })
    outcome.vitest = 'passed'
  }, 120_000)
})

/** @returns why it cannot be installed, if the registry does not have it */
const installTool = async (home: string, tool: string): Promise<string | undefined> => {
  const name = tool.replace(/@[^@]+$/, '')
  await writeFile(join(home, 'package.json'), JSON.stringify({ allowScripts: { [name]: true } }))
  try {
    await run(home, 'npm', 'install', '--no-audit', '--no-fund', tool)
    return undefined
  } catch (error) {
    if (/\bE404\b|\bETARGET\b/.test(String(error))) return `the registry does not have ${tool}`
    throw error
  }
}

/** The manager first in the path, its stores and caches in `home`, and the registry of npm. */
const environmentOf = async (home: string): Promise<NodeJS.ProcessEnv> => {
  const base = environmentWith()
  const registry = (await run(home, 'npm', 'config', 'get', 'registry')).trim()
  return {
    ...base,
    PATH: [join(home, 'node_modules/.bin'), base.PATH].join(delimiter),
    npm_config_registry: registry,
    YARN_NPM_REGISTRY_SERVER: registry.replace(/\/$/, ''),
    YARN_CACHE_FOLDER: join(home, 'yarn'),
    YARN_GLOBAL_FOLDER: join(home, 'berry'),
    BUN_INSTALL_CACHE_DIR: join(home, 'bun'),
    XDG_DATA_HOME: join(home, 'data'),
    XDG_CACHE_HOME: join(home, 'cache'),
    XDG_STATE_HOME: join(home, 'state'),
  }
}

const compilerOptions = {
  module: 'nodenext',
  target: 'es2024',
  lib: ['esnext', 'dom'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  resolveJsonModule: true,
  noEmit: true,
}

const everyEntryPoint = `
import express from 'express'
import { createHarness, type Harness } from 'lumoauth-harness'
import { documentTools, LumoAuthAgent } from 'lumoauth-harness/client'
import { AuthorizationDetail, covers } from 'lumoauth-harness/contract'
import { expressApps, lumoauthGuard } from 'lumoauth-harness/express'
import { createHandlers } from 'lumoauth-harness/msw'
import about from 'lumoauth-harness/package.json' with { type: 'json' }
import { loadScenarios, type Run, run } from 'lumoauth-harness/scenarios'
import type { test } from 'lumoauth-harness/vitest'
import { setupServer } from 'msw/node'

const harness: Harness = await createHarness({ listen: false })
const tenant = harness.createTenant({ tenant: 'acme' })
const { environment: env, urls } = tenant
const agent = new LumoAuthAgent({ env, fetch: harness.fetch, origins: [urls.api] })
const jit = await agent.jit()
const tools = documentTools({ fetch: jit.fetch, documentsUrl: urls.api })
const read = await tools.fetch_sensitive_document.attempt({ document_id: 'doc_9982' })
await jit.completeTask()

const guard = lumoauthGuard({ tenant: urls.tenant, audience: 'https://api.test' })
const app = express().get('/', guard, (request, response) => {
  const by: string | undefined = request.auth?.sub
  response.json({ by })
})
app.use(expressApps(harness).issuer)
const server = setupServer(...createHandlers(harness))
server.listen()
server.close()
await harness.close()

const detail = AuthorizationDetail.parse({ type: 'file_access', actions: ['read'] })
if (!covers(detail, detail)) throw new Error('a detail covers itself')
console.log(about.version, 'read doc_9982:', read.ok)
export type { Run, test }
export { loadScenarios, run }
`

const journalInPostgres = `
import { createHarness } from 'lumoauth-harness'

// Nothing listens on port 1.
await createHarness({ journal: 'postgres://127.0.0.1:1/x' }).then(
  () => console.log('started'),
  (error) => console.log(String(error), String(error.cause)),
)
`
