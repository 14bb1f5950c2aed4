import type { ChallengeFormat, DocumentSeed } from '../wire/index.ts'
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
  }>

/** One tenant's documents and reports, and the guard before them. To reset it, make a new one. */
export type ApiTenant = Readonly<{
  guard: Guard
  documents: Documents
  reports: Reports
  now: () => number
  id: (prefix: string) => string
  challenge: ChallengeFormat
  realm: string
}>

/** Settings that may change (challenge, revocation, issuers, …) can be getters of `options`. */
export const createResourceServer = (options: ResourceServerOptions): ApiTenant => {
  const { documents = [], id, now, documentLimits, reportLimits } = options
  return {
    guard: createGuard(options),
    documents: new Documents(documents, now, documentLimits),
    reports: new Reports(now, id, reportLimits),
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
