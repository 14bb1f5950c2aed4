/** A simulated LumoAuth and a protected API, for tests: `await using harness = await createHarness()`. */
export { createHarness, type Harness, type HarnessOptions } from './harness.ts'
export type { LogLine } from './http/log.ts'
export type { TestApprover, TestClock, TestTenant } from './test-tenant.ts'
export type { TenantCreated } from './wire/index.ts'
