/**
 * What a scenario may need of a target. What a target lacks, a scenario that needs it is skipped for.
 * - `control`: seed tenants, change policy and dialect, misbehave, read the journal
 * - `virtual_time`: move time instead of waiting
 * - `approver`: act as a person who holds `jit.approve`
 * - `writes`: change data of the API
 * - `frozen_clock`: a clock that stands still, so that moments can be written down
 * - `own_tenant`: a tenant without anything but what is given, so that lists can be counted
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

export type Capability = (typeof capabilities)[number]
