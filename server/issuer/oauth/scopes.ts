import type { AuthorizationDetail } from '../../wire/index.ts'
import { grantedDetail, lifeAt } from '../requests.ts'
import type { RequestRecord, State } from '../state.ts'
import { requireOwnTask } from '../tasks.ts'

/** The scopes of the older form as one detail, so that the same rules decide. */
export const scopeDetail = (
  scopes: readonly string[],
  resources: readonly string[] = [],
): AuthorizationDetail => ({
  type: 'scope',
  actions: [...new Set(scopes)],
  ...(resources.length === 0 ? {} : { locations: [...resources] }),
})

/** A task in the older form: all its scope requests together (CONTRACT.md#older-jit-form). */
export type ScopeApproval = Readonly<{
  status: 'pending' | 'approved' | 'denied' | 'expired'
  scopes: readonly string[]
  by?: string
  at?: number
  /** The approved requests, exchanged or not, oldest first. */
  approved: readonly RequestRecord[]
}>

/**
 * Pending while any request is pending; approved if any was approved; else the status of the last one.
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
