import type { ResourceServer } from '../api/resource-server.ts'
import type { Sessions } from '../console/sessions.ts'
import type { Tenant } from '../issuer/tenant.ts'
import type { ScriptedModel } from '../model/scripted-model.ts'
import type { Agenda, Timers } from '../outbound/agenda.ts'
import type { Outbound } from '../outbound/outbound.ts'
import type { KeyRing, SigningKey } from '../signing/keys.ts'
import type { TenantSeed } from '../wire/index.ts'
import type { ActiveMisbehaviours } from './tenant/active-misbehaviours.ts'
import type { ExchangeLog } from './tenant/exchange-log.ts'
import type { StatusPolls } from './tenant/polls.ts'
import type { RateLimitWindows } from './tenant/rate-limit-windows.ts'

/** Where the seats are reached: origins, perhaps with a path in front of theirs. */
export type Origins = {
  issuer: string
  api: string
  /** By what else they were reached so far: tokens of one name are good under every other. */
  readonly aliases?: Readonly<Record<'issuer' | 'api', Set<string>>>
  /** The configured ones, where these are those of one request. */
  readonly configured?: Readonly<{ issuer: string; api: string }>
}

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
  /** Status polls of what waits for a person. */
  readonly polls: StatusPolls
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
  /** Signs what a consent page shows; made anew at every start. */
  readonly consentKey: Uint8Array
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
