import type { Change } from '../api/changes.ts'
import type { Entry } from '../issuer/event.ts'
import type { History } from '../issuer/history.ts'
import {
  type Algorithm,
  generateSigningKey,
  importSigningKey,
  type KeyRing,
  type PrivateJwk,
  type SigningKey,
} from '../signing/keys.ts'
import type { JournalSize, TenantSeed } from '../wire/index.ts'

/** A tenant as it was before a restart. */
export type Kept = Readonly<{
  seed: TenantSeed
  history: History
  changes: readonly Change[]
  secrets: ReadonlyMap<string, string>
  keys: KeyRing
  /** Where this process keeps what happens to it from now on. */
  journal: TenantJournal
}>

/** Keeps what happens to one tenant, in order. What it refuses by throwing has not happened. */
export type TenantJournal = Readonly<{
  /**
   * Keeps entries that happened at once: all of them or none.
   * @throws {JournalError} when they cannot be kept
   */
  happened: (entries: readonly Entry[], keys: KeyRing) => void
  /** Keeps a change of a document or report. @throws {JournalError} when it cannot be kept */
  changed: (change: Change) => void
  /** Deletes the tenant with its secrets and keys. @throws {JournalError} when that cannot be kept */
  deleted: () => void
  /** Says in how many seconds something is due; undefined: nothing is. Only a shared store keeps it. */
  planned?: (seconds: number | undefined) => void
  /** Resolves when all that happened so far is kept. @throws {JournalError} when it is not */
  durable: () => Promise<void>
}>

/** Where the tenants of a harness are kept, so that they survive the process. */
export type Store = Readonly<{
  /** The key tenants begin with; the same after a restart. */
  signingKey: SigningKey
  /** The key of the platforms that the harness plays; the same after a restart. */
  platformKey: SigningKey
  /** The bytes of the journal, and its limit. Only a file has a limit. */
  size?: () => JournalSize
  /** The tenants there were before the restart, of which nothing has been handed over yet. */
  slugs: () => readonly string[]
  /** What there was of a tenant, handed over once. */
  kept: (slug: string) => Kept | undefined
  /** A tenant begins, or begins anew; it counts from the first thing that happens to it. */
  opened: (
    slug: string,
    seed: TenantSeed,
    secrets: ReadonlyMap<string, string>,
    keys: KeyRing,
  ) => TenantJournal
  /** @throws {JournalError} once a write has failed */
  refuseIfFailed: () => void
  /** Resolves when all that happened so far is kept. @throws {JournalError} when it is not */
  durable: () => Promise<void>
  close: () => Promise<void>
}>

/** Where a tenant is at the moment. */
export type Place =
  | Readonly<{ at: 'here'; kept: Kept }>
  | Readonly<{ at: 'elsewhere'; issuer?: string | undefined; api?: string | undefined }>
  | Readonly<{ at: 'nowhere' }>

/** A store that several processes use at once. Each tenant belongs to at most one of them at a time. */
export type SharedStore = Store &
  Readonly<{
    /** Reads what happened to a tenant, and makes it this process's own, unless another has it. */
    take: (slug: string) => Promise<Place>
    /** Makes the name of a tenant that does not exist this process's own. @returns false when it is taken */
    claim: (slug: string) => Promise<boolean>
    /** Where the owner of a tenant is reached, while it has one that renews its lease. */
    ownerOf: (
      slug: string,
    ) => Promise<Readonly<{ issuer?: string | undefined; api?: string | undefined }> | undefined>
    /** Resolves when no other process can have taken a tenant of this one. @throws {JournalError} */
    live: () => Promise<void>
    /** Reads a tenant without taking it; nothing can be written to it. */
    look: (slug: string) => Promise<Kept | undefined>
    /** Writes what happened so far to a tenant, and lets another process take it. */
    release: (slug: string) => Promise<void>
    /** All tenants, whichever process has them, by name. */
    list: () => Promise<string[]>
    /** Tenants in which something is due, and that no process has. */
    overdue: () => Promise<string[]>
    /** Says where the other processes reach this one. */
    announce: (addresses: Readonly<{ issuer: string; api: string }>) => Promise<void>
    /** Calls back when this process has lost all its tenants, with why. */
    onLost: (lost: (why: Error) => void) => void
    /** Proves to another process that a request was forwarded by one of them. */
    forwardKey: string
  }>

/** Whether several processes may use a store at once. */
export const isShared = (store: Store): store is SharedStore => 'take' in store

/** The seed as a journal has it: secrets stand elsewhere. */
export const withoutSecrets = (seed: TenantSeed): TenantSeed => ({
  ...seed,
  agents: seed.agents.map(({ client_secret: _, ...agent }) => agent),
  applications: seed.applications.map(({ client_secret: _, ...application }) => application),
  api_keys: seed.api_keys.map(({ key: _, ...apiKey }) => apiKey),
})

/** The key as it was kept, or a fresh one. */
export const keptOr = (
  jwk: object | undefined,
  algorithm: Algorithm,
): SigningKey | Promise<SigningKey> =>
  jwk === undefined ? generateSigningKey(algorithm) : importSigningKey(jwk as PrivateJwk)
