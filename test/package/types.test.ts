import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { agentTest, asWeUse, createProject, type Project, run } from './project.ts'

const judges = ['publint@0.3.25', '@arethetypeswrong/cli@0.18.5']

let project: Project
beforeAll(async () => {
  project = await createProject(inject('tarball'))
  const ours = await asWeUse('typescript', '@types/express', 'vitest', 'msw')
  await run(project.folder, 'npm', 'install', 'express@5', ...ours, ...judges)
}, 300_000)
afterAll(() => project[Symbol.asyncDispose]())

describe.each(['22', '24', '26'])('the types with those of Node %s', (version) => {
  beforeAll(async () => {
    await run(project.folder, 'npm', 'install', `@types/node@^${version}`)
  }, 120_000)

  it('compile in a strict project that checks libraries too', async () => {
    expect(await typeErrors('consumer.ts', consumer, ['esnext'])).toBe('')
  }, 120_000)

  it('compile with fixtures, matchers and handlers', async () => {
    // MSW's own declarations need those of the browser.
    expect(await typeErrors('agent.test.ts', agentTest, ['esnext', 'dom'])).toBe('')
  }, 120_000)
})

describe('the tarball', () => {
  it('passes publint', async () => {
    await run(project.folder, 'npx', 'publint', 'node_modules/lumoauth-harness', '--strict')
  }, 60_000)

  it('passes are-the-types-wrong', async () => {
    await run(project.folder, 'npx', 'attw', inject('tarball'), '--profile', 'esm-only')
  }, 60_000)
})

const typeErrors = async (file: string, text: string, lib: string[]): Promise<string> => {
  await writeFile(join(project.folder, file), text)
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2024',
    lib,
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
  }
  const config = { compilerOptions, include: [file] }
  await writeFile(join(project.folder, 'tsconfig.json'), JSON.stringify(config))
  return run(project.folder, 'npx', 'tsc', '--pretty', 'false').catch(String)
}

const consumer = `
import express from 'express'
import { createHarness, type Harness, type TestTenant } from 'lumoauth-harness'
import { documentTools, type JitContext, LumoAuthAgent } from 'lumoauth-harness/client'
import { AuthorizationDetail, covers } from 'lumoauth-harness/contract'
import { lumoauthGuard } from 'lumoauth-harness/express'
import { loadScenarios, run } from 'lumoauth-harness/scenarios'

const harness: Harness = await createHarness({ listen: false })
const tenant: TestTenant = harness.createTenant({ tenant: 'acme' })
const agent = new LumoAuthAgent({ env: tenant.environment, fetch: harness.fetch })
const jit: JitContext = await agent.jit()
const detail: AuthorizationDetail = { type: 'file_access', actions: ['read'] }
const guard = lumoauthGuard({ tenant: tenant.urls.tenant, audience: 'https://api.test' })

export const same: boolean = covers(detail, AuthorizationDetail.parse(detail))
export const tools = documentTools({ fetch: jit.fetch, documentsUrl: tenant.urls.api })
export const app = express().get('/', guard, (request, response) => {
  const by: string | undefined = request.auth?.sub
  response.json({ by })
})
export { loadScenarios, run }
`
