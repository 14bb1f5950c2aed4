import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Entry } from '../issuer/event.ts'
import { type Algorithm, KeyRing, type PrivateJwk, type SigningKey } from '../signing/keys.ts'
import type { JournalSize, TenantSeed } from '../wire/index.ts'
import { JournalError } from './error.ts'
import { JournalFile, type JournalOptions } from './file.ts'
import { addChecksum, readChecked } from './line.ts'
import { replaceFile } from './replace.ts'
import { type Kept, keptOr, type Store, type TenantJournal, withoutSecrets } from './store.ts'

/** The file beside the journal, with keys and secrets. Only its owner may read it. */
const Beside = z.strictObject({
  signing_key: z.looseObject({ kid: z.string(), alg: z.string() }),
  /** Absent in files written before December 2026. */
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

/** Stores tenants in one file, and their keys and secrets in a second file beside it. */
export class FileStore implements Store {
  readonly signingKey: SigningKey
  readonly platformKey: SigningKey
  readonly #journal: JournalFile
  readonly #path: string
  readonly #beside: Beside

  /**
   * @param onWarning receives problems of the journal that do not end the process
   * @throws {JournalError} when the file is corrupt, cannot be written, or another process has it
   */
  static async open(
    path: string,
    algorithm: Algorithm,
    options?: JournalOptions,
    onWarning?: (message: string) => void,
  ): Promise<FileStore> {
    const journal = await JournalFile.open(path, options, onWarning)
    try {
      const beside = readBeside(`${path}.keys`)
      const [signingKey, platformKey] = await Promise.all([
        keptOr(beside?.signing_key, algorithm),
        keptOr(beside?.platform_key, 'ES256'),
      ])
      return new FileStore(journal, `${path}.keys`, { signingKey, platformKey }, beside)
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

  size(): JournalSize {
    return this.#journal.size
  }

  slugs(): readonly string[] {
    return this.#journal.slugs
  }

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
      journal: this.#journalOf(slug),
    }
  }

  opened(
    slug: string,
    seed: TenantSeed,
    secrets: ReadonlyMap<string, string>,
    keys: KeyRing,
  ): TenantJournal {
    this.#beside.tenants[slug] = { secrets: Object.fromEntries(secrets), keys: [...keys.export()] }
    this.#writeBeside()
    this.#journal.append({ tenant: slug, opened: withoutSecrets(seed) })
    return this.#journalOf(slug)
  }

  #journalOf(slug: string): TenantJournal {
    return {
      happened: (entries, keys) => this.#happened(slug, entries, keys),
      changed: (change) => this.#journal.append({ tenant: slug, change }),
      deleted: () => this.#deleted(slug),
      durable: () => this.durable(),
      decided: async (begin) => {
        await this.durable()
        return this.#journal.decided(slug, begin)
      },
    }
  }

  /** Deletes the keys after the journal has stored the deletion: a tenant without keys cannot be restored. */
  #deleted(slug: string): void {
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

  #happened(slug: string, entries: readonly Entry[], keys: KeyRing): void {
    if (entries.some(({ type }) => type.startsWith('key.'))) {
      const tenant = this.#beside.tenants[slug]
      if (tenant) tenant.keys = [...keys.export()]
      this.#writeBeside()
    }
    this.#journal.append({ tenant: slug, entries })
  }

  refuseIfFailed(): void {
    this.#journal.refuseIfFailed()
  }

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
