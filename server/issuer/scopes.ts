import type { AuthorizationDetail } from '../wire/index.ts'
import { grantedDetail, lifeAt } from './requests.ts'
import type { RequestRecord, State } from './state.ts'
import { requireOwnTask } from './tasks.ts'

/** How the older form's scopes stand in a request: one detail, so that the same rules decide. */
export const scopeDetail = (
  scopes: readonly string[],
  resources: readonly string[] = [],
): AuthorizationDetail => ({
  type: 'scope',
  actions: [...new Set(scopes)],
  ...(resources.length === 0 ? {} : { locations: [...resources] }),
})

/** What the older form shows of a task: all its scope requests together (contract §2.2.1). */
export type ScopeApproval = Readonly<{
  status: 'pending' | 'approved' | 'denied' | 'expired'
  scopes: readonly string[]
  by?: string
  at?: number
  /** The requests that were approved, exchanged or not, oldest first. */
  approved: readonly RequestRecord[]
}>

/**
 * Pending while anything is; approved if anything was; else as the last one ended.
 * @throws {Refused} `not_found`, or `task_forbidden` for another agent's task
 */
export const scopeApproval = (
  state: State,
  taskId: string,
  agentId: string,
  now: number,
): ScopeApproval => {
  const { requests } = requireOwnTask(state, taskId, agentId)
  const all = requests
    .flatMap((id) => state.requests.get(id) ?? [])
    .filter(({ request }) => request.detail.type === 'scope')
    .map((record) => ({ record, life: lifeAt(state, record, now) }))
  const approved = all.filter(({ life }) => life === 'approved' || life === 'exchanged')
  const scopes = [...new Set(approved.flatMap(({ record }) => grantedDetail(record).actions ?? []))]
  const common = { scopes, approved: approved.map(({ record }) => record) }
  if (all.some(({ life }) => life === 'pending')) return { status: 'pending', ...common }
  const last = approved.at(-1)?.record.decided
  if (last?.as === 'approved') return { status: 'approved', ...common, by: last.by, at: last.at }
  const ended = all.at(-1)?.record.decided
  return ended?.as === 'denied'
    ? { status: 'denied', ...common, by: ended.by, at: ended.at }
    : { status: 'expired', ...common }
}
