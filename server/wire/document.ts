import { z } from 'zod'

/**
 * What reading a document requires: `public` any valid token, `internal` the scope `read:documents`,
 * `confidential` a `file_access` detail, `restricted` a `user_data` detail (a person decides).
 */
export const Classification = z.enum(['public', 'internal', 'confidential', 'restricted'])
export type Classification = z.infer<typeof Classification>

/** The id of a document or report. */
export const DocumentId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, {
  error: 'expected an id: letters, digits, dot, underscore or hyphen, at most 128',
})

/** A document of the API. */
export const Document = z
  .object({
    id: DocumentId,
    title: z.string(),
    classification: Classification,
    body: z.string(),
    version: z.int().positive(),
    updated_at: z.iso.datetime(),
    updated_by: z.string(),
  })
  .meta({ id: 'Document' })
export type Document = z.infer<typeof Document>

/** A document in a configuration file or in a scenario's `given`. */
export const DocumentSeed = z.strictObject({
  id: DocumentId.describe('The id of the document in paths.'),
  title: z.string().min(1).max(512).describe('The title.'),
  classification: Classification.default('confidential').describe(
    'What reading needs. `public`: any token; `internal`: the scope `read:documents`; `confidential`: a `file_access` detail; `restricted`: a `user_data` detail, which a person approves.',
  ),
  body: z.string().max(60_000).default('').describe('The text.'),
})
export type DocumentSeed = z.infer<typeof DocumentSeed>

/** Body of `PUT /v1/documents/{id}`, which creates or replaces the document. */
export const PutDocument = z
  .strictObject({
    title: z.string().min(1).max(512),
    classification: Classification.optional(),
    body: z.string().max(60_000),
  })
  .meta({ id: 'PutDocument' })
export type PutDocument = z.infer<typeof PutDocument>

/** A document in a list: without its body. */
export const DocumentSummary = Document.omit({ body: true }).meta({ id: 'DocumentSummary' })
export type DocumentSummary = z.infer<typeof DocumentSummary>

/** Answer of `GET /v1/documents`: the documents the token may read. */
export const DocumentList = z
  .object({ documents: z.array(DocumentSummary), count: z.int().nonnegative() })
  .meta({ id: 'DocumentList' })
export type DocumentList = z.infer<typeof DocumentList>

/**
 * Body of `POST /v1/documents/{id}/summaries`: the caller's `text`; without it the API writes the
 * summary.
 */
export const CreateSummary = z
  .strictObject({
    max_words: z.int().min(1).max(500).optional(),
    text: z.string().max(60_000).optional(),
  })
  .meta({ id: 'CreateSummary' })
export type CreateSummary = z.infer<typeof CreateSummary>

/** A stored summary of a document. */
export const Summary = z
  .object({
    id: z.string(),
    document_id: z.string(),
    summary: z.string(),
    words: z.int().nonnegative(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Summary' })
export type Summary = z.infer<typeof Summary>
