/**
 * What a target may be able to do. What it cannot, a scenario that needs it is skipped for.
 * - `control`: seed tenants, change policy and dialect, misbehave, read the journal
 * - `virtual_time`: move time instead of waiting
 * - `approver`: act as a person who holds `jit.approve`
 * - `writes`: change data of the API
 */
export const capabilities = ['control', 'virtual_time', 'approver', 'writes'] as const

export type Capability = (typeof capabilities)[number]
