import type { JournalSize } from '../../wire/index.ts'
import type { Area } from '../core.ts'
import { ok } from '../message.ts'
import type { TenantRegistry } from './context.ts'

type HealthContext = Readonly<{
  registry: TenantRegistry
  journal: (() => JournalSize) | undefined
}>

/** `/healthz` of both issuer and API, so that a probe can call either port. */
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
