import { Dialect, type TenantSeed } from '../wire/index.ts'

/** What every tenant of a harness begins with, also those made later. */
export type EveryTenant = Readonly<
  Partial<Pick<TenantSeed, 'policy' | 'dialect' | 'approver' | 'model' | 'misbehave'>>
>

/**
 * The seed of a tenant with what every tenant begins with. What the seed itself says comes first;
 * misbehaviours add up. A dialect switch that the seed leaves at its default is taken from `every`.
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
