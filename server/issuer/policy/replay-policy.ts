import type { Policy, RequestFacts } from '../../wire/index.ts'
import type { Decisions, ReplayedChange, ReplayedDay } from '../../wire/policy-replay.ts'
import type { DecidedRequest } from '../history.ts'
import type { Facts } from './policy.ts'
import { tryPolicy } from './try-policy.ts'

/** Decides requests again with another policy, from the facts that the policy had at their time. */
export class PolicyReplayer {
  requests = 0
  readonly #policy: Policy
  readonly #days = new Map<string, Day>()
  readonly #changes = new Map<string, Writable<ReplayedChange>>()

  constructor(policy: Policy) {
    this.#policy = policy
  }

  add({ facts, policy: said }: Pick<DecidedRequest, 'facts' | 'policy'>): void {
    const { rule, decision } = tryPolicy(this.#policy, facts)
    this.requests += 1
    const name = new Date(facts.now * 1000).toISOString().slice(0, 10)
    const day = this.#days.get(name) ?? newDay(name)
    this.#days.set(name, day)
    day.before[said.decision] += 1
    day.after[decision] += 1
    if (said.decision === decision) return
    if (said.decision === 'ask') day.spared += 1
    if (decision === 'ask') day.given += 1
    const key = JSON.stringify([said.rule, said.decision, rule, decision])
    const change = this.#changes.get(key)
    if (change !== undefined) change.count += 1
    else {
      this.#changes.set(key, {
        before: { rule: said.rule, decision: said.decision },
        after: { rule, decision },
        count: 1,
        example: exampleOf(facts),
      })
    }
  }

  /** The results of several replays with the same policy, added up. */
  static sum(replayers: readonly PolicyReplayer[]): Readonly<{
    requests: number
    /** Earliest first. */
    days: ReplayedDay[]
    /** Most frequent first. */
    changes: ReplayedChange[]
  }> {
    return {
      requests: replayers.reduce((sum, { requests }) => sum + requests, 0),
      days: merge(
        replayers.map((it) => it.#days),
        addDays,
      ).sort((a, b) => (a.day < b.day ? -1 : 1)),
      changes: merge(
        replayers.map((it) => it.#changes),
        addChanges,
      ).sort((a, b) => b.count - a.count),
    }
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }
type Day = Omit<Writable<ReplayedDay>, 'before' | 'after'> & {
  before: Writable<Decisions>
  after: Writable<Decisions>
}

const newDay = (day: string): Day => ({
  day,
  before: { approve: 0, ask: 0, deny: 0 },
  after: { approve: 0, ask: 0, deny: 0 },
  spared: 0,
  given: 0,
})

/** The facts in the form of policy tests. */
const exampleOf = (facts: Facts): (typeof RequestFacts)['_zod']['input'] => ({
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
