import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
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
    expect(files.filter((it) => it.endsWith('.ts') && !it.endsWith('.d.ts'))).toEqual([])
    expect(files.filter((it) => /\.test\.|^test\b|examples/.test(it))).toEqual([])
  })

  it.each(['msw', 'vitest'])('names the peer %s when it is missing', async (peer) => {
    const text = `await import('lumoauth-harness/${peer}')`
    const imported = run(project.folder, 'node', '--input-type=module', '--eval', text)

    await expect(imported).rejects.toThrow(`Cannot find package '${peer}'`)
  })
})
