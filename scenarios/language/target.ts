import type { Seat } from '../../server/wire/index.ts'
import type { Given } from './format.ts'
import type { Loaded } from './load.ts'

/**
 * What a target may be able to do. What it cannot, a scenario that needs it is skipped for.
 * - `control`: seed tenants, change policy and dialect, misbehave, read the journal
 * - `virtual_time`: move time instead of waiting
 * - `approver`: act as a person who holds `jit.approve`
 * - `writes`: change data of the API
 */
export const capabilities = ['control', 'virtual_time', 'approver', 'writes'] as const
export type Capability = (typeof capabilities)[number]

/** The seats a scenario is run against: the mock under one of its hosts, or a real deployment. */
export type Target = Readonly<{
  name: string
  capabilities: ReadonlySet<Capability>
  /** The longest real wait `advance` may become where time is not virtual, in seconds. */
  longestWait: number
  /** Why it cannot run a scenario, where it knows better than its capabilities tell. */
  cannot?(scenario: Loaded): string | undefined
  /** One tenant to work in, with what the scenario takes as given. */
  open(given: Given, how: OpenOptions): Promise<Session>
  close(): Promise<void>
}>

export type OpenOptions = Readonly<{
  /** A slug no other running scenario uses. */
  tenant: string
  /** Which of the scenario’s tenants it is, from 0. */
  index?: number
  /** The same seed makes the same ids and secrets. */
  seed?: number | undefined
}>

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

/** A target cannot offer what a scenario takes as given: it is skipped for this reason. */
export class SkipScenario extends Error {
  override readonly name = 'SkipScenario'
}
