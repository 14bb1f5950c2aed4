import type { Change } from '../api/changes.ts'
import type { Entry } from '../issuer/event.ts'
import type { History, OnDecided } from '../issuer/history.ts'
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
  /** Stores its further entries. */
  journal: TenantJournal
}>

/** Stores the entries of one tenant in order. When it throws, the change was not made. */
export type TenantJournal = Readonly<{
  /**
   * Stores the entries of one change: all of them or none.
   * @throws {JournalError} when they cannot be stored
   */
  happened: (entries: readonly Entry[], keys: KeyRing) => void
  /** Stores a change of a document or report. @throws {JournalError} when it cannot be stored */
  changed: (change: Change) => void
  /** Deletes the tenant with its secrets and keys. @throws {JournalError} when it cannot be deleted */
  deleted: () => void
  /** Stores in how many seconds work is due; undefined: none is. Only in a shared store. */
  planned?: (seconds: number | undefined) => void
  /** Resolves when all entries so far are stored. @throws {JournalError} when they are not */
  durable: () => Promise<void>
  /**
   * Reads the stored decided requests. Calls `begin` first, and again where a tenant of this name was
   * created anew: what earlier receivers got does not count.
   * @returns the time from which on none is missing; undefined without entries
   */
  decided: (begin: () => OnDecided) => Promise<number | undefined>
}>

/** The storage of the tenants of a harness, from which a restart restores them. */
export type Store = Readonly<{
  /** The initial signing key of tenants, the same after a restart. */
  signingKey: SigningKey
  /** The key of the simulated platforms, the same after a restart. */
  platformKey: SigningKey
  /** The size of the journal in bytes, and its limit. Only a file has a limit. */
  size?: () => JournalSize
  /** The stored tenants that `kept` has not returned yet. */
  slugs: () => readonly string[]
  /** The stored tenant. Returns it once. */
  kept: (slug: string) => Kept | undefined
  /** Creates a tenant, or replaces it. It exists after its first entry. */
  opened: (
    slug: string,
    seed: TenantSeed,
    secrets: ReadonlyMap<string, string>,
    keys: KeyRing,
  ) => TenantJournal
  /** @throws {JournalError} after a write has failed */
  refuseIfFailed: () => void
  /** Resolves when all entries so far are stored. @throws {JournalError} when they are not */
  durable: () => Promise<void>
  close: () => Promise<void>
}>

/** The current owner of a tenant. */
export type Place =
  | Readonly<{ at: 'here'; kept: Kept }>
  | Readonly<{ at: 'elsewhere'; issuer?: string | undefined; api?: string | undefined }>
  | Readonly<{ at: 'nowhere' }>

/** A store that several processes share. Each tenant has at most one owner at a time. */
export type SharedStore = Store &
  Readonly<{
    /** Reads a tenant and makes this process its owner, unless another process is. */
    take: (slug: string) => Promise<Place>
    /** Claims the name of a new tenant for this process. @returns false when it is taken */
    claim: (slug: string) => Promise<boolean>
    /** The addresses of a tenant's owner, if it has one that renews its lease. */
    ownerOf: (
      slug: string,
    ) => Promise<Readonly<{ issuer?: string | undefined; api?: string | undefined }> | undefined>
    /** Resolves when this process certainly owns its tenants. @throws {JournalError} */
    live: () => Promise<void>
    /** Reads a tenant without becoming its owner. It is read-only. */
    look: (slug: string) => Promise<Kept | undefined>
    /** Writes all entries of a tenant, and gives up its ownership. */
    release: (slug: string) => Promise<void>
    /** The names of all tenants of all processes. */
    list: () => Promise<string[]>
    /** Tenants with due work and without an owner. */
    overdue: () => Promise<string[]>
    /** Stores the addresses of this process for the others. */
    announce: (addresses: Readonly<{ issuer: string; api: string }>) => Promise<void>
    /** Sets a callback for the loss of all tenants of this process, with the reason. */
    onLost: (lost: (why: Error) => void) => void
    /** The key that proves to another process that a request was forwarded by one of them. */
    forwardKey: string
  }>

/** Whether several processes can share a store. */
export const isShared = (store: Store): store is SharedStore => 'take' in store

/** The seed without secrets, as in a journal. */
export const withoutSecrets = (seed: TenantSeed): TenantSeed => ({
  ...seed,
  agents: seed.agents.map(({ client_secret: _, ...agent }) => agent),
  applications: seed.applications.map(({ client_secret: _, ...application }) => application),
  api_keys: seed.api_keys.map(({ key: _, ...apiKey }) => apiKey),
})

/** The stored key, or a new one. */
export const keptOr = (
  jwk: object | undefined,
  algorithm: Algorithm,
): SigningKey | Promise<SigningKey> =>
  jwk === undefined ? generateSigningKey(algorithm) : importSigningKey(jwk as PrivateJwk)
