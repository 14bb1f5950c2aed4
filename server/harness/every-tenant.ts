import { Dialect, type TenantSeed } from '../wire/index.ts'

/** Seed members for every tenant of a harness, also for tenants that are created later. */
export type EveryTenant = Readonly<
  Partial<Pick<TenantSeed, 'policy' | 'dialect' | 'approver' | 'model' | 'misbehave'>>
>

/**
 * Adds the members of `every` to the seed of a tenant. Members of the seed take precedence, and
 * misbehaviours of both apply. A dialect switch at its default in the seed takes the value of `every`.
 */
export const applyToEvery = <S extends TenantSeed>(seed: S, every: EveryTenant = {}): S => {
  const { policy, dialect = {}, approver, model, misbehave = [] } = every
  const usual: Readonly<Record<string, string>> = Dialect.parse({})
  const own = Object.entries(seed.dialect).filter(([name, value]) => value !== usual[name])
  const named = new Set(seed.misbehave.map(({ name }) => name))
  return {
    ...seed,
    dialect: { ...seed.dialect, ...dialect, ...Object.fromEntries(own) },
    misbehave: [...seed.misbehave, ...misbehave.filter(({ name }) => !named.has(name))],
    ...(seed.policy === undefined && policy !== undefined ? { policy } : {}),
    ...(seed.approver === undefined && approver !== undefined ? { approver } : {}),
    ...(seed.model === undefined && model !== undefined ? { model } : {}),
  }
}
