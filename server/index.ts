/** A simulated LumoAuth and a protected API, for tests: `await using harness = await createHarness()`. */
export { createHarness, type Harness, type HarnessOptions } from './harness.ts'
export type { TenantCreated } from './wire/index.ts'
