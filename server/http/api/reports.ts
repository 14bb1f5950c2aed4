import { refuse } from '../../api/refusal.ts'
import { reportCalls } from '../../api/reports.ts'
import { summarise } from '../../api/summary.ts'
import type { ApiRoute } from '../../wire/index.ts'
import { created, type Handlers, ok } from '../message.ts'
import { credentialsOf } from './documents.ts'
import type { ApiContext } from './handlers.ts'
import { withApiRefusals } from './refusals.ts'

type ReportRoute = Extract<ApiRoute, `reports.${string}`>

/** As with documents, the core has parsed the body before the guard is asked. */
export const reportHandlers: Handlers<ReportRoute, ApiContext> = {
  'reports.list': withApiRefusals(async ({ tenant, request }) => {
    await tenant.guard.admit(credentialsOf(request), reportCalls.list)
    const reports = Array.from(tenant.reports.all(), ({ content: _, ...report }) => report)
    return ok({ reports, count: reports.length })
  }),

  'reports.create': withApiRefusals(async ({ tenant, request, body }) => {
    const { sub } = await tenant.guard.admit(credentialsOf(request), reportCalls.create)
    return created(tenant.reports.create(body, sub))
  }),

  'reports.read': withApiRefusals(async ({ tenant, request, params: { reportId = '' } }) => {
    await tenant.guard.admit(credentialsOf(request), reportCalls.read(reportId))
    return ok(tenant.reports.find(reportId) ?? refuse({ error: 'not_found', what: 'report' }))
  }),

  'reports.summary': withApiRefusals(async ({ tenant, request, params: { reportId = '' } }) => {
    await tenant.guard.admit(credentialsOf(request), reportCalls.summary)
    const { id, title, content } =
      tenant.reports.find(reportId) ?? refuse({ error: 'not_found', what: 'report' })
    return ok({ id, title, ...summarise(content, 50) })
  }),
}
