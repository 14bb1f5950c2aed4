import type { AuthorizationDetail } from '../wire/index.ts'
import { lifeAt } from './requests.ts'
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
  /** When what was approved is over, in epoch seconds. */
  expiresAt?: number
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
  const scopes = [...new Set(approved.flatMap(({ record }) => record.request.detail.actions ?? []))]
  if (all.some(({ life }) => life === 'pending')) return { status: 'pending', scopes }
  const last = approved.at(-1)?.record.decided
  if (last?.as === 'approved') {
    const expiresAt = Math.min(...approved.map(({ record }) => endOf(record)))
    return { status: 'approved', scopes, by: last.by, at: last.at, expiresAt }
  }
  const ended = all.at(-1)?.record.decided
  return ended?.as === 'denied'
    ? { status: 'denied', scopes, by: ended.by, at: ended.at }
    : { status: 'expired', scopes }
}

const endOf = ({ decided }: RequestRecord): number =>
  decided?.as === 'approved' ? decided.at + decided.ttl : 0
