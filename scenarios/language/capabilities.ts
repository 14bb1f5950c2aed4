/**
 * The capabilities of a target. A scenario that needs a missing one is skipped.
 * - `control`: seed tenants, set policy, dialect and misbehaviours, read the journal
 * - `virtual_time`: advance the clock without waiting
 * - `approver`: act as a user with `jit.approve`
 * - `writes`: change data of the API
 * - `frozen_clock`: a frozen clock, so that scenarios can expect times
 * - `own_tenant`: a tenant with nothing but its `given`, so that lists can be counted
 * - `usual_scopes`: agents that are registered for `read:documents` and `write:reports` where nothing
 *   else is said of them
 */
export const capabilities = [
  'control',
  'virtual_time',
  'approver',
  'writes',
  'frozen_clock',
  'own_tenant',
  'usual_scopes',
] as const

/** A feature of a target that a scenario may need; see `needs` in a scenario. */
export type Capability = (typeof capabilities)[number]
