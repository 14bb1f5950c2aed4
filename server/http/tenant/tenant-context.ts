import type { ResourceServer } from '../../api/resource-server.ts'
import type { Sessions } from '../../console/sessions.ts'
import type { OnDecided } from '../../issuer/history.ts'
import type { Tenant } from '../../issuer/tenant.ts'
import type { ScriptedModel } from '../../model/scripted-model.ts'
import type { Agenda, Timers } from '../../outbound/agenda.ts'
import type { Outbound } from '../../outbound/outbound.ts'
import type { KeyRing, SigningKey } from '../../signing/keys.ts'
import type { TenantSeed } from '../../wire/index.ts'
import type { ActiveMisbehaviours } from './active-misbehaviours.ts'
import type { ExchangeLog } from './exchange-log.ts'
import type { StatusPolls } from './polls.ts'
import type { RateLimitWindows } from './rate-limit-windows.ts'

/** Base URLs of the seats: origins, optionally with a path. */
export type Origins = {
  issuer: string
  api: string
  /** Further names under which requests arrived. A token for one name is valid under all of them. */
  readonly aliases?: Readonly<Record<'issuer' | 'api', Set<string>>>
  /** The configured base URLs, when these are those of one request. */
  readonly configured?: Readonly<{ issuer: string; api: string }>
}

/** A tenant as its three seats use it: the rules, and the state that HTTP adds. */
export type TenantContext = {
  /** The seed that a reset restores. */
  seed: TenantSeed
  readonly tenant: Tenant
  readonly keys: KeyRing
  readonly origins: Origins
  readonly api: ResourceServer
  readonly exchanges: ExchangeLog
  readonly misbehaving: ActiveMisbehaviours
  /** Status polls of pending requests and approvals. */
  readonly polls: StatusPolls
  /** The keys of the simulated platforms, by issuer. */
  readonly platforms: ReadonlyMap<string, SigningKey>
  /** Sessions of the approvals page. */
  readonly sessions: Sessions
  /** Aborted when the tenant is reset or deleted, so that watchers stop. */
  readonly ended: AbortController
  /** Timers in real time. */
  readonly timers: Timers
  /** Jobs for later, by the tenant's clock. */
  readonly agenda: Agenda
  /** Sends callbacks and signals. */
  readonly outbound: Outbound
  /** The key that signs callbacks. */
  readonly webhookSecret: string
  /** The key that signs consent pages, generated at every start. */
  readonly consentKey: Uint8Array
  /** The `Authorization` of each push stream. Stored in memory only. */
  readonly pushHeaders: Map<string, string>
  /** Pending long polls. */
  readonly polling: { count: number }
  /** Open event streams of the approvals page. */
  readonly watching: { count: number }
  /** Resolves when everything so far is stored, if there is storage. */
  readonly durable: () => Promise<void>
  /**
   * Reads the decided requests. Calls `begin` for a receiver, which replaces earlier ones.
   * @returns the time from which on none is missing; undefined when there are none
   */
  readonly decided: (begin: () => OnDecided) => Promise<number | undefined>
  readonly visits: RateLimitWindows
  readonly model: ScriptedModel
}
