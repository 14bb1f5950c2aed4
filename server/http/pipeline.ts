import type { Recording, RouteName } from '../wire/index.ts'
import { authenticate } from './authenticate-caller.ts'
import { type AnyArea, type Core, type FindTenant, inOrder } from './core.ts'
import { dispatch } from './dispatch.ts'
import { showErrorsAsPages } from './error-pages.ts'
import { handle } from './handle.ts'
import { type Durable, keepJournal } from './keep-journal.ts'
import { type LogLine, writeLog } from './log.ts'
import type { HttpRequest } from './message.ts'
import { misbehave } from './misbehave.ts'
import { shareAcrossOrigins } from './origin/cross-origin.ts'
import { followName, type Naming } from './origin/reached-by.ts'
import type { OwnTenant } from './own-tenant.ts'
import { parseInput } from './parse.ts'
import { limitRate } from './rate-limit.ts'
import { recordExchange } from './record.ts'
import { renderErrors } from './refusals.ts'
import { replayRecording } from './replay.ts'
import type { Origins, TenantContext } from './tenant/tenant-context.ts'

export type SeatOptions = Readonly<{
  name: LogLine['seat']
  /** All routes of the seat. */
  areas: readonly AnyArea[]
  findTenant?: FindTenant
  /** The configured origins, and the further names under which requests may arrive. */
  names?: Readonly<{ origins: Origins; naming: Naming }>
  /** Whether pages of other origins may call issuer and API (CORS). */
  crossOrigin?: boolean
  /** Every tenant of the harness. */
  tenants?: () => Iterable<TenantContext>
  /** Receives one line per answer. */
  log?: ((line: LogLine) => void) | undefined
  /** Storage of events. Absent: in memory only. */
  journal?: Durable | undefined
  /** Makes this process the owner of the request's tenant, when several processes share the store. */
  ownTenant?: OwnTenant | undefined
  /** Recorded answers of an issuer, returned instead of ours. */
  recording?: Readonly<{ of: Recording; origin: () => string }> | undefined
  /** Receives internal errors of the harness. The client gets a 500 without details. */
  onBug?: (bug: unknown, request: HttpRequest) => void
}>

/** One seat: everything that surrounds a handler, in order. */
export const createSeat = ({
  name,
  areas,
  findTenant = () => undefined,
  names,
  crossOrigin = true,
  tenants = () => [],
  log,
  journal,
  ownTenant,
  recording,
  onBug = () => {},
}: SeatOptions): Core => {
  const insideRoute = inOrder(
    [
      renderErrors(onBug), // what a misbehaviour throws
      recordExchange,
      misbehave(tenants),
      showErrorsAsPages,
      parseInput, // a fault waits until the caller is authenticated
      authenticate, // a refusal waits until it has been counted
      limitRate,
      renderErrors(onBug), // what the handler throws, and what has waited
    ],
    handle,
  )
  return inOrder(
    [
      log && writeLog(name, log),
      names && followName(name, names.origins, names.naming),
      crossOrigin ? shareAcrossOrigins(routesOf(areas)) : undefined,
      journal && keepJournal(journal), // no answer leaves before its events are on the disk
      recording && replayRecording(recording.of, recording.origin),
    ],
    dispatch({ seat: name, areas, findTenant, ownTenant }, insideRoute),
  )
}

const routesOf = (areas: readonly AnyArea[]) =>
  areas.flatMap(({ handlers }) => Object.keys(handlers) as RouteName[])
