import { glob, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { parse } from 'yaml'
import { readAgentScenario } from '../scenarios/checks/agent/load.ts'
import { readTarget } from '../scenarios/targets/real/access.ts'
import { configuration } from '../server/start/configuration.ts'
import { ModelScript } from '../server/wire/model.ts'
import { type Block, blocksOf, pages } from './support/markdown.ts'
import { lumoauthHarness, root } from './support/running.ts'

/*
 * Checks of the pages that need no installation. `test/package/pages.test.ts` runs every command
 * and every example: in a bare clone, and in a project with the installed tarball.
 */
const blocks = pages.flatMap((page) => blocksOf(join(root, page)))
const runnable = blocks.filter(({ notRun }) => notRun === undefined)

/** These tests start whole processes, and the machine may be busy. */
vi.setConfig({ testTimeout: 60_000 })

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumoauth-pages-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('the pages', () => {
  it('are all that have a block, except what is made from declarations', async () => {
    const folders = '{client,scenarios,server,test}/**/*.md'
    const files = await Array.fromAsync(
      glob(['*.md', folders], { cwd: root, exclude: isInstalled }),
    )
    const withBlocks = files
      .filter((it) => !it.startsWith('server/reference/api/'))
      .filter((it) => blocksOf(join(root, it)).length > 0)

    expect(withBlocks.filter((it) => !pages.includes(it))).toEqual([])
  })

  it('skip no block without a reason', () => {
    const known = ['sh', 'ts', 'yaml']

    const silent = runnable.filter(({ language }) => !known.includes(language))

    expect(silent.map(({ at, language }) => `${at} (${language})`)).toEqual([])
  })

  it('run no package by a name that others may register', () => {
    const fetching = blocks.filter(({ text }) =>
      /\bnpx\b|npm exec(?! --no )|npm install (?:\S+ )*lumoauth-harness\b/.test(text),
    )

    expect(fetching.map(({ at }) => at)).toEqual([])
  })

  it('leave to .ci/run only its own steps', async () => {
    const steps = await readFile(join(root, '.ci/run'), 'utf8')
    const commands = blocks
      .filter(({ slow }) => slow === 'a step of .ci/run')
      .flatMap(({ text }) => text.trim().split(/ && |\n/))
      .map((it) => it.replace('npm run harness -- ', 'node scenarios/cli.ts '))

    expect(commands.length).toBeGreaterThan(2)
    expect(commands.filter((it) => !steps.includes(it))).toEqual([])
  })

  it.each(pages)('%s has no broken link', async (page) => {
    const text = await readFile(join(root, page), 'utf8')
    const links = [...text.matchAll(/\]\((?!https?:)([^)\s]+)/g)].map(([, link = '']) => link)

    const broken = await Promise.all(
      links.map(async (link) => {
        const [path = '', anchor] = link.split('#')
        const file = path === '' ? join(root, page) : resolve(root, dirname(page), path)
        const found = await readFile(file, 'utf8').catch(nowhere)
        const isThere = found !== undefined && (!anchor || anchorsOf(found).includes(anchor))
        return isThere ? [] : [link]
      }),
    )

    expect(broken.flat()).toEqual([])
  })
})

const isInstalled = (file: string) => file.includes('node_modules')

/** A link to a folder is valid, too. */
const nowhere = (error: NodeJS.ErrnoException) => (error.code === 'EISDIR' ? 'folder' : undefined)

/** The anchors of the headings of a page. */
const anchorsOf = (page: string): string[] =>
  [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

describe('a file', () => {
  const files = runnable.filter(({ language }) => language === 'yaml')
  const holding = (key: string) =>
    files.filter(({ text }) => Object.hasOwn(parse(text) as object, key))

  it('is of a tested kind', () => {
    const tried = ['scenario', 'tenants', 'rules', 'cases', 'api', 'issuer', 'models'].flatMap(
      holding,
    )

    expect(files.filter((it) => !tried.includes(it)).map(({ at }) => at)).toEqual([])
  })

  it.each(holding('tenants'))('that start reads: $at', async (block) => {
    expect(await configuration({ config: await saved(block) })).not.toHaveLength(0)
  })

  it.each(holding('rules'))('with a policy: $at', async (block) => {
    expect(await configuration({ policy: await saved(block) })).toHaveLength(1)
  })

  it.each(holding('api').concat(holding('issuer')))('that names a target: $at', ({ text }) => {
    expect(readTarget('target.yaml', text).problems).toEqual([])
  })

  it.each(holding('models'))('with replies of the model: $at', ({ text }) => {
    expect(ModelScript.safeParse(parse(text)).error).toBeUndefined()
  })

  it.each(holding('world'))('with a scenario for an agent: $at', ({ text }) => {
    expect(readAgentScenario('agent.yaml', text).problems).toEqual([])
  })

  it.each(holding('steps'))('with a scenario: $at', async (block) => {
    await using running = lumoauthHarness(['run', await saved(block)])

    expect(await running.ends(), running.stdout).toBe(0)
  })

  it.each(holding('cases'))('with tests of a policy: $at', async (block) => {
    await using running = lumoauthHarness(['policy', 'test', await saved(block)])

    expect(await running.ends(), running.stdout).toBe(0)
  })
})

const saved = async ({ at, text }: Block): Promise<string> => {
  const file = join(folder, `${at.replace(/\W+/g, '-')}.yaml`)
  await writeFile(file, text)
  return file
}
