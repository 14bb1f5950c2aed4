import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../support/free-ports.ts'
import { root } from '../support/running.ts'

const execute = promisify(execFile)

/**
 * The environment of a command: the npm settings of the test run for registry and cache only, and
 * this Node first in PATH.
 */
export const environmentWith = (node: string = process.execPath): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(?!config_(?:userconfig|cache)$)/i.test(name),
    ),
  ),
  PATH: [dirname(node), process.env.PATH].join(delimiter),
  NODE_OPTIONS: '',
})

/** @returns its output. @throws with its output when it fails */
export const run = async (cwd: string, command: string, ...args: string[]): Promise<string> =>
  runIn({ cwd, env: environmentWith() }, command, ...args)

/** The same with another environment. */
export const runIn = async (
  options: { cwd: string; env: NodeJS.ProcessEnv },
  command: string,
  ...args: string[]
): Promise<string> => {
  try {
    const { stdout } = await execute(command, args, { ...options, maxBuffer: 2 ** 26 })
    return stdout
  } catch (failed) {
    const { stdout, stderr } = failed as { stdout: string; stderr: string }
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`)
  }
}

/** An empty project outside the repository, with the package installed from its tarball. */
export type Project = AsyncDisposable &
  Readonly<{
    folder: string
    /** The command as npm links it. */
    bin: string
    /** The file that `bin` names. */
    cli: string
  }>

export const createProject = async (tarball: string): Promise<Project> => {
  const folder = await mkdtemp(join(tmpdir(), 'lumoauth-package-'))
  await writeFile(
    join(folder, 'package.json'),
    // npm asks for permission before it runs the script that installs a Node.
    JSON.stringify({ type: 'module', private: true, allowScripts: { node: true } }),
  )
  await run(folder, 'npm', 'install', tarball)
  return {
    folder,
    bin: join(folder, 'node_modules/.bin/lumoauth-harness'),
    cli: join(folder, 'node_modules/lumoauth-harness/dist/cli/cli.js'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Packages in the versions that the repository uses. */
export const asWeUse = async (...names: string[]): Promise<string[]> => {
  const { devDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  return names.map((name) => `${name}@${devDependencies[name]}`)
}

/** Installs a Node from the package of that name. @returns its path */
export const installNode = async (home: string, version: string): Promise<string> => {
  if (process.versions.node.startsWith(`${version}.`)) return process.execPath
  // npm asks for permission before it runs the script that downloads Node for this machine.
  await mkdir(home, { recursive: true })
  await writeFile(join(home, 'package.json'), JSON.stringify({ allowScripts: { node: true } }))
  await run(home, 'npm', 'install', '--no-audit', '--no-fund', `node@${version}`)
  return join(home, 'node_modules/node/bin/node')
}

/** Writes `guarded.js`, `open.js` and `target.yaml`: an API with our guard, one without, and both as a target. */
export const writeApis = async (folder: string): Promise<void> => {
  await writeFile(join(folder, 'guarded.js'), api('guard.requiring(() => ({ detail }))'))
  await writeFile(join(folder, 'open.js'), api('(request, response, next) => next()'))
  await writeFile(join(folder, 'target.yaml'), apiTarget(await freePort()))
}

const apiTarget = (port: number) => `api:
  url: http://127.0.0.1:${port}
  routes:
    - request: GET /plan
      requires: { type: file_access, actions: [read], identifier: plan }
limits: { requests_per_minute: 60000 }
`

/** An API as a user writes it. */
const api = (guarded: string) => `
import express from 'express'
import { lumoauthGuard } from 'lumoauth-harness/express'

const { LUMOAUTH_ISSUER, LUMOAUTH_AUDIENCE, API_CLIENT_ID, API_CLIENT_SECRET } = process.env
const detail = { type: 'file_access', actions: ['read'], identifier: 'plan' }
const guard = lumoauthGuard({
  tenant: LUMOAUTH_ISSUER,
  audience: LUMOAUTH_AUDIENCE,
  introspection: { clientId: API_CLIENT_ID, clientSecret: API_CLIENT_SECRET },
})
express()
  .get('/plan', ${guarded}, (request, response) => response.type('text').send('Sell apples.'))
  .listen(Number(process.env.PORT), process.env.HOST)
`

/** A test of an agent as a user writes it, with fixtures, matchers and handlers. */
export const agentTest = `
import { setupServer } from 'msw/node'
import { createHandlers } from 'lumoauth-harness/msw'
import { expect, test } from 'lumoauth-harness/vitest'

const detail = { type: 'file_access', actions: ['read'], identifier: 'doc_9982' }

test('an agent reads one document', async ({ agent, jit, tenant, clock, approver, misbehave }) => {
  approver.answers({ decision: 'approve' })
  clock.advance('PT1M')
  await misbehave({ name: 'slow-answers', times: 1 }).catch(() => {})

  const response = await jit.fetch(\`\${tenant.urls.api}/v1/documents/doc_9982\`)
  await jit.completeTask()

  expect(response.status).toBe(200)
  expect(agent).toHaveRequested(detail)
  expect(agent).toHaveUsedOnly([detail])
  expect(tenant).toHaveCompletedItsTask()
})

test.override('harnessOptions', { origins: { issuer: 'https://app.lumoauth.dev' } })

test('handlers answer for the issuer', async ({ harness }) => {
  const server = setupServer(...createHandlers(harness))
  server.listen({ onUnhandledFrame: 'bypass' })

  const response = await fetch('https://app.lumoauth.dev/healthz')
  server.close()

  expect(response.status).toBe(200)
})
`
