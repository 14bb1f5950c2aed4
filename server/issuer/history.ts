import { Policy, type RiskLevel } from '../wire/index.ts'
import type { Entry, EventOf } from './event.ts'
import { evolve } from './evolve.ts'
import type { Journal } from './journal.ts'
import type { Facts } from './policy/policy.ts'
import { emptyState, type RequestRecord, remembered, type State } from './state.ts'

/**
 * One decided request, as compaction stores it: enough to apply another policy to it. Pass `facts`
 * unchanged to `assess(policy, facts)` of `policy.ts`.
 */
export type DecidedRequest = Readonly<{
  requestId: string
  /** Every input of the policy. `now` is the time of the request (epoch seconds). */
  facts: Facts
  /** The policy's decision: the name of the rule, its decision, risk level and TTL (seconds). */
  policy: Readonly<{
    rule: string
    decision: 'approve' | 'ask' | 'deny'
    risk: RiskLevel
    ttl: number
  }>
  /** The final decision: by whom (`policy` or a user's id), when, and for how many seconds or why not. */
  outcome: Readonly<{
    as: 'approved' | 'denied'
    by: string
    at: number
    ttl?: number
    reason?: string
  }>
}>

/** Number of newest entries of a tenant that compaction keeps unchanged. */
export const newestEntries = 10_000

/**
 * The history of a tenant, as a journal file stores it: the newest entries unchanged; the state and the
 * decided requests instead of the older ones.
 */
export class History {
  /** The state after the entries up to `seq`; after `finish`, the state after all entries. */
  state: State = emptyState(Policy.parse({}))
  /** Number of the newest entry that is not in `entries`; 0 while all are. */
  seq = 0
  /** Seconds by which the compacted entries moved the clock. */
  clockMoved = 0
  /** The newest entries, oldest first. */
  readonly entries: Entry[] = []
  /** Called with each decided request that compaction records, oldest first. */
  readonly #decided: (request: DecidedRequest) => void
  readonly #newest: number

  constructor(decided: (request: DecidedRequest) => void = () => {}, newest = newestEntries) {
    this.#decided = decided
    this.#newest = newest
  }

  /** Number of the newest entry; 0 when there is none. */
  get last(): number {
    return this.entries.at(-1)?.seq ?? this.seq
  }

  /**
   * Adds the next entry.
   * @throws the error of an invalid entry
   */
  add(entry: Entry): void {
    this.entries.push(entry)
    if (this.entries.length >= this.#newest + 1000) this.compact()
  }

  /**
   * Compacts all but the newest entries.
   * @throws the error of an invalid entry
   */
  compact(): void {
    for (const entry of this.entries.splice(0, this.entries.length - this.#newest)) {
      this.#apply(entry)
      this.seq = entry.seq
      if (entry.type === 'permission.approved' || entry.type === 'permission.denied') {
        const request = describeDecision(this.state, entry)
        if (request) this.#decided(request)
      }
    }
  }

  /**
   * Applies all entries to the state.
   * @throws the error of an invalid entry
   */
  finish(): void {
    for (const entry of this.entries) this.#apply(entry)
  }

  #apply(entry: Entry): void {
    evolve(this.state, entry)
    if (entry.type === 'clock.moved') this.clockMoved += entry.by
  }
}

const describeDecision = (
  state: State,
  decision: Entry & EventOf<'permission.approved' | 'permission.denied'>,
): DecidedRequest | undefined => {
  const record = state.requests.get(decision.requestId)
  if (record === undefined) return
  return {
    requestId: decision.requestId,
    ...describeRequest(state, record),
    outcome: {
      as: decision.type === 'permission.approved' ? 'approved' : 'denied',
      by: decision.by,
      at: decision.at,
      ...(decision.type === 'permission.approved' ? { ttl: decision.ttl } : {}),
      ...(decision.type === 'permission.denied' && decision.reason !== undefined
        ? { reason: decision.reason }
        : {}),
    },
  }
}

const describeRequest = (
  state: State,
  { request }: RequestRecord,
): Pick<DecidedRequest, 'facts' | 'policy'> => {
  const { rule, decision, inputs } = request.explanation
  return {
    facts: {
      detail: request.detail,
      agent: String(inputs.agent),
      // Absent in journals from before December 2026, and for agents without a parent.
      ancestors: inputs.ancestors as readonly string[] | undefined,
      taskType: state.tasks.get(request.taskId)?.task.type,
      onBehalfOf: inputs.on_behalf_of as string | undefined,
      requestedTtl: inputs.requested_ttl as number | undefined,
      justification: request.justification,
      score: Number(inputs.score),
      denials: Number(inputs.denials),
      agentDenials: inputs.agent_denials as number | undefined,
      requestsLastMinute: Number(inputs.requests_last_minute),
      now: request.requestedAt,
    },
    policy: { rule, decision, risk: request.risk, ttl: request.ttl },
  }
}

/** Receives the facts and the decision of the policy of each decided request, oldest first. */
export type OnDecided = (request: Pick<DecidedRequest, 'facts' | 'policy'>) => void

/**
 * The decided requests of a tenant without a store, as long as they are in memory.
 * @returns the time from which on none is missing; undefined without entries
 */
export const rememberedDecisions = (
  state: State,
  journal: Journal,
  now: number,
  onDecided: OnDecided,
): number | undefined => {
  const [first, ...others] = journal.after(0)
  if (first === undefined) return undefined
  if (first.seq === 1) {
    const history = new History(onDecided, 0)
    for (const entry of [first, ...others]) history.add(entry)
    history.compact()
    return first.at
  }
  for (const record of state.requests.values()) {
    if (record.decided !== undefined) onDecided(describeRequest(state, record))
  }
  return Math.floor(now) + 1 - remembered
}
