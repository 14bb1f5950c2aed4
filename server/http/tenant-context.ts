import { hash, timingSafeEqual } from 'node:crypto'
import type { ResourceServer } from '../api/resource-server.ts'
import type { Sessions } from '../console/sessions.ts'
import { answerApproval, approvalStatus } from '../issuer/approvals.ts'
import type { Client } from '../issuer/event.ts'
import { approveRequest, denyRequest, mayApprove } from '../issuer/requests.ts'
import type { Tenant } from '../issuer/tenant.ts'
import type { Agenda, Timers } from '../outbound/agenda.ts'
import type { Outbound } from '../outbound/outbound.ts'
import type { KeyRing, SigningKey } from '../signing/keys.ts'
import type { ApproverScript, TenantSeed } from '../wire/index.ts'
import type { ScriptedModel } from './control/model.ts'
import type { ActiveMisbehaviours } from './misbehave.ts'
import type { RateLimitWindows } from './rate-limit.ts'
import type { ExchangeLog } from './record.ts'

/** Where the seats are reached: origins, without a path. */
export type Origins = { issuer: string; api: string }

/** A tenant in its three seats: the rules, and what HTTP needs beside them. */
export type TenantContext = {
  /** What a reset goes back to. */
  seed: TenantSeed
  readonly tenant: Tenant
  readonly keys: KeyRing
  readonly origins: Origins
  readonly api: ResourceServer
  readonly exchanges: ExchangeLog
  readonly misbehaving: ActiveMisbehaviours
  /** Status polls of each pending request: how many, and when the last one was. */
  readonly polls: Map<string, { count: number; lastAt: number }>
  /** The keys of the platforms that the harness plays, by their issuer. */
  readonly platforms: ReadonlyMap<string, SigningKey>
  /** Who is signed in to the approvals page. */
  readonly sessions: Sessions
  /** Aborted when the tenant is reset or deleted, so that whoever watches it stops. */
  readonly ended: AbortController
  /** How real time passes. */
  readonly timers: Timers
  /** What is done later, by the tenant's clock. */
  readonly agenda: Agenda
  /** How messages leave the harness. */
  readonly outbound: Outbound
  /** Signs callbacks. */
  readonly webhookSecret: string
  /** The `Authorization` of each stream that is pushed; kept nowhere else. */
  readonly pushHeaders: Map<string, string>
  /** Long polls that wait. */
  readonly polling: { count: number }
  /** Pages that watch. */
  readonly watching: { count: number }
  /** Resolves when all that has happened so far is kept, where anything is. */
  readonly durable: () => Promise<void>
  readonly visits: RateLimitWindows
  readonly model: ScriptedModel
}

/** The base path of the issuer as this caller spells it; URLs in answers follow it (contract §7 row 1). */
export const basePath = (slug: string, requestPath: string): string =>
  `/${/^\/+(\.well-known\/[^/]+\/)?orgs\//.test(requestPath) ? 'orgs' : 't'}/${slug}/api/v1`

/** The `iss` of what this caller gets (contract §7 row 15). */
export const issuerOf = ({ tenant, origins }: TenantContext, requestPath = ''): string =>
  tenant.state.dialect.issuer === 'origin'
    ? origins.issuer
    : origins.issuer + basePath(tenant.slug, requestPath)

/** Every `iss` this tenant's tokens may carry. */
export const issuersOf = ({ tenant, origins }: TenantContext): string[] => [
  `${origins.issuer}/t/${tenant.slug}/api/v1`,
  `${origins.issuer}/orgs/${tenant.slug}/api/v1`,
  ...(tenant.state.dialect.issuer === 'origin' ? [origins.issuer] : []),
]

/** A secret nobody can guess, of 128 bits; with a seeded tenant it can be foretold. */
export const newSecret = ({ tenant }: TenantContext, prefix: string): string =>
  tenant.id(prefix) + tenant.id('').slice(1)

/** SHA-256, so that no secret is kept. */
export const hashSecret = (secret: string): string => hash('sha256', secret, 'base64url')

/** Compares in constant time. */
export const same = (given: string, expected: string): boolean =>
  timingSafeEqual(Buffer.from(hashSecret(given)), Buffer.from(hashSecret(expected)))

/** Compares in constant time; an unknown client takes as long as a wrong secret (CC-14). */
export const hasSecret = (client: Client | undefined, secret: string): boolean => {
  const given = Buffer.from(hashSecret(secret))
  const kept = Buffer.from(client?.secretHash ?? hashSecret(''))
  return timingSafeEqual(given, kept) && client?.secretHash !== undefined
}

/**
 * The scripted approver answers whatever it is time for. Called whenever somebody looks, and for
 * each moment that a moving clock passes.
 */
export const letApproverAnswer = (context: TenantContext): void => {
  const { approver: script } = context.tenant.state
  if (script === undefined || script.decision === 'ignore') return
  decideRequests(context, script)
  answerApprovals(context, script)
}

const decideRequests = ({ tenant, polls }: TenantContext, script: ApproverScript) => {
  const { state, clock } = tenant
  const approver = [...state.users.values()].find((user) =>
    script.by === undefined ? mayApprove(state, user.id) : user.email === script.by,
  )
  if (approver === undefined) return
  for (const requestId of [...state.undecided]) {
    const request = state.requests.get(requestId)?.request
    if (request === undefined || clock.now() < request.requestedAt + script.after) continue
    if ((polls.get(requestId)?.count ?? 0) < script.after_polls) continue
    const decision = { requestId, userId: approver.id, agentHeld: false }
    try {
      if (script.decision === 'approve') {
        tenant.run(approveRequest, { ...decision, ttl: script.ttl, notes: script.reason })
      } else {
        tenant.run(denyRequest, { ...decision, reason: script.reason })
      }
    } catch {
      // What this person may not decide, or what is over, waits for somebody else or for nobody.
    }
  }
}

/** A push approval is answered by the person who was asked, however the script is to decide. */
const answerApprovals = ({ tenant, polls }: TenantContext, script: ApproverScript) => {
  const { state, clock } = tenant
  for (const record of state.approvals.values()) {
    const { id, userId, askedAt } = record.approval
    if (approvalStatus(record, clock.now()) !== 'pending') continue
    if (clock.now() < askedAt + script.after) continue
    if ((polls.get(id)?.count ?? 0) < script.after_polls) continue
    const as = script.decision === 'approve' ? 'approved' : 'denied'
    tenant.run(answerApproval, { approvalId: id, as, userId, agentHeld: false })
  }
}

/** Counts a look at what waits for a person; of what waits no more nothing is kept. */
export const notePoll = (
  { tenant, polls }: TenantContext,
  id: string,
  isPending: boolean,
): void => {
  const count = (polls.get(id)?.count ?? 0) + 1
  polls.delete(id)
  if (!isPending) return
  polls.set(id, { count, lastAt: tenant.clock.now() })
  const [oldest] = polls.keys()
  if (polls.size > mostPolled && oldest !== undefined) polls.delete(oldest)
}

const mostPolled = 10_000

/** Moves the clock, stopping wherever the scripted approver has something to answer on the way. */
export const advance = (context: TenantContext, seconds: number): void => {
  const { tenant, agenda } = context
  const { state, clock } = tenant
  const target = clock.now() + seconds
  const after = state.approver?.after ?? 0
  const due = [...state.undecided]
    .flatMap((id) => state.requests.get(id)?.request.requestedAt ?? [])
    .map((requestedAt) => requestedAt + after)
    .filter((at) => after > 0 && at > clock.now() && at <= target)
  for (const moment of due.sort((a, b) => a - b)) {
    clock.set(moment)
    letApproverAnswer(context)
  }
  clock.set(target)
  tenant.happen([{ type: 'clock.moved', by: seconds }])
  agenda.look()
}
