import type { ChallengeFormat, DocumentSeed, ReportSeed } from '../wire/index.ts'
import type { Change, Keep } from './changes.ts'
import { type DocumentLimits, Documents } from './documents.ts'
import { createGuard, type Guard, type GuardOptions } from './guard.ts'
import { type ReportLimits, Reports } from './reports.ts'

export type ResourceServerOptions = GuardOptions &
  Readonly<{
    documents?: readonly DocumentSeed[]
    reports?: readonly ReportSeed[]
    /** Generates ids: `id('report')` returns `report_…`. */
    id: (prefix: string) => string
    challenge?: ChallengeFormat
    realm?: string
    documentLimits?: DocumentLimits
    reportLimits?: ReportLimits
    /** Called with every write, including those of the seed. */
    keep?: Keep
    /** Stored writes, oldest first. */
    changes?: readonly Change[]
  }>

/** One tenant's documents and reports, with the guard in front of them. A reset creates a new one. */
export type ResourceServer = Readonly<{
  guard: Guard
  documents: Documents
  reports: Reports
  now: () => number
  id: (prefix: string) => string
  challenge: ChallengeFormat
  realm: string
}>

/** Settings that can change (challenge, revocation, issuers, …) may be getters of `options`. */
export const createResourceServer = (options: ResourceServerOptions): ResourceServer => {
  const { id, now, keep, changes = [] } = options
  const documents = new Documents(options.documents ?? [], now, options.documentLimits, keep)
  const reports = new Reports(options.reports ?? [], now, id, options.reportLimits, keep)
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
