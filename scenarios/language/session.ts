import type { Seat } from '../../server/wire/index.ts'

/** A tenant of a target, for one scenario. */
export type Session = Readonly<{
  tenant: string
  /** Where each seat is spoken to, without a trailing slash. */
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
  /** The client an API introspects with, where one is known. */
  apiClient?: Readonly<{ client_id: string; client_secret: string }>
  controlToken?: string
  /** Access tokens of people, by e-mail, where they cannot be minted. */
  userTokens?: Readonly<Record<string, string>>
  fetch(seat: Seat): typeof fetch
  /** Seats that never promised the wire contract: their answers are not held to its schemas. */
  unbound?: ReadonlySet<Seat>
  /** Why the scenario could not go on, where that says nothing about the seats: it counts as skipped. */
  unable?(): string | undefined
  /** The policy rules that decided requests, by name, once for each request. */
  decidedBy?(): Promise<readonly string[]>
  close(): Promise<void>
}>

export type Credentials = Readonly<{
  name: string
  agent_id: string
  client_id: string
  client_secret: string
}>
