import { z } from 'zod'
import { CreateReport } from '../../server/wire/report.ts'
import { apiRoutes } from '../../server/wire/routes/api.ts'
import { type ToolOptions, toolMaker } from './tool.ts'

/** Tools for the reports API, under the names that models use. */
export const reportTools = (options: ToolOptions) => {
  const tool = toolMaker(options)
  return {
    list_reports: tool(
      {
        name: 'list_reports',
        description: 'List the reports, without their contents.',
        inputSchema: z.strictObject({}),
      },
      () => ({ route: apiRoutes['reports.list'] }),
    ),
    write_analysis_report: tool(
      {
        name: 'write_analysis_report',
        description:
          'Save an analysis as a report that names its source documents. Requests the required permission itself.',
        // A copy: the API's schema has an id, so zod would write a reference.
        inputSchema: z.strictObject(CreateReport.shape),
      },
      (body) => ({ route: apiRoutes['reports.create'], body }),
    ),
    fetch_report: tool(
      { name: 'fetch_report', description: 'Read one report by its id.', inputSchema: OneReport },
      ({ report_id }) => ({ route: apiRoutes['reports.read'], params: { reportId: report_id } }),
    ),
    fetch_report_summary: tool(
      {
        name: 'fetch_report_summary',
        description: 'Read the summary of a report.',
        inputSchema: OneReport,
      },
      ({ report_id }) => ({ route: apiRoutes['reports.summary'], params: { reportId: report_id } }),
    ),
  }
}

const OneReport = z.strictObject({
  report_id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, { error: 'expected the id of a report' }),
})
