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
 * The documents of one tenant, in memory. A document is an immutable value: a caller that read it
 * before a decision still has the version that was decided about.
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
   * Creates or replaces a document. Nothing of the replaced document stays, so a lower classification
   * reveals no earlier text. Without a classification, an existing document keeps its own, and a new
   * one is confidential.
   * @throws {ApiRefused} `insufficient_storage` at the limits; then nothing changes
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

  /** Restores a stored document. */
  restore(document: Document): void {
    this.#set(document, this.#roomFor(this.#documents.get(document.id), document))
  }

  /** @throws {ApiRefused} `not_found` */
  delete(id: string): void {
    const before = this.#documents.get(id) ?? refuse({ error: 'not_found', what: 'document' })
    this.#keep({ deleted: id })
    this.#remove(before)
  }

  /** Repeats a stored deletion. */
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

  /** @returns the new total number of characters */
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

/** The requirement for reading a document, by its classification. */
const readRequirements: Record<Classification, (id: string) => Requirement> = {
  public: () => ({ token: 'any' }),
  internal: () => ({ scope: 'read:documents' }),
  confidential: (id) => ({ detail: file(id, 'read') }),
  restricted: (id) => ({ detail: { type: 'user_data', actions: ['read'], identifier: id } }),
}

/**
 * The requirement of each call.
 *
 * An unknown id requires the same detail as a confidential document with that id, so only a token for
 * that id reveals that the document does not exist, and confidential documents cannot be probed for.
 * (Restricted ones can be: their challenge names another type.)
 */
export const documentCalls = {
  /** The list then contains only the documents that the token could read. */
  list: { token: 'any' },
  read: (document: Document | undefined, id: string) =>
    relaxForImpossibleId(id, readRequirements[document?.classification ?? 'confidential'](id)),
  write: (id: string) => relaxForImpossibleId(id, { detail: file(id, 'write') }),
  delete: (id: string) => relaxForImpossibleId(id, { detail: file(id, 'delete') }),
  /**
   * Always a detail; for a restricted document the one for reading it, because a summary reveals its
   * text.
   */
  summarise: (document: Document | undefined, id: string) =>
    relaxForImpossibleId(
      id,
      readRequirements[document?.classification === 'restricted' ? 'restricted' : 'confidential'](
        id,
      ),
    ),
} as const
