import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { noBrowser } from '../browser/world.ts'
import { blocksOf } from '../support/markdown.ts'
import { root } from '../support/running.ts'
import { asWeUse, createProject, type Project, run } from './project.ts'

/* The tests that README.md shows, unchanged, in each environment of Vitest, with real and with fake timers. */

/** What each environment needs, in the versions that were tried. */
const packages = {
  node: [],
  jsdom: ['jsdom@31.0.1'],
  'happy-dom': ['happy-dom@21.0.4'],
  'edge-runtime': ['@edge-runtime/vm@5.0.0'],
  chromium: ['@vitest/browser-playwright@5.1.2', 'playwright@1.65.1'],
}
type Environment = keyof typeof packages

const timers = ['real timers', 'fake timers'] as const
const inNode = ['agent.test.ts', 'production-urls.test.ts']
/** With FULL=1 and a browser, also Chromium. */
const environments = (Object.keys(packages) as Environment[]).filter(
  (it) => it !== 'chromium' || (process.env.FULL !== undefined && noBrowser === undefined),
)

let project: Project
let rows: Row[]
beforeAll(async () => {
  project = await createProject(inject('tarball'))
  const { folder } = project
  const wanted = environments.flatMap((it) => packages[it])
  await run(folder, 'npm', 'install', ...(await asWeUse('vitest', 'msw')), ...wanted)
  for (const { file = '', text } of blocksOf(join(root, 'README.md'))) {
    if (/\.(?:test|browser)\.ts$|^harness\.ts$/.test(file))
      await writeFile(join(folder, file), text)
  }
  await writeFile(join(folder, 'fake-timers.ts'), fakeTimers)
  await writeFile(join(folder, 'vitest.config.ts'), configuration)
  // Whether each file passed is in the rows.
  await run(folder, 'npx', 'vitest', 'run').catch(() => undefined)
  rows = JSON.parse(await readFile(join(folder, 'rows.json'), 'utf8'))
  console.log(
    ['environment | timers | example | result', ...rows.map((it) => tableRow(it))].join('\n'),
  )
}, 600_000)
afterAll(() => project[Symbol.asyncDispose]())

describe.each(environments)('in %s,', (environment) => {
  describe.each(timers)('with %s,', (clock) => {
    const find = (file: string) =>
      rows.find((it) => it.project === `${environment}, ${clock}` && it.file === file)

    it.each(environment === 'chromium' ? ['agent.browser.ts'] : inNode)('%s passes', (file) => {
      expect(find(file)).toMatchObject({ state: 'passed', errors: [] })
    })
  })
})

it('no test leaves an uncaught error', () => {
  expect(rows.filter((it) => it.project === '')).toEqual([])
})

/** The result of a test file. Without a project: an uncaught error. */
type Row = Readonly<{
  project: string
  file: string
  state: string
  tests: number
  errors: string[]
}>

const tableRow = ({ project: name, file, state, tests, errors }: Row) =>
  [...name.split(', '), file, [`${state} (${tests} tests)`, ...errors].join(': ')].join(' | ')

const fakeTimers = `
import { vi } from 'vitest'
vi.useFakeTimers()
`

const configuration = `
import { writeFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

const messageOf = (error) => [error.message, error.cause?.message].filter(Boolean).join(': ')
const table = {
  onTestRunEnd(modules, unhandled) {
    const rows = modules.map((module) => {
      const tests = [...module.children.allTests()]
      const errors = [...module.errors(), ...tests.flatMap((it) => it.result().errors ?? [])]
      return {
        project: module.project.config.name.replace(' (chromium)', ''),
        file: module.relativeModuleId,
        state: module.state(),
        tests: tests.length,
        errors: errors.map(messageOf),
      }
    })
    const others = unhandled.map((it) => ({
      project: '', file: '', state: 'uncaught', tests: 0, errors: [messageOf(it)],
    }))
    writeFileSync('rows.json', JSON.stringify([...rows, ...others]))
  },
}

const browser = async () => {
  const { playwright } = await import('@vitest/browser-playwright')
  const launchOptions = {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  }
  return {
    enabled: true,
    headless: true,
    screenshotFailures: false,
    provider: playwright({ launchOptions }),
    instances: [{ browser: 'chromium' }],
  }
}

const projects = ${JSON.stringify(environments)}.flatMap((environment) =>
  ${JSON.stringify(timers)}.map(async (clock) => ({
    test: {
      name: environment + ', ' + clock,
      setupFiles: clock === 'fake timers' ? ['./fake-timers.ts'] : [],
      ...(environment === 'chromium'
        ? {
            include: ['*.browser.ts'],
            globalSetup: ['./harness.ts'],
            browser: await browser(),
          }
        : { environment, include: ['*.test.ts'] }),
    },
  })),
)
export default defineConfig({ test: { reporters: [table], projects: await Promise.all(projects) } })
`
