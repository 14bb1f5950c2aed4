import type { CreateReport, Report, ReportSeed } from '../wire/index.ts'
import type { Keep } from './changes.ts'
import type { Requirement } from './guard.ts'
import { refuse } from './refusal.ts'
import { relaxForImpossibleId } from './resource-id.ts'

/** The reports of one tenant, in memory. A report never changes. */
export class Reports {
  readonly #reports = new Map<string, Report>()
  readonly #now: () => number
  readonly #id: (prefix: string) => string
  readonly #limits: ReportLimits
  readonly #keep: Keep
  #characters = 0

  /** @param now epoch seconds */
  constructor(
    seeds: readonly ReportSeed[],
    now: () => number,
    id: (prefix: string) => string,
    limits = usualLimits,
    keep: Keep = () => {},
  ) {
    this.#now = now
    this.#id = id
    this.#limits = limits
    this.#keep = keep
    for (const { id: reportId, ...seed } of seeds) this.#add(reportId, seed, 'system')
  }

  find(id: string): Report | undefined {
    return this.#reports.get(id)
  }

  all(): Iterable<Report> {
    return this.#reports.values()
  }

  /** @throws {ApiRefused} `insufficient_storage` at the limits */
  create(order: CreateReport, by: string): Report {
    return this.#add(this.#id('report'), order, by)
  }

  #add(id: string, { title, content, document_ids = [] }: CreateReport, by: string): Report {
    const characters = this.#characters + title.length + content.length
    if (this.#reports.size >= this.#limits.reports || characters > this.#limits.characters) {
      const { reports, characters: most } = this.#limits
      refuse({
        error: 'insufficient_storage',
        says: `a tenant holds at most ${reports} reports of ${most} characters together`,
      })
    }
    const report: Report = {
      id,
      title,
      content,
      document_ids,
      created_at: new Date(this.#now() * 1000).toISOString(),
      created_by: by,
    }
    this.#keep({ report })
    this.restore(report)
    return report
  }

  /** Restores a stored report. */
  restore(report: Report): void {
    this.#reports.set(report.id, report)
    this.#characters += report.title.length + report.content.length
  }
}

export type ReportLimits = Readonly<{ reports: number; characters: number }>
const usualLimits: ReportLimits = { reports: 10_000, characters: 16 * 1024 * 1024 }

/** The requirement of each call. Reading requires the same detail whether the report exists or not. */
export const reportCalls = {
  /** The list contains titles, never bodies. */
  list: { token: 'any' },
  create: { detail: { type: 'file_access', actions: ['write'], identifier: 'reports' } },
  read: (id: string): Requirement =>
    relaxForImpossibleId(id, {
      detail: { type: 'file_access', actions: ['read'], identifier: id },
    }),
  summary: { scope: 'read:documents' },
} satisfies Record<string, Requirement | ((id: string) => Requirement)>
