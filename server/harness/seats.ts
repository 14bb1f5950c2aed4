import { apiArea } from '../http/api/handlers.ts'
import { consoleArea } from '../http/control/console.ts'
import type { TenantRegistry } from '../http/control/context.ts'
import { controlArea } from '../http/control/control.ts'
import { docsArea } from '../http/control/docs.ts'
import { healthArea } from '../http/control/health.ts'
import { modelArea } from '../http/control/model.ts'
import type { Core } from '../http/core.ts'
import { issuerArea } from '../http/issuer/handlers.ts'
import type { LogLine } from '../http/log.ts'
import type { HttpRequest } from '../http/message.ts'
import type { Naming } from '../http/origin/reached-by.ts'
import { ownTenant, type TenantOwnership } from '../http/own-tenant.ts'
import { createSeat } from '../http/pipeline.ts'
import { findTenantOfCall, slugsOfCall } from '../http/tenant/find-tenant.ts'
import type { Origins, TenantContext } from '../http/tenant/tenant-context.ts'
import type { JournalError } from '../journal/error.ts'
import type { Store } from '../journal/store.ts'
import type { Recording } from '../wire/index.ts'

/** Issuer and API, without a host. The control plane shares the issuer's origin. */
export type Seats = Readonly<{ issuer: Core; api: Core }>

export type SeatsOptions = Readonly<{
  registry: TenantRegistry & Readonly<{ open: ReadonlyMap<string, TenantContext> }>
  controlToken: string
  /** Set when the sockets are open, so it is read at each request. */
  origins: Origins
  store: Store | undefined
  /** The tenants this process owns, when several processes share the store. */
  ownership: TenantOwnership | undefined
  /** The tenant of calls that name none. Default: the first open one. */
  first: (() => string | undefined) | undefined
  recording: Recording | undefined
  crossOrigin: boolean | undefined
  naming: Naming
  log: ((line: LogLine) => void) | undefined
  onBug: ((bug: unknown, request: HttpRequest) => void) | undefined
  onWarning: (message: string) => void
}>

export const createSeats = ({
  registry,
  controlToken,
  origins,
  store,
  ownership,
  first,
  recording,
  crossOrigin = true,
  naming,
  log,
  onBug = reportBug,
  onWarning,
}: SeatsOptions): Seats => {
  const { open } = registry
  const issuerOrigin = () => origins.issuer
  const health = healthArea({ registry, journal: store?.size?.bind(store) })
  const shared = {
    findTenant: findTenantOfCall(open, first),
    tenants: () => open.values(),
    log,
    crossOrigin,
    names: { origins, naming },
    journal: store && ownership === undefined ? journalOf(store, onWarning) : undefined,
    onBug,
  }
  const owning = (seat: 'issuer' | 'api') =>
    ownership && {
      ownTenant: ownTenant({
        seat,
        tenants: ownership,
        slugsOf: slugsOfCall(first ?? (() => undefined)),
      }),
    }
  return {
    issuer: createSeat({
      ...shared,
      ...owning('issuer'),
      name: 'issuer',
      areas: [
        issuerArea,
        health,
        controlArea(registry, controlToken, issuerOrigin),
        consoleArea(registry, controlToken, issuerOrigin),
        modelArea(registry.find),
        docsArea(origins, registry.version),
      ],
      recording: recording && { of: recording, origin: issuerOrigin },
    }),
    api: createSeat({ ...shared, ...owning('api'), name: 'api', areas: [apiArea, health] }),
  }
}

/** Warns once: every answer after the first failure is a 503. */
const journalOf = (store: Store, onWarning: (message: string) => void) => {
  let hasWarned = false
  return {
    durable: () => store.durable(),
    refuseIfFailed: () => store.refuseIfFailed(),
    onFailure: ({ message }: JournalError) => {
      if (!hasWarned) onWarning(`${message}; no further changes are accepted until a restart`)
      hasWarned = true
    },
  }
}

const reportBug = (bug: unknown, { method, path }: HttpRequest) => {
  console.error(`bug while answering ${method} ${path}:`, bug)
}
