import type { TenantContext } from '../tenant/tenant-context.ts'

/** A secret of 128 random bits. In a seeded tenant it is the same in every run. */
export const newSecret = ({ tenant }: Pick<TenantContext, 'tenant'>, prefix: string): string =>
  tenant.id(prefix) + tenant.id('').slice(1)
