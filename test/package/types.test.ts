import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { agentTest, asWeUse, createProject, type Project, run } from './project.ts'

const judges = ['publint@0.3.25', '@arethetypeswrong/cli@0.18.5']

let project: Project
beforeAll(async () => {
  project = await createProject(inject('tarball'))
  const ours = await asWeUse('typescript', '@types/express', 'vitest', 'msw')
  const older = 'typescript59@npm:typescript@~5.9.0'
  await run(project.folder, 'npm', 'install', 'express@5', older, ...ours, ...judges)
}, 300_000)
afterAll(() => project[Symbol.asyncDispose]())

const isFull = process.env.FULL !== undefined

/** Both with FULL=1; else the older one beside the types of Node 24 only: it takes a minute. */
const compilersBeside = (version: string): string[] =>
  isFull ? ['typescript', 'typescript59'] : [version === '24' ? 'typescript59' : 'typescript']

const resolutionsOf = (compiler: string): Record<string, string>[] => {
  const bundler = { module: 'preserve', moduleResolution: 'bundler' }
  if (isFull) return [{ module: 'nodenext' }, bundler]
  return [compiler === 'typescript59' ? bundler : { module: 'nodenext' }]
}

describe.each([...(isFull ? ['22'] : []), '24', '26'])(
  'the types with those of Node %s',
  (version) => {
    beforeAll(async () => {
      await run(project.folder, 'npm', 'install', `@types/node@^${version}`)
    }, 120_000)

    describe.each(compilersBeside(version))('and %s', (compiler) => {
      it.each(resolutionsOf(compiler))(
        'compile in a strict project that checks libraries too: %j',
        async (how) => {
          expect(await typeErrors({ 'consumer.ts': consumer }, compiler, how, ['esnext'])).toBe('')
        },
        120_000,
      )

      it('compile with fixtures, matchers and handlers', async () => {
        // MSW's own declarations need those of the browser.
        const how = { module: 'nodenext' }
        const texts = { 'agent.test.ts': agentTest }
        expect(await typeErrors(texts, compiler, how, ['esnext', 'dom'])).toBe('')
      }, 120_000)
    })
  },
)

describe('the tarball', () => {
  it('passes publint', async () => {
    await run(project.folder, 'npx', 'publint', 'node_modules/lumoauth-harness', '--strict')
  }, 60_000)

  it('passes are-the-types-wrong', async () => {
    await run(project.folder, 'npx', 'attw', inject('tarball'), '--profile', 'esm-only')
  }, 60_000)
})

const typeErrors = async (
  texts: Readonly<Record<string, string>>,
  compiler: string,
  how: Readonly<Record<string, string>>,
  lib: string[],
): Promise<string> => {
  for (const [file, text] of Object.entries(texts)) {
    await writeFile(join(project.folder, file), text)
  }
  const compilerOptions = {
    ...how,
    target: 'es2024',
    lib,
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
  }
  const config = { compilerOptions, include: Object.keys(texts) }
  await writeFile(join(project.folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join('node_modules', compiler, 'bin/tsc')
  return run(project.folder, 'node', tsc, '--pretty', 'false').catch(String)
}

const consumer = `
import express from 'express'
import {
  createHarness,
  type Harness,
  type MisbehaviourName,
  type PolicyInput,
  type Seed,
  type TestTenant,
} from 'lumoauth-harness'
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

const seed: Seed = { agents: [{ name: 'bot' }] }
const policy: PolicyInput = { rules: [{ name: 'all', risk: 'low', decision: 'approve' }] }
harness.createTenant(seed).decideBy(policy)
const name: MisbehaviourName = 'network-slow'
// @ts-expect-error: there is no such misbehaviour
const wrong: MisbehaviourName = 'network-slwo'
await tenant.misbehave({ name, route: 'documents.read', times: 1 })
// @ts-expect-error: there is no such event
await tenant.waitFor('task.complete')
// @ts-expect-error: there is no such dialect switch
tenant.speak({ challange: 'wg-00' })

export const same: boolean = covers(detail, AuthorizationDetail.parse(detail))
export const tools = documentTools({ fetch: jit.fetch, documentsUrl: tenant.urls.api })
export const app = express().get('/', guard, (request, response) => {
  const by: string | undefined = request.auth?.sub
  response.json({ by })
})
export { loadScenarios, run }
`
