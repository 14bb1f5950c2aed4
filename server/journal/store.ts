import type { Change } from '../api/changes.ts'
import type { Entry } from '../issuer/event.ts'
import type { History } from '../issuer/history.ts'
import type { KeyRing, SigningKey } from '../signing/keys.ts'
import type { TenantSeed } from '../wire/index.ts'

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
  /** Resolves when all that happened so far is kept. @throws {JournalError} when it is not */
  durable: () => Promise<void>
}>

/** Where the tenants of a harness are kept, so that they survive the process. */
export type Store = Readonly<{
  /** The key tenants begin with; the same after a restart. */
  signingKey: SigningKey
  /** The key of the platforms that the harness plays; the same after a restart. */
  platformKey: SigningKey
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

/** The seed as a journal has it: secrets stand elsewhere. */
export const withoutSecrets = (seed: TenantSeed): TenantSeed => ({
  ...seed,
  agents: seed.agents.map(({ client_secret: _, ...agent }) => agent),
  applications: seed.applications.map(({ client_secret: _, ...application }) => application),
  api_keys: seed.api_keys.map(({ key: _, ...apiKey }) => apiKey),
})
