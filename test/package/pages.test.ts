import { copyFile, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, delimiter, dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { type Block, type BlockPlace, blocksOf, pages } from '../support/markdown.ts'
import { Running, root } from '../support/running.ts'
import { filesOfRepository } from './dockerfile.ts'
import { environmentWith, installNode } from './project.ts'

/*
 * Every command and every example of the pages, unchanged, in the place its page names, from
 * scratch: a bare clone on the oldest Node that may install it, and an empty folder with the
 * tarball.
 */
vi.setConfig({ testTimeout: 300_000 })

const isFull = process.env.FULL !== undefined

const places: readonly (readonly [BlockPlace, string])[] = [
  ['repository', '20'],
  ...(process.env.NODES?.split(',') ?? ['22.18.0', ...(isFull ? ['24', '26'] : [])]).map(
    (it) => ['project', it] as const,
  ),
]

describe.each(places)('the pages, in the %s, on Node %s,', (place, version) => {
  let home: string
  let folder: string
  let env: NodeJS.ProcessEnv
  let served: Running | undefined
  let environment: NodeJS.ProcessEnv = {}
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), `lumoauth-pages-${place}-`))
    folder = join(home, 'folder')
    await mkdir(folder)
    const node = await installNode(join(home, 'node'), version)
    env = {
      ...environmentWith(node),
      // Without the variables of the Node and the tests that run this, and with free ports.
      PATH: [dirname(node), ...(process.env.PATH ?? '').split(delimiter).filter(isForeign)].join(
        delimiter,
      ),
      LUMOAUTH_HARNESS_PORT: '0',
      LUMOAUTH_HARNESS_API_PORT: '0',
    }
    for (const name of Object.keys(env)) if (/^vitest|^test$/i.test(name)) delete env[name]
    if (place === 'repository') await copyRepository(folder)
    else await copyFile(inject('tarball'), join(folder, basename(inject('tarball'))))
    for (const { file = '', text } of blocksIn(place)) {
      if (/\.(?:ts|py)$/.test(file)) await writeFile(join(folder, file), text)
    }
  }, 300_000)
  afterAll(async () => {
    console.log(tableOf(place, passed).join('\n'))
    await served?.[Symbol.asyncDispose]()
    await rm(home, { recursive: true, force: true })
  })

  const passed = new Set<string>()
  afterEach(({ task }) => {
    if (task.result?.state === 'pass') passed.add(task.name)
  })

  it.each(stepsIn(place))('$at', async (block) => {
    const { text, language, prints = '' } = block
    const how = { cwd: folder, env: { ...env, ...environment } }
    if (isServer(block)) {
      served = new Running('bash', ['-euo', 'pipefail', '-c', text], how)
      await served.prints('stdout', /Ctrl-C ends it/)
      expect(served.stdout).toContain(prints)
      environment = exportedIn(served.stdout)
      expect(Object.keys(environment)).toContain('LUMOAUTH_URL')
      return
    }
    if (isPage(block)) {
      await using running = new Running('bash', ['-euo', 'pipefail', '-c', text], how)
      await running.prints('stdout', /Ctrl-C ends it/)
      expect(running.stdout).toContain(prints)
      return
    }
    const script = `${block.at.replace(/\W+/g, '-')}.ts`
    if (language === 'ts') await writeFile(join(folder, script), text)
    const [command, ...args] =
      language === 'ts' ? ['node', script] : ['bash', '-euo', 'pipefail', '-c', text]

    await using running = new Running(command as string, args, how)

    expect(await running.ends(), `${running.stdout}\n${running.stderr}`).toBe(0)
    expect(running.stdout).toContain(prints)
  })
})

/** Whether a folder of the path is not one of ours. */
const isForeign = (folder: string) => !folder.startsWith(root)

/** Runs until it gets a signal. */
const isServer = ({ text }: Block) => /^npm (?:start|run lumoauth)$/.test(text.trim())

/** Serves a page until it gets a signal. */
const isPage = ({ text }: Block) => text.trim().endsWith(' --ui')

/** The blocks of all pages for one place, whether or not they are run. */
function blocksIn(place: BlockPlace): Block[] {
  return pages.flatMap((page) => blocksOf(join(root, page))).filter((it) => it.place === place)
}

/**
 * The blocks run in a place, in the order of the pages. A command of their page runs files with a
 * name.
 */
function stepsIn(place: BlockPlace): Block[] {
  return blocksIn(place).filter(
    ({ language, notRun, slow, file }) =>
      notRun === undefined &&
      (slow === undefined || (isFull && slow === 'a step of .ci/run')) &&
      (language === 'sh' || (language === 'ts' && file === undefined)),
  )
}

/** What became of each block, counted by page: `README.md | project | 12 passed, 1 …`. */
function tableOf(place: BlockPlace, passed: ReadonlySet<string>): string[] {
  const blocks = blocksIn(place)
  const steps = new Set(stepsIn(place).map(({ at }) => at))
  const resultOf = ({ at, file, language, notRun = '', slow }: Block) => {
    if (steps.has(at)) return passed.has(at) ? 'passed' : 'failed'
    if (slow !== undefined) return slow
    if (notRun !== '') return notRun.includes('test/') ? 'run by another test' : 'shown only'
    if (language === 'yaml') return 'read by test/readme.test.ts'
    return file === undefined ? 'not run' : 'saved, and run by a command of its page'
  }
  const rows = Map.groupBy(blocks, ({ at }) => at.split(':')[0])
  return [...rows, ['all', blocks] as const].map(([page, its]) => {
    const counts = [...Map.groupBy(its, resultOf)].map(([name, all]) => `${all.length} ${name}`)
    return [page, place, counts.join(', ')].join(' | ')
  })
}

/** The variables that `start` prints for bash. */
const exportedIn = (text: string): NodeJS.ProcessEnv =>
  Object.fromEntries(
    [...text.matchAll(/^export (\w+)='(.*)'$/gm)].map(([, name, value]) => [name, value]),
  )

/** The files of the repository as they are now, without installed or built ones. */
const copyRepository = async (folder: string): Promise<void> => {
  for (const file of await filesOfRepository()) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    await cp(join(root, file), join(folder, file))
  }
}
