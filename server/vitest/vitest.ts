import '../wire/require-node.ts'
import { setImmediate } from 'node:timers/promises'
import { test as base, expect, type TestAPI } from 'vitest'
import { type JitContext, type JitOptions, LumoAuthAgent } from '../../client/index.ts'
import { createHarness, type Harness, type HarnessOptions, type Seed } from '../harness/harness.ts'
import type { TestApprover, TestClock, TestTenant } from '../harness/test-tenant.ts'
import { matchers, rememberTenant } from './matchers.ts'

export type { LumoAuthMatchers } from './matchers.ts'
export { expect }

expect.extend(matchers)

type OfFile = {
  /** How the harness of this file is made. Default: it listens on free ports of this machine. */
  harnessOptions: HarnessOptions
  harness: Harness
}

/** What each test may ask for. */
export type Fixtures = OfFile & {
  /** What the tenant of each test begins with. */
  seed: Seed
  tenant: TestTenant
  clock: TestClock
  approver: TestApprover
  misbehave: TestTenant['misbehave']
  /** The first agent of the tenant. When it would wait, the tenant's clock moves instead. */
  agent: LumoAuthAgent
  /** How the task of `jit` is opened; its name is that of the test. */
  jitOptions: JitOptions
  jit: JitContext
} & { readonly $__file?: OfFile }

/**
 * Vitest's `test`, with a harness a file and a fresh tenant a test.
 *
 * ```ts
 * import { expect, test } from 'lumoauth-harness/vitest'
 *
 * test('reads one document, and no more than that', async ({ agent, jit, tenant }) => {
 *   const response = await jit.fetch(`${tenant.urls.api}/v1/documents/doc_9982`)
 *   await jit.completeTask()
 *
 *   expect(response.status).toBe(200)
 *   expect(agent).toHaveUsedOnly([
 *     { type: 'file_access', actions: ['read'], identifier: 'doc_9982' },
 *   ])
 *   expect(agent).toHaveCompletedItsTask()
 * })
 * ```
 *
 * `harnessOptions`, `seed` and `jitOptions` are there to be overridden:
 * `test.override('seed', { approver: { decision: 'deny' } })`.
 */
export const test = base
  .extend('harnessOptions', { scope: 'file' }, (): HarnessOptions => ({}))
  .extend('harness', { scope: 'file' }, async ({ harnessOptions }, { onCleanup }) => {
    const harness = await createHarness(harnessOptions)
    onCleanup(() => harness.close())
    return harness
  })
  .extend('seed', (): Seed => ({}))
  .extend('tenant', ({ harness, seed }, { onCleanup }): TestTenant => {
    const tenant = harness.createTenant(seed)
    onCleanup(() => tenant.delete())
    return tenant
  })
  .extend('clock', ({ tenant }) => tenant.clock)
  .extend('approver', ({ tenant }) => tenant.approver)
  .extend('misbehave', ({ tenant }) => tenant.misbehave)
  .extend('agent', ({ harness, tenant, clock }): LumoAuthAgent => {
    const agent = new LumoAuthAgent({
      env: tenant.environment,
      origins: [harness.api],
      fetch: harness.fetch,
      now: clock.now,
      sleep: async (seconds, signal) => {
        await setImmediate()
        signal?.throwIfAborted()
        clock.advance(seconds)
      },
    })
    rememberTenant(agent, tenant)
    return agent
  })
  .extend('jitOptions', (): JitOptions => ({}))
  .extend('jit', async ({ agent, jitOptions, task }, { onCleanup }) => {
    const jit = await agent.jit({ name: task.name.slice(0, 128), ...jitOptions })
    // Whatever is left of it goes with the tenant.
    onCleanup(async () => {
      await jit.completeTask().catch(() => {})
    })
    return jit
  }) as unknown as TestAPI<Fixtures>

export { test as it }
