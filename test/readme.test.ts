import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { parse } from 'yaml'
import { createHarness, type Harness } from '../server/index.ts'
import { configuration } from '../server/start/configuration.ts'
import { type Block, blocksOf } from './support/markdown.ts'
import { Running, root } from './support/running.ts'

/**
 * Every command and every example on these pages is run. For those that are not, the page says why.
 */
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'server/README.md',
  'server/issuer/README.md',
  'test/README.md',
]
const blocks = pages.flatMap((page) => blocksOf(join(root, page)))
const runnable = blocks.filter(({ notRun }) => notRun === undefined)
const written = (language: string) => runnable.filter((it) => it.language === language)

/** What the page says, and its replacement here, since this already runs inside it. */
const instead: readonly (readonly [RegExp, string])[] = [
  [/^npm ci && /gm, 'npm ci --dry-run --silent && '],
  [/npm run scenarios$/gm, 'npm run scenarios -- founding'],
  [/^(.*&& )?npm test$/gm, '$1npm pkg get scripts.test'],
  [/^(.*&& )?npm run (check|build|test:\w+)$/gm, '$1npm pkg get scripts.$2'],
  [/node_modules\/\.bin\/lumoauth-harness/g, 'node_modules/.bin/node scenarios/cli.ts'],
]

/** These tests start whole processes, and the machine may be busy. */
vi.setConfig({ testTimeout: 60_000 })

const folder = join(root, '.cache/readme')

/** Without the variables of the Vitest and npm that run these tests. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(vitest|npm_)/i.test(name)),
)

let harness: Harness
let environment: NodeJS.ProcessEnv

beforeAll(async () => {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  harness = await createHarness({ tenants: [{ tenant: 'acme-corp' }] })
  environment = { ...env, ...harness.tenants[0]?.environment }
})

afterAll(async () => {
  await harness.close()
  await rm(folder, { recursive: true, force: true })
})

describe('the pages', () => {
  it('skip no block without a reason', () => {
    const known = ['sh', 'ts', 'yaml']

    const silent = runnable.filter(({ language }) => !known.includes(language))

    expect(silent.map(({ at, language }) => `${at} (${language})`)).toEqual([])
  })

  it.each(pages)('%s has no broken link', async (page) => {
    const text = await readFile(join(root, page), 'utf8')
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link = '']) => link)

    const missing = await Promise.all(
      links.map((link) => readFile(resolve(root, dirname(page), link)).catch(nowhere)),
    )

    expect(links.filter((_, at) => missing[at] === undefined)).toEqual([])
  })
})

/** A link to a folder is valid, too. */
const nowhere = (error: NodeJS.ErrnoException) => (error.code === 'EISDIR' ? 'folder' : undefined)

describe('a command', () => {
  const servers = written('sh').filter(({ text }) => /^npm start$/.test(text.trim()))
  const others = written('sh').filter((it) => !servers.includes(it))

  it.each(servers)('that serves: $at', async () => {
    await using running = new Running(
      'npm',
      ['start', '--silent', '--', '--port', '0', '--api-port', '0'],
      { env },
    )

    await running.prints('stdout', /Ctrl-C ends it/)
    expect(running.stderr).toBe('')
  })

  it.each(others)('that ends: $at', async ({ text, prints }) => {
    const [port, apiPort] = await freePorts()
    const here = instead
      .reduce((it, [what, by]) => it.replace(what, by), text)
      .replaceAll('4400', `${port}`)
      .replaceAll('4401', `${apiPort}`)

    await using running = new Running('bash', ['-euo', 'pipefail', '-c', here], {
      env: environment,
    })

    expect(await running.ends(), `${running.stdout}\n${running.stderr}`).toBe(0)
    expect(running.stdout).toContain(prints ?? '')
  })
})

describe('an example', () => {
  const tests = written('ts').filter(({ text }) => /'(lumoauth-harness\/)?vitest'/.test(text))
  const scripts = written('ts').filter((it) => !tests.includes(it))

  it.each(scripts)('in TypeScript: $at', async (block) => {
    const file = await saved(block, 'ts')

    await using running = new Running(process.execPath, [file], { env: environment })

    expect(await running.ends(), running.stderr).toBe(0)
    expect(running.stdout).toContain(block.prints ?? '')
  })

  it('of a test passes', async () => {
    for (const block of tests) await saved(block, 'test.ts')

    await using running = new Running(
      process.execPath,
      [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder],
      { env: { ...env, NO_COLOR: '1' } },
    )

    expect(await running.ends(), `${running.stdout}\n${running.stderr}`).toBe(0)
    expect(running.stdout).toContain(`Test Files  ${tests.length} passed`)
  })

  it('in TypeScript has correct types', async () => {
    for (const block of scripts) await saved(block, 'ts')
    for (const block of tests) await saved(block, 'test.ts')
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: '../../tsconfig.json', include: ['*.ts'] }),
    )

    await using running = new Running(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder],
      { env },
    )

    expect(await running.ends(), running.stdout).toBe(0)
  })
})

describe('a file', () => {
  const files = written('yaml')
  const holding = (key: string) =>
    files.filter(({ text }) => Object.hasOwn(parse(text) as object, key))

  it('is of a tested kind', () => {
    const tried = ['scenario', 'tenants', 'rules'].flatMap(holding)

    expect(files.filter((it) => !tried.includes(it)).map(({ at }) => at)).toEqual([])
  })

  it.each(holding('tenants'))('that start reads: $at', async (block) => {
    expect(await configuration({ config: await saved(block, 'yaml') })).not.toHaveLength(0)
  })

  it.each(holding('rules'))('with a policy: $at', async (block) => {
    expect(await configuration({ policy: await saved(block, 'yaml') })).toHaveLength(1)
  })

  it.each(holding('scenario'))('with a scenario: $at', async (block) => {
    const file = await saved(block, 'yaml')

    await using running = new Running(
      process.execPath,
      [join(root, 'scenarios/cli.ts'), 'run', file],
      { env },
    )

    expect(await running.ends(), running.stdout).toBe(0)
  })
})

/** Two ports that were free a moment ago. */
const freePorts = async (): Promise<[string, string]> => {
  await using harness = await createHarness()
  return [new URL(harness.issuer).port, new URL(harness.api).port]
}

/** Keeps a block as a reader would, with the package's name resolved to its sources. */
const saved = async ({ at, text }: Block, suffix: string): Promise<string> => {
  const file = join(folder, `${at.replace(/\W+/g, '-')}.${suffix}`)
  const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const led = text.replace(/'lumoauth-harness(\/\w+)?'/g, (_, path = '') => {
    const built: string = exports[`.${path}`].default
    return `'${built.replace('./dist', '../..').replace(/\.js$/, '.ts')}'`
  })
  await writeFile(file, led)
  return file
}
