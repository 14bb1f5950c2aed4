import './wire/require-node.ts'

/** A mock LumoAuth issuer and a protected API, for tests: `await using harness = await createHarness()`. */
export { createHarness, type Harness, type HarnessOptions, type Seed } from './harness/harness.ts'
export type {
  ApproverInput,
  DialectInput,
  JournalEntry,
  MisbehaviourName,
  MisbehaviourOrder,
  PolicyInput,
  TestApprover,
  TestClock,
  TestTenant,
} from './harness/test-tenant.ts'
export type { LogLine } from './http/log.ts'
/** Where tenants are kept, for the option `store`. */
export { openStore, type StoreOptions } from './journal/open-store.ts'
export type { Store } from './journal/store.ts'
export type { RouteName, TenantCreated } from './wire/index.ts'
