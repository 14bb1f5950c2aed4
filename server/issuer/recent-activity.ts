import { rootOf } from './lineage.ts'
import { forgetAt, type RecentActivity, recentSeconds, type State } from './state.ts'

/** Counts requests, denials and score for the root of an agent. */
export const noteActivity = (
  state: State,
  agentId: string,
  at: number,
  { requests = 0, denials = 0, score = 0 }: Partial<Omit<RecentActivity, 'at'>>,
): void => {
  const root = rootOf(state, agentId)
  const kept = state.recent.get(root) ?? []
  if (kept.length === 0) forgetAt(state, at + recentSeconds, 'recent', root)
  while (kept[0] !== undefined && kept[0].at <= at - recentSeconds) kept.shift()
  const last = kept.at(-1)
  if (last?.at === at) {
    last.requests += requests
    last.denials += denials
    last.score += score
  } else {
    kept.push({ at, requests, denials, score })
  }
  state.recent.set(root, kept)
}

/** Sums over all tasks of the root agent in the given seconds before `now`. */
export const recentActivity = (
  state: Pick<State, 'agents' | 'recent'>,
  agentId: string,
  now: number,
  seconds = recentSeconds,
): Omit<RecentActivity, 'at'> => {
  const sums = { requests: 0, denials: 0, score: 0 }
  for (const it of state.recent.get(rootOf(state, agentId)) ?? []) {
    if (it.at <= now - seconds) continue
    sums.requests += it.requests
    sums.denials += it.denials
    sums.score += it.score
  }
  return sums
}
