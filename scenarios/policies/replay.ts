import { existsSync } from 'node:fs'
import type { Facts } from '../../server/issuer/policy.ts'
import { tryPolicy } from '../../server/issuer/try-policy.ts'
import { JournalError } from '../../server/journal/error.ts'
import { readPast, type TenantPast } from '../../server/journal/past.ts'
import { UsageError } from '../../server/usage-error.ts'
import type { Policy } from '../../server/wire/index.ts'
import type { Example } from './universe.ts'

/** Number of requests per decision. */
export type Decisions = Readonly<Record<'approve' | 'ask' | 'deny', number>>

/** The decisions of one day (UTC), and those of the new policy. */
export type ReplayedDay = Readonly<{
  day: string
  before: Decisions
  after: Decisions
  /** `spared`: requests about which the new policy no longer asks a person. `given`: the reverse. */
  spared: number
  given: number
}>

/** Requests of one rule that a rule of the new policy decides differently. */
export type ReplayedChange = Readonly<{
  before: Readonly<{ rule: string; decision: string }>
  after: Readonly<{ rule: string; decision: string }>
  count: number
  /** The first of them. */
  example: Example
}>

export type Replay = Readonly<{
  requests: number
  tenants: readonly string[]
  /** From this time on, no decided request is missing (epoch seconds). Absent without requests. */
  completeFrom?: number
  days: readonly ReplayedDay[]
  changes: readonly ReplayedChange[]
}>

/**
 * Decides the requests of a journal again with another policy, from the facts that the policy had at that
 * time. Reads the file in pieces and does not change it.
 * @param tenant only requests of this tenant
 * @throws {UsageError} when the file is not a journal, or no tenant in it has the name
 */
export const replayJournal = async (
  file: string,
  policy: Policy,
  tenant?: string,
): Promise<Replay> => {
  if (!existsSync(file)) throw new UsageError(`there is no ${file}`)
  const counts = new Map<TenantPast, Count>()
  const countOf = (past: TenantPast): Count => {
    const known = counts.get(past)
    if (known !== undefined) return known
    const count: Count = { days: new Map(), changes: new Map(), requests: 0 }
    counts.set(past, count)
    return count
  }
  const { tenants } = await readPast(file, {
    newest: 0,
    decided: 0,
    onDecided: (past, { facts, policy: said }) => countDecision(countOf(past), policy, facts, said),
  }).catch((failed: unknown) => {
    throw failed instanceof JournalError ? new UsageError(failed.message) : failed
  })
  if (tenant !== undefined && !tenants.has(tenant)) {
    const known = [...tenants.keys()].join(', ') || 'none'
    throw new UsageError(`${file}: there is no tenant "${tenant}"; tenants are: ${known}`)
  }
  const chosen = [...tenants].filter(([name]) => tenant === undefined || name === tenant)
  // Excludes deleted tenants, and what was decided before a tenant was created again.
  const found = chosen.flatMap(([, past]) => counts.get(past) ?? [])
  const since = chosen.flatMap(([, past]) => past.completeFrom ?? [])
  return {
    requests: found.reduce((sum, { requests }) => sum + requests, 0),
    tenants: chosen.map(([name]) => name),
    ...(since.length === 0 ? {} : { completeFrom: Math.max(...since) }),
    days: merge(
      found.map(({ days }) => days),
      addDays,
    ).sort((a, b) => (a.day < b.day ? -1 : 1)),
    changes: merge(
      found.map(({ changes }) => changes),
      addChanges,
    ).sort((a, b) => b.count - a.count),
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }
type Day = Omit<Writable<ReplayedDay>, 'before' | 'after'> & {
  before: Writable<Decisions>
  after: Writable<Decisions>
}
type Count = {
  days: Map<string, Day>
  changes: Map<string, Writable<ReplayedChange>>
  requests: number
}

const countDecision = (
  count: Count,
  policy: Policy,
  facts: Facts,
  said: Readonly<{ rule: string; decision: 'approve' | 'ask' | 'deny' }>,
): void => {
  const { rule, decision } = tryPolicy(policy, facts)
  count.requests += 1
  const name = new Date(facts.now * 1000).toISOString().slice(0, 10)
  const day = count.days.get(name) ?? newDay(name)
  count.days.set(name, day)
  day.before[said.decision] += 1
  day.after[decision] += 1
  if (said.decision === decision) return
  if (said.decision === 'ask') day.spared += 1
  if (decision === 'ask') day.given += 1
  const key = JSON.stringify([said.rule, said.decision, rule, decision])
  const change = count.changes.get(key)
  if (change !== undefined) change.count += 1
  else {
    count.changes.set(key, {
      before: { rule: said.rule, decision: said.decision },
      after: { rule, decision },
      count: 1,
      example: exampleOf(facts),
    })
  }
}

const newDay = (day: string): Day => ({
  day,
  before: { approve: 0, ask: 0, deny: 0 },
  after: { approve: 0, ask: 0, deny: 0 },
  spared: 0,
  given: 0,
})

/** The facts in the form of policy tests. */
const exampleOf = (facts: Facts): Example => ({
  authorization_details: facts.detail,
  agent: facts.agent,
  ...(facts.ancestors?.length ? { ancestors: [...facts.ancestors] } : {}),
  ...(facts.taskType === undefined ? {} : { task_type: facts.taskType }),
  ...(facts.onBehalfOf === undefined ? {} : { on_behalf_of: facts.onBehalfOf }),
  ...(facts.justification === undefined ? {} : { justification: facts.justification }),
  ...(facts.requestedTtl === undefined ? {} : { requested_ttl: facts.requestedTtl }),
  ...(facts.score === 0 ? {} : { score: facts.score }),
  ...(facts.denials === 0 ? {} : { denials: facts.denials }),
  ...(facts.agentDenials ? { agent_denials: facts.agentDenials } : {}),
  ...(facts.requestsLastMinute === 0 ? {} : { requests_last_minute: facts.requestsLastMinute }),
  at: new Date(facts.now * 1000).toISOString(),
})

const merge = <T>(maps: readonly ReadonlyMap<string, T>[], add: (a: T, b: T) => T): T[] => {
  const merged = new Map<string, T>()
  for (const [key, value] of maps.flatMap((it) => [...it])) {
    const before = merged.get(key)
    merged.set(key, before === undefined ? value : add(before, value))
  }
  return [...merged.values()]
}

const addDays = (a: Day, b: Day): Day => ({
  day: a.day,
  before: addDecisions(a.before, b.before),
  after: addDecisions(a.after, b.after),
  spared: a.spared + b.spared,
  given: a.given + b.given,
})

/** The sum of two counts. */
export const addDecisions = (a: Decisions, b: Decisions): Writable<Decisions> => ({
  approve: a.approve + b.approve,
  ask: a.ask + b.ask,
  deny: a.deny + b.deny,
})

const addChanges = (a: ReplayedChange, b: ReplayedChange): ReplayedChange => ({
  ...a,
  count: a.count + b.count,
})
