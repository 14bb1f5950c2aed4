import type { Route } from './route.ts'

/** Out of scope: each answers 501, so that a 404 is never taken for a wrong path. */
const notHere = <P extends string>(path: P) =>
  ({
    seat: 'issuer',
    method: 'GET',
    path,
    auth: 'none',
    summary: 'The admin API is not part of this harness',
    source: 'CONTRACT.md#admin-api',
    answers: {},
  }) as const

export const adminRoutes = {
  'admin.agents': notHere('/admin/agents'),
  'admin.webhooks': notHere('/admin/webhooks'),
  'admin.mcp': notHere('/admin/mcp'),
} as const satisfies Record<string, Route>
