import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { root } from '../support/running.ts'
import { environmentWith } from './project.ts'

/*
 * The workflows were not run by GitHub. Their steps are run here, as its runner runs them: by
 * `bash --noprofile --norc -eo pipefail`, those that publish excepted.
 */
const execute = promisify(execFile)

type Step = Readonly<{ name: string; uses?: string; run?: string; env?: Record<string, string> }>
type Job = Readonly<{ steps: readonly Step[]; permissions?: Record<string, string> }>
type Workflow = Readonly<{ permissions: Record<string, string>; jobs: Record<string, Job> }>

const folderOfWorkflows = join(root, '.github/workflows')
const workflows = new Map<string, Workflow>()
for (const name of await readdir(folderOfWorkflows)) {
  workflows.set(name, parse(await readFile(join(folderOfWorkflows, name), 'utf8')))
}
const steps = [...workflows].flatMap(([file, { jobs }]) =>
  Object.entries(jobs).flatMap(([job, it]) => it.steps.map((step) => ({ file, job, step }))),
)
const scriptOf = (name: string): string =>
  steps.find(({ step }) => step.name === name)?.step.run ?? ''

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumoauth-workflows-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** @returns the exit code, and what was printed */
const act = async (script: string, cwd: string, env: Record<string, string>) => {
  const file = join(folder, 'script.sh')
  await writeFile(file, script)
  const args = ['--noprofile', '--norc', '-eo', 'pipefail', file]
  return execute('bash', args, { cwd, env: { ...environmentWith(), ...env } }).then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    ({ code, stdout, stderr }) => ({ code, output: stdout + stderr }),
  )
}

describe('the workflows', () => {
  it('use no action that is not pinned by a commit', () => {
    const uses = steps.flatMap(({ step }) => step.uses ?? [])

    expect(uses.filter((it) => !/@[0-9a-f]{40}$/.test(it) && !it.startsWith('./'))).toEqual([])
  })

  it('may read, and only the job that publishes may identify itself', () => {
    const jobs = [...workflows.values()].flatMap(({ jobs, permissions }) =>
      Object.entries(jobs).map(([name, it]) => [name, it.permissions ?? permissions]),
    )

    expect(jobs).toEqual([
      ['checks', { contents: 'read' }],
      ['package', { contents: 'read' }],
      ['package', { contents: 'read', 'id-token': 'write' }],
      ['image', { contents: 'read' }],
    ])
  })

  it.each(steps.filter(({ step }) => step.run !== undefined))(
    '$file: $job: $step.name is a script that takes no expression into its text',
    async ({ step: { run = '' } }) => {
      const file = join(folder, 'syntax.sh')
      await writeFile(file, run)

      expect(run).not.toContain('${{')
      expect((await execute('bash', ['-n', file])).stderr).toBe('')
    },
  )

  it('check the commit out alike, and with git alone', async () => {
    const all = new Set(steps.flatMap(({ step }) => (step.name === 'Check out' ? step.run : [])))
    const origin = join(folder, 'owner/name')
    await execute('git', ['clone', '--quiet', '--bare', root, origin])
    const { stdout: commit } = await execute('git', ['rev-parse', 'HEAD'], { cwd: root })
    const cwd = await mkdtemp(join(folder, 'work-'))

    const { code, output } = await act([...all].join(), cwd, {
      TOKEN: 'token',
      GITHUB_SERVER_URL: `file://${folder}`,
      GITHUB_REPOSITORY: 'owner/name',
      GITHUB_SHA: commit.trim(),
    })

    expect(all.size).toBe(1)
    expect(code, output).toBe(0)
    expect(await readdir(cwd)).toEqual(expect.arrayContaining(['package.json', '.ci', 'README.md']))
    expect(await readFile(join(cwd, '.git/config'), 'utf8')).not.toMatch(/extraheader|token/i)
  })

  it('publish only what its tag names', async () => {
    const cwd = await mkdtemp(join(folder, 'work-'))
    await writeFile(join(cwd, 'package.json'), JSON.stringify({ name: 'x', version: '1.2.3' }))
    const compare = (tag: string) =>
      act(scriptOf('Compare tag and version'), cwd, { GITHUB_REF_NAME: tag })

    expect((await compare('v1.2.3')).code).toBe(0)
    expect(await compare('v1.2.4')).toEqual({
      code: 1,
      output: 'the tag is v1.2.4, the version in package.json is 1.2.3\n',
    })
  })

  it('name the repository that provenance compares', async () => {
    const cwd = await mkdtemp(join(folder, 'work-'))
    await writeFile(join(cwd, 'package.json'), JSON.stringify({ name: 'x' }))

    await act(scriptOf('Name the repository, which provenance compares'), cwd, {
      GITHUB_SERVER_URL: 'https://git.example',
      GITHUB_REPOSITORY: 'owner/name',
    })

    const { repository } = JSON.parse(await readFile(join(cwd, 'package.json'), 'utf8'))
    expect(repository).toEqual({ type: 'git', url: 'git+https://git.example/owner/name.git' })
  })
})
