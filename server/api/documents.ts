import type {
  AuthorizationDetail,
  Classification,
  Document,
  DocumentSeed,
  DocumentSummary,
  PutDocument,
} from '../wire/index.ts'
import type { Keep } from './changes.ts'
import type { Requirement } from './guard.ts'
import { refuse } from './refusal.ts'
import { isResourceId, relaxForImpossibleId } from './resource-id.ts'

/**
 * The documents of one tenant, in memory. A document is a value: whoever decided by its
 * classification and then waited still holds the version that was decided about.
 */
export class Documents {
  readonly #documents = new Map<string, Document>()
  readonly #now: () => number
  readonly #limits: DocumentLimits
  readonly #keep: Keep
  #characters = 0

  /** @param now epoch seconds */
  constructor(
    seeds: readonly DocumentSeed[],
    now: () => number,
    limits = usualLimits,
    keep: Keep = () => {},
  ) {
    this.#now = now
    this.#limits = limits
    this.#keep = keep
    for (const { id, ...seed } of seeds) this.put(id, seed, 'system')
  }

  find(id: string): Document | undefined {
    return this.#documents.get(id)
  }

  all(): Iterable<Document> {
    return this.#documents.values()
  }

  /**
   * Creates or replaces. What is replaced is gone entirely, so a lower classification shows nothing
   * of what was there before. Without one, a document keeps the one it had, and a new one is
   * confidential.
   * @throws {ApiRefused} `insufficient_storage` at the limits, and the document stays as it was
   */
  put(
    id: string,
    order: PutDocument,
    by: string,
  ): Readonly<{ document: Document; isNew: boolean }> {
    if (!isResourceId(id)) return refuse({ error: 'not_found', what: 'document' })
    const before = this.#documents.get(id)
    const document: Document = {
      id,
      title: order.title,
      classification: order.classification ?? before?.classification ?? 'confidential',
      body: order.body,
      version: (before?.version ?? 0) + 1,
      updated_at: new Date(this.#now() * 1000).toISOString(),
      updated_by: by,
    }
    const characters = this.#roomFor(before, document)
    this.#keep({ document })
    this.#set(document, characters)
    return { document, isNew: before === undefined }
  }

  /** Brings back a document as it was kept. */
  restore(document: Document): void {
    this.#set(document, this.#roomFor(this.#documents.get(document.id), document))
  }

  /** @throws {ApiRefused} `not_found` */
  delete(id: string): void {
    const before = this.#documents.get(id) ?? refuse({ error: 'not_found', what: 'document' })
    this.#keep({ deleted: id })
    this.#remove(before)
  }

  /** Deletes again what was deleted before. */
  forget(id: string): void {
    const before = this.#documents.get(id)
    if (before) this.#remove(before)
  }

  #remove(document: Document) {
    this.#documents.delete(document.id)
    this.#characters -= sizeOf(document)
  }

  #set(document: Document, characters: number) {
    this.#documents.set(document.id, document)
    this.#characters = characters
  }

  /** @returns how many characters there are then */
  #roomFor(before: Document | undefined, after: Document): number {
    const characters = this.#characters + sizeOf(after) - (before ? sizeOf(before) : 0)
    const count = this.#documents.size + (before ? 0 : 1)
    if (count > this.#limits.documents || characters > this.#limits.characters) {
      const { documents, characters: most } = this.#limits
      refuse({
        error: 'insufficient_storage',
        says: `a tenant holds at most ${documents} documents of ${most} characters together`,
      })
    }
    return characters
  }
}

export type DocumentLimits = Readonly<{ documents: number; characters: number }>
const usualLimits: DocumentLimits = { documents: 10_000, characters: 16 * 1024 * 1024 }

const sizeOf = ({ title, body }: Document) => title.length + body.length

/** A document without its body. */
export const summaryOf = ({ body: _, ...summary }: Document): DocumentSummary => summary

const file = (id: string, action: 'read' | 'write' | 'delete'): AuthorizationDetail => ({
  type: 'file_access',
  actions: [action],
  identifier: id,
})

/** What reading a document takes, by its classification. */
const readRequirements: Record<Classification, (id: string) => Requirement> = {
  public: () => ({ token: 'any' }),
  internal: () => ({ scope: 'read:documents' }),
  confidential: (id) => ({ detail: file(id, 'read') }),
  restricted: (id) => ({ detail: { type: 'user_data', actions: ['read'], identifier: id } }),
}

/**
 * What each call takes.
 *
 * An id that is not there takes what a confidential document of that id would take: only a token
 * that names the id learns that there is none, and nobody can probe for confidential documents.
 * (That a restricted one is there does show: its challenge has to name another type.)
 */
export const documentCalls = {
  /** And then only those are listed which the token could read. */
  list: { token: 'any' },
  read: (document: Document | undefined, id: string) =>
    relaxForImpossibleId(id, readRequirements[document?.classification ?? 'confidential'](id)),
  write: (id: string) => relaxForImpossibleId(id, { detail: file(id, 'write') }),
  delete: (id: string) => relaxForImpossibleId(id, { detail: file(id, 'delete') }),
  /** Always a detail; of a restricted document the one that reading it takes, as a summary tells as much. */
  summarise: (document: Document | undefined, id: string) =>
    relaxForImpossibleId(
      id,
      readRequirements[document?.classification === 'restricted' ? 'restricted' : 'confidential'](
        id,
      ),
    ),
} as const
