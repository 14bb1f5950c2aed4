import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { parse } from 'yaml'
import { figure } from '../support/figure.ts'
import { blocksOf } from '../support/markdown.ts'
import { Running, root } from '../support/running.ts'
import { environmentWith, run } from './project.ts'

/*
 * The files for three CI systems of scenarios/checks/README.md. Their steps are run as each system
 * runs them, in a checkout without installed packages. The systems themselves did not run them.
 */

/** What a system runs: scripts, each by a shell of its own, with an environment. */
type Job = Readonly<{
  scripts: readonly string[]
  shell: readonly string[]
  env: Readonly<Record<string, string>>
  /** The file that the system shows as the result. */
  report: string
}>

const blocks = blocksOf(join(root, 'scenarios/checks/README.md'))
const fileOf = (name: string) => blocks.find(({ file }) => file === name)?.text ?? ''

const github = (): Job => {
  const { jobs } = parse(fileOf('.github/workflows/agent.yml'))
  const steps: readonly { run?: string; uses?: string }[] = jobs.check.steps
  return {
    scripts: steps.flatMap((it) => it.run ?? []),
    shell: ['bash', '-e', '-c'],
    env: { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: 'summary.md' },
    report: 'summary.md',
  }
}

const gitlab = (): Job => {
  const { agent } = parse(fileOf('.gitlab-ci.yml'))
  return {
    scripts: [agent.script.join('\n')],
    shell: ['bash', '-eo', 'pipefail', '-c'],
    env: { GITLAB_CI: 'true' },
    report: agent.artifacts.reports.junit,
  }
}

/** Groovy is not parsed: the steps `sh '…'`, the assignments of `environment` and `junit '…'`. */
const jenkins = (): Job => {
  const text = fileOf('Jenkinsfile')
  const all = (pattern: RegExp) => [...text.matchAll(pattern)]
  const [, assignments = ''] = /environment \{(.*)\}/.exec(text) ?? []
  const pairs = [...assignments.matchAll(/(\w+) = '([^']*)'/g)]
  return {
    scripts: all(/^\s*sh '([^']*)'$/gm).map(([, script = '']) => script),
    shell: ['sh', '-xe', '-c'],
    // A user of the container without a home folder.
    env: {
      HOME: '/proc/none',
      JENKINS_URL: 'http://127.0.0.1/',
      ...Object.fromEntries(pairs.map(([, name, value]) => [name, value])),
    },
    report: all(/junit '([^']*)'/g)[0]?.[1] ?? '',
  }
}

const systems = { 'GitHub Actions': github, GitLab: gitlab, Jenkins: jenkins }

let home: string
let project: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'lumoauth-ci-'))
  project = join(home, 'project')
  await mkdir(project)
  const tarball = basename(inject('tarball'))
  await copyFile(inject('tarball'), join(project, tarball))
  await run(project, 'npm', 'init', '--yes')
  await run(project, 'npm', 'pkg', 'set', 'type=module')
  await run(project, 'npm', 'install', '--save-dev', `./${tarball}`)
  await rm(join(project, 'node_modules'), { recursive: true })
}, 120_000)
afterAll(() => rm(home, { recursive: true, force: true }))

const agent = blocksOf(join(root, 'README.md')).find(({ file }) => file === 'agent.ts')?.text ?? ''

/** @returns the exit code of the job, its output and the report */
const runJob = async ({ scripts, shell, env, report }: Job, agentText: string) => {
  const cwd = await mkdtemp(join(home, 'checkout-'))
  await cp(project, cwd, { recursive: true })
  await writeFile(join(cwd, 'agent.ts'), agentText)
  const { npm_config_cache: _, NPM_CONFIG_CACHE: __, ...base } = environmentWith()
  const [command = '', ...args] = shell
  let output = ''
  let code: number | null = 0
  for (const script of scripts) {
    await using running = new Running(command, [...args, script], {
      cwd,
      env: { ...base, CI: 'true', ...env },
    })
    code = await running.ends()
    output += running.stdout + running.stderr
    if (code !== 0) break
  }
  return { code, output, report: await readFile(join(cwd, report), 'utf8') }
}

describe.each(Object.entries(systems))('the file for %s', (name, jobOf) => {
  it('runs the steps of the page', () => {
    const { scripts, report } = jobOf()

    expect(scripts.join('\n')).toMatch(/^npm ci\nnpm exec --no -- lumoauth-harness check agent /)
    expect(report).not.toBe('')
  })

  it('passes an agent that keeps the rules, and shows its report', async ({ skip }) => {
    skip(process.env.FULL === undefined, 'takes a minute: FULL=1')
    const started = performance.now()
    const { code, output, report } = await runJob(jobOf(), agent)

    expect(code, output).toBe(0)
    expect(output).toMatch(/[1-9]\d* passed, 0 failed/)
    expect(report).toMatch(/<testsuites? |# Conformance/)
    figure(`CI, ${name}`, { seconds: Math.round((performance.now() - started) / 1000) })
  }, 240_000)

  it('fails an agent that does nothing, and still shows its report', async () => {
    const { code, output, report } = await runJob(jobOf(), '')

    expect(code, output).toBe(1)
    expect(output).toContain('the agent called neither issuer nor API')
    expect(report).toMatch(/<failure|# Conformance/)
  }, 240_000)
})

it('the workflow for GitHub uses only actions that are pinned by a commit', () => {
  const uses = [...fileOf('.github/workflows/agent.yml').matchAll(/uses: (\S+)/g)]

  expect(uses).toHaveLength(2)
  expect(uses.filter(([, it = '']) => !/@[0-9a-f]{40}$/.test(it))).toEqual([])
})
