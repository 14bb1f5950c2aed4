import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Change } from '../api/changes.ts'
import type { Entry } from '../issuer/event.ts'
import type { History } from '../issuer/history.ts'
import {
  type Algorithm,
  generateSigningKey,
  importSigningKey,
  KeyRing,
  type PrivateJwk,
  type SigningKey,
} from '../signing/keys.ts'
import type { JournalSize, TenantSeed } from '../wire/index.ts'
import { JournalError } from './error.ts'
import { JournalFile, type JournalOptions } from './file.ts'
import { addChecksum, readChecked } from './line.ts'
import { replaceFile } from './replace.ts'

/** A tenant as it was before a restart. */
export type Kept = Readonly<{
  seed: TenantSeed
  history: History
  changes: readonly Change[]
  secrets: ReadonlyMap<string, string>
  keys: KeyRing
}>

/** What must not stand in the journal: keys and secrets, in a file beside it that only its owner reads. */
const Beside = z.strictObject({
  signing_key: z.looseObject({ kid: z.string(), alg: z.string() }),
  /** Absent in files of before December 2026. */
  platform_key: z.looseObject({ kid: z.string(), alg: z.string() }).optional(),
  tenants: z.record(
    z.string(),
    z.strictObject({
      secrets: z.record(z.string(), z.string()),
      keys: z.array(z.looseObject({ kid: z.string(), alg: z.string() })).min(1),
    }),
  ),
})
type Beside = z.infer<typeof Beside>

/** Keeps what happens on the disk, so that it survives the process. */
export class Store {
  /** The key tenants begin with; the same after a restart. */
  readonly signingKey: SigningKey
  /** The key of the platforms that the harness plays; the same after a restart. */
  readonly platformKey: SigningKey
  readonly #journal: JournalFile
  readonly #path: string
  readonly #beside: Beside

  /**
   * @param onWarning is told what is wrong with the journal, unless that ends it
   * @throws {JournalError} when the file is corrupt, cannot be written, or another process has it
   */
  static async open(
    path: string,
    algorithm: Algorithm,
    options?: JournalOptions,
    onWarning?: (message: string) => void,
  ): Promise<Store> {
    const journal = await JournalFile.open(path, options, onWarning)
    try {
      const beside = readBeside(`${path}.keys`)
      const [signingKey, platformKey] = await Promise.all([
        keptOr(beside?.signing_key, algorithm),
        keptOr(beside?.platform_key, 'ES256'),
      ])
      return new Store(journal, `${path}.keys`, { signingKey, platformKey }, beside)
    } catch (failed) {
      await journal.close()
      throw failed
    }
  }

  private constructor(
    journal: JournalFile,
    path: string,
    { signingKey, platformKey }: Pick<Store, 'signingKey' | 'platformKey'>,
    beside: Beside | undefined,
  ) {
    this.#journal = journal
    this.#path = path
    this.signingKey = signingKey
    this.platformKey = platformKey
    const tenants = Object.entries(beside?.tenants ?? {})
    this.#beside = {
      signing_key: signingKey.privateJwk,
      platform_key: platformKey.privateJwk,
      tenants: Object.fromEntries(tenants.filter(([slug]) => journal.slugs.includes(slug))),
    }
    this.#writeBeside()
  }

  /** The tenants there were before the restart. */
  get slugs(): string[] {
    return this.#journal.slugs
  }

  /** The bytes of the journal, and its limit. */
  get size(): JournalSize {
    return this.#journal.size
  }

  /** What there was of a tenant, handed over once. */
  kept(slug: string): Kept | undefined {
    const remembered = this.#journal.take(slug)
    const beside = this.#beside.tenants[slug]
    if (remembered === undefined) return undefined
    if (beside === undefined) {
      throw new JournalError(`${this.#path} lacks the keys of the tenant ${slug}`)
    }
    return {
      seed: remembered.seed,
      history: remembered.history,
      changes: [...remembered.changes.values()],
      secrets: new Map(Object.entries(beside.secrets)),
      keys: KeyRing.import(beside.keys as PrivateJwk[]),
    }
  }

  /** A tenant begins, or begins anew; it counts from the first thing that happened to it. */
  opened(
    slug: string,
    seed: TenantSeed,
    secrets: ReadonlyMap<string, string>,
    keys: KeyRing,
  ): void {
    this.#beside.tenants[slug] = { secrets: Object.fromEntries(secrets), keys: [...keys.export()] }
    this.#writeBeside()
    this.#journal.append({ tenant: slug, opened: withoutSecrets(seed) })
  }

  /** The keys go once the journal knows: a tenant without keys could not come back. */
  deleted(slug: string): void {
    this.#journal.append({ tenant: slug, deleted: true })
    const { [slug]: beside } = this.#beside.tenants
    const forget = () => {
      if (this.#beside.tenants[slug] !== beside) return
      delete this.#beside.tenants[slug]
      this.#writeBeside()
    }
    this.durable()
      .then(forget)
      .catch(() => {})
  }

  /** What happened at once; it comes back as a whole or not at all. */
  happened(slug: string, entries: readonly Entry[], keys: KeyRing): void {
    if (entries.some(({ type }) => type.startsWith('key.'))) {
      const tenant = this.#beside.tenants[slug]
      if (tenant) tenant.keys = [...keys.export()]
      this.#writeBeside()
    }
    this.#journal.append({ tenant: slug, entries })
  }

  changed(slug: string, change: Change): void {
    this.#journal.append({ tenant: slug, change })
  }

  /** @throws {JournalError} once a write has failed */
  refuseIfFailed(): void {
    this.#journal.refuseIfFailed()
  }

  /** Resolves when all that happened so far is on the disk. */
  durable(): Promise<void> {
    return this.#journal.durable()
  }

  close(): Promise<void> {
    return this.#journal.close()
  }

  #writeBeside() {
    replaceFile(this.#path, addChecksum(this.#beside))
  }
}

const keptOr = (jwk: object | undefined, algorithm: Algorithm): SigningKey | Promise<SigningKey> =>
  jwk === undefined ? generateSigningKey(algorithm) : importSigningKey(jwk as PrivateJwk)

const withoutSecrets = (seed: TenantSeed): TenantSeed => ({
  ...seed,
  agents: seed.agents.map(({ client_secret: _, ...agent }) => agent),
  applications: seed.applications.map(({ client_secret: _, ...application }) => application),
  api_keys: seed.api_keys.map(({ key: _, ...apiKey }) => apiKey),
})

const readBeside = (path: string): Beside | undefined => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (failed) {
    if ((failed as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new JournalError(`${path} cannot be read`)
  }
  const { success, data } = Beside.safeParse(readChecked(text))
  if (success) return data
  throw new JournalError(
    `${path}: expected the keys of a lumoauth-harness journal; restore it from a copy, or move both files away to begin anew`,
  )
}
