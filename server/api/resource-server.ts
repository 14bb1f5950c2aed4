import type { ChallengeFormat, DocumentSeed } from '../wire/index.ts'
import type { Change, Keep } from './changes.ts'
import { type DocumentLimits, Documents } from './documents.ts'
import { createGuard, type Guard, type GuardOptions } from './guard.ts'
import { type ReportLimits, Reports } from './reports.ts'

export type ResourceServerOptions = GuardOptions &
  Readonly<{
    documents?: readonly DocumentSeed[]
    /** Fresh ids: `id('report')` is `report_…`. */
    id: (prefix: string) => string
    challenge?: ChallengeFormat
    realm?: string
    documentLimits?: DocumentLimits
    reportLimits?: ReportLimits
    /** Hears of every write, the seeds among them. */
    keep?: Keep
    /** What was written before, oldest first. */
    changes?: readonly Change[]
  }>

/** One tenant's documents and reports, and the guard before them. To reset it, make a new one. */
export type ResourceServer = Readonly<{
  guard: Guard
  documents: Documents
  reports: Reports
  now: () => number
  id: (prefix: string) => string
  challenge: ChallengeFormat
  realm: string
}>

/** Settings that may change (challenge, revocation, issuers, …) can be getters of `options`. */
export const createResourceServer = (options: ResourceServerOptions): ResourceServer => {
  const { id, now, keep, changes = [] } = options
  const documents = new Documents(options.documents ?? [], now, options.documentLimits, keep)
  const reports = new Reports(now, id, options.reportLimits, keep)
  for (const change of changes) {
    if ('document' in change) documents.restore(change.document)
    else if ('deleted' in change) documents.forget(change.deleted)
    else reports.restore(change.report)
  }
  return {
    guard: createGuard(options),
    documents,
    reports,
    now,
    id,
    get challenge() {
      return options.challenge ?? 'lumo'
    },
    get realm() {
      return options.realm ?? 'documents'
    },
  }
}
