import { timingSafeEqual } from 'node:crypto'
import type { ResourceServer } from '../api/resource-server.ts'
import type { Sessions } from '../console/sessions.ts'
import type { Client } from '../issuer/event.ts'
import type { Tenant } from '../issuer/tenant.ts'
import type { ScriptedModel } from '../model/scripted-model.ts'
import type { Agenda, Timers } from '../outbound/agenda.ts'
import type { Outbound } from '../outbound/outbound.ts'
import type { KeyRing, SigningKey } from '../signing/keys.ts'
import { hashSecret } from '../signing/secrets.ts'
import type { TenantSeed } from '../wire/index.ts'
import type { ActiveMisbehaviours } from './misbehave.ts'
import type { RateLimitWindows } from './rate-limit.ts'
import type { ExchangeLog } from './record.ts'
import { letApproverAnswer } from './scripted-approver.ts'

/** Where the seats are reached: origins, without a path. */
export type Origins = { issuer: string; api: string }

/** A tenant in its three seats: the rules, and what HTTP needs beside them. */
export type TenantContext = {
  /** What a reset goes back to. */
  seed: TenantSeed
  readonly tenant: Tenant
  readonly keys: KeyRing
  readonly origins: Origins
  readonly api: ResourceServer
  readonly exchanges: ExchangeLog
  readonly misbehaving: ActiveMisbehaviours
  /** Status polls of each pending request: how many, and when the last one was. */
  readonly polls: Map<string, { count: number; lastAt: number }>
  /** The keys of the platforms that the harness plays, by their issuer. */
  readonly platforms: ReadonlyMap<string, SigningKey>
  /** Who is signed in to the approvals page. */
  readonly sessions: Sessions
  /** Aborted when the tenant is reset or deleted, so that whoever watches it stops. */
  readonly ended: AbortController
  /** How real time passes. */
  readonly timers: Timers
  /** What is done later, by the tenant's clock. */
  readonly agenda: Agenda
  /** How messages leave the harness. */
  readonly outbound: Outbound
  /** Signs callbacks. */
  readonly webhookSecret: string
  /** The `Authorization` of each stream that is pushed; kept nowhere else. */
  readonly pushHeaders: Map<string, string>
  /** Long polls that wait. */
  readonly polling: { count: number }
  /** Pages that watch. */
  readonly watching: { count: number }
  /** Resolves when all that has happened so far is kept, where anything is. */
  readonly durable: () => Promise<void>
  readonly visits: RateLimitWindows
  readonly model: ScriptedModel
}

/** A secret nobody can guess, of 128 bits; with a seeded tenant it can be foretold. */
export const newSecret = ({ tenant }: TenantContext, prefix: string): string =>
  tenant.id(prefix) + tenant.id('').slice(1)

/** Compares in constant time; an unknown client takes as long as a wrong secret (CC-14). */
export const hasSecret = (client: Client | undefined, secret: string): boolean => {
  const given = Buffer.from(hashSecret(secret))
  const kept = Buffer.from(client?.secretHash ?? hashSecret(''))
  return timingSafeEqual(given, kept) && client?.secretHash !== undefined
}

/** Counts a look at what waits for a person; of what waits no more nothing is kept. */
export const notePoll = (
  { tenant, polls }: TenantContext,
  id: string,
  isPending: boolean,
): void => {
  const count = (polls.get(id)?.count ?? 0) + 1
  polls.delete(id)
  if (!isPending) return
  polls.set(id, { count, lastAt: tenant.clock.now() })
  const [oldest] = polls.keys()
  if (polls.size > mostPolled && oldest !== undefined) polls.delete(oldest)
}

const mostPolled = 10_000

/** Moves the clock, stopping wherever the scripted approver has something to answer on the way. */
export const advance = (context: TenantContext, seconds: number): void => {
  const { tenant, agenda } = context
  const { state, clock } = tenant
  const target = clock.now() + seconds
  const after = state.approver?.after ?? 0
  const due = [...state.undecided]
    .flatMap((id) => state.requests.get(id)?.request.requestedAt ?? [])
    .map((requestedAt) => requestedAt + after)
    .filter((at) => after > 0 && at > clock.now() && at <= target)
  for (const moment of due.sort((a, b) => a - b)) {
    clock.set(moment)
    letApproverAnswer(context)
  }
  clock.set(target)
  tenant.happen([{ type: 'clock.moved', by: seconds }])
  agenda.look()
}
