import type { JournalEntry, Seat } from '../../server/wire/index.ts'
import type { SkipReason } from './target.ts'

/** A tenant of a target, for one scenario. */
export type Session = Readonly<{
  tenant: string
  /** Base URL of each seat, without a trailing slash. */
  urls: Readonly<{
    issuer: string
    tenant: string
    org: string
    api: string
    apiOrigin: string
    control?: string
  }>
  agents: readonly Credentials[]
  users: readonly Readonly<{ id: string; email: string; permissions: readonly string[] }>[]
  /** The client with which an API introspects, if known. */
  apiClient?: Readonly<{ client_id: string; client_secret: string }>
  controlToken?: string
  /** Access tokens of users by e-mail, where the target cannot mint them. */
  userTokens?: Readonly<Record<string, string>>
  fetch(seat: Seat): typeof fetch
  /** Seats whose answers are not checked against the wire schemas. */
  unbound?: ReadonlySet<Seat>
  /** Why the scenario could not continue for reasons outside the seats. It counts as skipped. */
  unable?(): SkipReason | undefined
  /** The policy rules that decided requests, by name, once for each request. */
  decidedBy?(): Promise<readonly string[]>
  /** The journal entries after a `seq`. */
  journal?(after: number): Promise<readonly JournalEntry[]>
  close(): Promise<void>
}>

export type Credentials = Readonly<{
  name: string
  agent_id: string
  client_id: string
  client_secret: string
}>
