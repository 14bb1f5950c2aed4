import type { Express } from 'express'
import type { Core } from '../http/core.ts'
import { createExpressApp, createIssuerApp } from '../http/hosts/express.ts'
import { pathOf } from '../wire/base-url.ts'

/**
 * Issuer and API of a harness as Express apps, to mount in an app of your own. Each answers every
 * request that reaches it, so mount it behind your own routes, or below a path or a host name; give
 * the harness these addresses as `origins`.
 *
 * ```ts
 * const harness = await createHarness({ origins: { issuer: 'http://localhost:3000', api: 'http://localhost:3001' } })
 * const { issuer, api } = expressApps(harness)
 * app.use('/healthz', ownHealth)
 * app.use(issuer)
 * ```
 */
export const expressApps = ({
  seats,
  issuer,
}: Readonly<{ seats: Readonly<{ issuer: Core; api: Core }>; issuer?: string }>): {
  issuer: Express
  api: Express
} => ({
  issuer: createIssuerApp(seats.issuer, () => (issuer === undefined ? '' : pathOf(issuer))),
  api: createExpressApp(seats.api),
})
