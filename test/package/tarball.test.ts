import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { root } from '../support/running.ts'
import { createProject, type Project, run } from './project.ts'

let project: Project
beforeAll(async () => {
  project = await createProject(inject('tarball'))
}, 300_000)
afterAll(() => project[Symbol.asyncDispose]())

describe('the tarball, in an empty project,', () => {
  it('installs no development tool', async () => {
    const installed = await readdir(join(project.folder, 'node_modules'))

    const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    expect(Object.keys(dependencies).filter((it) => !installed.includes(it))).toEqual([])
    for (const tool of ['vitest', 'msw', 'typescript', '@biomejs', '@types', 'node']) {
      expect(installed).not.toContain(tool)
    }
  })

  it('contains every suite unchanged', async () => {
    const suitesIn = async (place: string) =>
      (await readdir(join(place, 'scenarios'), { recursive: true }))
        .filter((it) => /^[\w-]*suite\/.*\.yaml$/.test(it))
        .sort()

    const ours = await suitesIn(root)

    expect(await suitesIn(join(project.folder, 'node_modules/lumoauth-harness'))).toEqual(ours)
    expect(new Set(ours.map((it) => it.split('/')[0])).size).toBe(4)
  })

  it('contains the compiled files and the suite, and no tests', async () => {
    const files = await readdir(join(project.folder, 'node_modules/lumoauth-harness'), {
      recursive: true,
    })

    expect(files).toContain('README.md')
    expect(files).toContain('scenarios/scenario.schema.json')
    expect(files.filter((it) => /\.test\.ts|^test\/(?!.*README|bench$)/.test(it))).toEqual([])
  })

  it('contains the licence of every bundled package, and its own', async () => {
    const folder = join(project.folder, 'node_modules/lumoauth-harness')

    expect(await readFile(join(folder, 'LICENSE'), 'utf8')).toMatch(/^MIT License/)
    expect((await readdir(join(folder, 'dist/cli/licences'))).sort()).toEqual(
      expect.arrayContaining(['commander.txt', 'express.txt', 'jose.txt', 'zod.txt']),
    )
  })

  it('maps every declaration to its source', async () => {
    const dist = join(project.folder, 'node_modules/lumoauth-harness/dist')
    const files = await readdir(dist, { recursive: true })
    const maps = files.filter((it) => it.endsWith('.d.ts.map'))

    const missing = await Promise.all(
      maps.map(async (it) => {
        const { sources } = JSON.parse(await readFile(join(dist, it), 'utf8'))
        const source = join(dist, dirname(it), sources[0])
        return readFile(source).then(
          () => [],
          () => [source],
        )
      }),
    )

    expect(maps.length).toBeGreaterThan(200)
    expect(maps.length).toBe(files.filter((it) => it.endsWith('.d.ts')).length)
    expect(missing.flat()).toEqual([])
  })

  it('contains every page and picture that its pages link to', async () => {
    const folder = join(project.folder, 'node_modules/lumoauth-harness')
    const files = await readdir(folder, { recursive: true })
    const pages = files.filter((it) => it.endsWith('.md') && !it.includes('node_modules'))

    const broken = await Promise.all(
      pages.map(async (page) => {
        const text = await readFile(join(folder, page), 'utf8')
        const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, it = '']) => it)
        return links
          .map((link) => join(dirname(page), link).replace(/\/$/, ''))
          .filter((it) => !files.includes(it))
          .map((it) => `${page}: ${it}`)
      }),
    )

    expect(pages.length).toBeGreaterThan(10)
    expect(broken.flat()).toEqual([])
  })

  it.each(['msw', 'vitest'])('names the peer %s when it is missing', async (peer) => {
    const text = `await import('lumoauth-harness/${peer}')`
    const imported = run(project.folder, 'node', '--input-type=module', '--eval', text)

    await expect(imported).rejects.toThrow(`Cannot find package '${peer}'`)
  })

  it('names the peer pg where a journal in PostgreSQL needs it', async () => {
    const text = `
      const { createHarness } = await import('lumoauth-harness')
      await createHarness({ journal: 'postgres://127.0.0.1/x' })`
    const started = run(project.folder, 'node', '--input-type=module', '--eval', text)

    await expect(started).rejects.toThrow('takes the package pg: npm install pg')
  })
})
