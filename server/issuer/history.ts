import { Policy, type RiskLevel } from '../wire/index.ts'
import type { Entry, EventOf } from './event.ts'
import { evolve } from './evolve.ts'
import type { Facts } from './policy.ts'
import { emptyState, type State } from './state.ts'

/**
 * One decided request, as compaction keeps it: enough to try another policy on it.
 * `assess(policy, facts)` of `policy.ts` takes the facts as they are.
 */
export type DecidedRequest = Readonly<{
  requestId: string
  /** Every input the policy saw; `now` is when the permission was requested (epoch seconds). */
  facts: Facts
  /** What the policy said: the name of the policy rule, its decision, risk level and TTL (seconds). */
  policy: Readonly<{
    rule: string
    decision: 'approve' | 'ask' | 'deny'
    risk: RiskLevel
    ttl: number
  }>
  /** What became of it: by whom (`policy` or a user's id), when, and for how many seconds or why not. */
  outcome: Readonly<{
    as: 'approved' | 'denied'
    by: string
    at: number
    ttl?: number
    reason?: string
  }>
}>

/** The newest entries of a tenant that compaction leaves as they are. */
export const newestEntries = 10_000

/**
 * What happened to a tenant, as a journal file keeps it: the newest entries as they are, and of
 * those before them the state they led to and the requests they decided.
 */
export class History {
  /** What the entries up to `seq` led to; after `finish`, what all of them led to. */
  state: State = emptyState(Policy.parse({}))
  /** The number of the newest entry that is not in `entries`; 0 while all are. */
  seq = 0
  /** Seconds by which entries that are in the state have moved the clock. */
  clockMoved = 0
  /** The newest entries, oldest first. */
  readonly entries: Entry[] = []
  /** Called with each decided request that compaction makes a record of, oldest first. */
  readonly #decided: (request: DecidedRequest) => void
  readonly #newest: number

  constructor(decided: (request: DecidedRequest) => void = () => {}, newest = newestEntries) {
    this.#decided = decided
    this.#newest = newest
  }

  /** The number of the newest entry; 0 when there is none. */
  get last(): number {
    return this.entries.at(-1)?.seq ?? this.seq
  }

  /** Adds the next entry. @throws whatever an entry that makes no sense leads to */
  add(entry: Entry): void {
    this.entries.push(entry)
    if (this.entries.length >= this.#newest + 1000) this.compact()
  }

  /** Lets all but the newest entries go. @throws whatever an entry that makes no sense leads to */
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

  /** Brings the state up to the newest entry. @throws whatever an entry that makes no sense leads to */
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
  const request = state.requests.get(decision.requestId)?.request
  if (request === undefined) return
  const { rule, decision: verdict, inputs } = request.explanation
  return {
    requestId: request.id,
    facts: {
      detail: request.detail,
      agent: String(inputs.agent),
      // Absent in journals of before December 2026, and where there are none.
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
    policy: { rule, decision: verdict, risk: request.risk, ttl: request.ttl },
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
