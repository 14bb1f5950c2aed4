import type { JournalSize } from '../../wire/index.ts'
import type { Area } from '../core.ts'
import { ok } from '../message.ts'
import type { TenantRegistry } from './context.ts'

type HealthContext = Readonly<{
  registry: TenantRegistry
  journal: (() => JournalSize) | undefined
}>

/** `/healthz`, which issuer and API both have: a probe asks the port that it watches. */
export const healthArea = (context: HealthContext): Area<'control.health', HealthContext> => ({
  handlers: {
    'control.health': ({ registry, journal }) =>
      ok({
        status: 'ok',
        tenants: registry.slugs().length,
        version: registry.version,
        ...(journal && { journal: journal() }),
      }),
  },
  tenantByPath: true,
  authenticate: () => context,
})
