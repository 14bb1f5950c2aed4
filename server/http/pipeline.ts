import type { Recording, RouteName } from '../wire/index.ts'
import { authenticate } from './authenticate-caller.ts'
import { type AnyArea, type Core, type FindTenant, inOrder } from './core.ts'
import { shareAcrossOrigins } from './cross-origin.ts'
import { dispatch } from './dispatch.ts'
import { handle } from './handle.ts'
import { type Durable, keepJournal } from './keep-journal.ts'
import { type LogLine, writeLog } from './log.ts'
import type { HttpRequest } from './message.ts'
import { misbehave } from './misbehave.ts'
import type { OwnTenant } from './own-tenant.ts'
import { parseInput } from './parse.ts'
import { limitRate } from './rate-limit.ts'
import { followName, type Naming } from './reached-by.ts'
import { recordExchange } from './record.ts'
import { renderErrors } from './refusals.ts'
import { replayRecording } from './replay.ts'
import type { Origins, TenantContext } from './tenant-context.ts'

export type SeatOptions = Readonly<{
  name: LogLine['seat']
  /** All routes of the seat. */
  areas: readonly AnyArea[]
  findTenant?: FindTenant
  /** The configured origins, and by what other names requests may come. */
  names?: Readonly<{ origins: Origins; naming: Naming }>
  /** Whether pages of other origins may call the issuer and the API (CORS). */
  crossOrigin?: boolean
  /** Every tenant of the harness. */
  tenants?: () => Iterable<TenantContext>
  /** Receives a line for each answer. */
  log?: ((line: LogLine) => void) | undefined
  /** Where events are kept; absent: in memory only. */
  journal?: Durable | undefined
  /** Makes each tenant this process's own while it is asked, where several processes share them. */
  ownTenant?: OwnTenant | undefined
  /** Answers that a recorded issuer gives in place of ours. */
  recording?: Readonly<{ of: Recording; origin: () => string }> | undefined
  /** Receives errors of the harness itself; the client gets a 500 without details. */
  onBug?: (bug: unknown, request: HttpRequest) => void
}>

/** One seat: everything that surrounds a handler, in the order in which it happens. */
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
