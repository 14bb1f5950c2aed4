import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { root } from '../support/running.ts'
import { composite } from './composite.ts'
import { createProject, environmentWith, type Project, writeApis } from './project.ts'

let project: Project
beforeAll(async () => {
  project = await createProject(inject('tarball'))
  await writeApis(project.folder)
}, 300_000)
afterAll(() => project[Symbol.asyncDispose]())

describe('the action for GitHub, with the tarball,', () => {
  const acted = (inputs: Record<string, string>) =>
    composite(join(root, '.github/actions/check/action.yml'), inputs, {
      cwd: project.folder,
      env: { ...environmentWith(), npm_config_cache: join(project.folder, '.npm') },
    })
  const checked = (file: string, more: Record<string, string> = {}) =>
    acted({
      seat: 'api',
      arguments: `--api-command '"${process.execPath}" ${file}'`,
      harness: inject('tarball'),
      ...more,
    })

  it('passes an API that keeps the rules, and hands its reports over', async () => {
    const { codes, output, summary, uses } = await checked('guarded.js')

    expect(codes, output).toEqual([0, 0])
    expect(summary).toContain('# Conformance')
    expect(uses).toEqual([])
    expect((await readdir(join(project.folder, 'lumoauth-check'))).sort()).toEqual([
      'junit.xml',
      'statement.json',
      'statement.md',
    ])
  }, 240_000)

  it('fails one that does not, and still hands its reports over', async () => {
    const reports = 'of the open one'
    const { codes, output, summary } = await checked('open.js', { reports })

    expect(codes, output).toEqual([1, 0])
    expect(summary).toContain('API-COVERS')
    const { counts } = JSON.parse(
      await readFile(join(project.folder, reports, 'statement.json'), 'utf8'),
    )
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
    const { codes, output } = await acted({
      seat: 'agent',
      arguments: `--only happy-path -- "${process.execPath}" --eval ''`,
      harness: inject('tarball'),
    })

    expect(codes, output).toEqual([1, 0])
    expect(output).toContain('the agent called neither issuer nor API')
  }, 240_000)

  it.each([
    'lumoauth-harness',
    'lumoauth-harness@latest',
    'lumoauth-harness@^1',
    'lumoauth-harness@1',
    'lumoauth-harness@1.2.x',
    'lumoauth-harness@>=1.2.3',
    'lumoauth-harness@1.2.3 || 2.0.0',
    'user/repo',
    'user/repo@1.2.3/x',
    'github:user/repo',
    'git+https://example.com/repo.git',
    'https://example.com/lumoauth-harness.tgz',
    '',
  ])('refuses the harness %j, which is not pinned', async (harness) => {
    const { codes, output } = await checked('guarded.js', { harness })

    expect(codes, output).toEqual([2, 0])
    expect(output).toContain('harness: expected a path such as')
  })

  it('reads no input as shell code but its arguments', async () => {
    const target = '$(touch taken).yaml; touch taken'
    const { codes, output } = await checked('guarded.js', { target, baseline: '`touch taken`' })

    expect(codes, output).toEqual([2, 0])
    expect(output).toContain(`there is no ${target}`)
    expect(await readdir(project.folder)).not.toContain('taken')
  }, 240_000)
})
