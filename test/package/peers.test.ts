import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { root } from '../support/running.ts'
import { agentTest, createProject, type Project, run } from './project.ts'

const { peerDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
const linesOf = (peer: string): string[] => peerDependencies[peer].split(' || ')

/** The oldest version of each line that package.json allows, side by side, and with FULL=1 the newest. */
const pairs = linesOf('vitest').flatMap((vitest, at) => {
  const msw = linesOf('msw')[at]
  const oldest = [vitest, msw].map((it) => it?.replace('^', ''))
  return process.env.FULL ? [oldest, [vitest, msw]] : [oldest]
})

let project: Project
beforeAll(async () => {
  project = await createProject(inject('tarball'))
  await writeFile(join(project.folder, 'agent.test.ts'), agentTest)
}, 300_000)
afterAll(() => project[Symbol.asyncDispose]())

describe.each(pairs)('the tarball, with vitest %s and msw %s,', (vitest, msw) => {
  it('lets a project test its agent', async () => {
    await run(project.folder, 'npm', 'install', `vitest@${vitest}`, `msw@${msw}`)
    const output = ['--reporter', 'json', '--outputFile', 'tests.json']
    await run(project.folder, 'npx', 'vitest', 'run', ...output)

    const report = JSON.parse(await readFile(join(project.folder, 'tests.json'), 'utf8'))
    expect(report).toMatchObject({ numPassedTests: 2, numFailedTests: 0 })
  }, 300_000)
})
