import { z } from 'zod'
import { DocumentId } from './document.ts'

/** Body of `POST /v1/reports`. LumoAuth's guides also omit the title. */
export const CreateReport = z
  .strictObject({
    title: z.string().min(1).max(512).default('Untitled report'),
    content: z.string().max(60_000),
    document_ids: z.array(z.string().min(1).max(128)).max(64).optional(),
  })
  .meta({ id: 'CreateReport' })
export type CreateReport = z.infer<typeof CreateReport>

/** A report of the API. */
export const Report = z
  .object({
    id: z.string(),
    title: z.string(),
    content: z.string(),
    document_ids: z.array(z.string()),
    created_at: z.iso.datetime(),
    created_by: z.string(),
  })
  .meta({ id: 'Report' })
export type Report = z.infer<typeof Report>

/** A report in a configuration file or in a scenario's `given`. */
export const ReportSeed = z.strictObject({
  id: DocumentId.describe('The id of the report in paths.'),
  title: z.string().min(1).max(512).describe('The title.'),
  content: z.string().max(60_000).default('').describe('The text.'),
  document_ids: z
    .array(DocumentId)
    .max(64)
    .default([])
    .describe('The documents that the report is about.'),
})
export type ReportSeed = z.infer<typeof ReportSeed>

/** Answer of `GET /v1/reports`. */
export const ReportList = z
  .object({
    reports: z.array(Report.omit({ content: true })),
    count: z.int().nonnegative(),
  })
  .meta({ id: 'ReportList' })
export type ReportList = z.infer<typeof ReportList>

/** Answer of `GET /v1/reports/{id}/summary`. */
export const ReportSummary = z
  .object({ id: z.string(), title: z.string(), summary: z.string(), words: z.int().nonnegative() })
  .meta({ id: 'ReportSummary' })
export type ReportSummary = z.infer<typeof ReportSummary>
