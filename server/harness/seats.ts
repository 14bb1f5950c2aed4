import { apiArea } from '../http/api/handlers.ts'
import { consoleArea } from '../http/control/console.ts'
import type { TenantRegistry } from '../http/control/context.ts'
import { controlArea } from '../http/control/control.ts'
import { docsArea } from '../http/control/docs.ts'
import { modelArea } from '../http/control/model.ts'
import type { Core } from '../http/core.ts'
import { findTenantOfCall } from '../http/find-tenant.ts'
import { issuerArea } from '../http/issuer/handlers.ts'
import type { LogLine } from '../http/log.ts'
import type { HttpRequest } from '../http/message.ts'
import { createSeat } from '../http/pipeline.ts'
import type { Origins, TenantContext } from '../http/tenant-context.ts'
import { JournalError } from '../journal/error.ts'
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
  recording: Recording | undefined
  log: ((line: LogLine) => void) | undefined
  onBug: ((bug: unknown, request: HttpRequest) => void) | undefined
  onWarning: (message: string) => void
}>

export const createSeats = ({
  registry,
  controlToken,
  origins,
  store,
  recording,
  log,
  onBug = reportBug,
  onWarning,
}: SeatsOptions): Seats => {
  const { open } = registry
  const issuerOrigin = () => origins.issuer
  const shared = {
    findTenant: findTenantOfCall(open),
    tenants: () => open.values(),
    log,
    journal: store && journalOf(store, onWarning),
    onBug: (bug: unknown, request: HttpRequest) => {
      // The journal step answers these, with a warning.
      if (!(bug instanceof JournalError)) onBug(bug, request)
    },
  }
  return {
    issuer: createSeat({
      ...shared,
      name: 'issuer',
      areas: [
        issuerArea,
        controlArea(registry, controlToken, issuerOrigin),
        consoleArea(registry, controlToken, issuerOrigin),
        modelArea(registry.find),
        docsArea(origins, registry.version),
      ],
      recording: recording && { of: recording, origin: issuerOrigin },
    }),
    api: createSeat({ ...shared, name: 'api', areas: [apiArea] }),
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
