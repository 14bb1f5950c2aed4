import { sizeOf } from '../wire/size-of.ts'
import type { Event, PushedRequest } from './event.ts'
import { rootOf } from './lineage.ts'
import { refuse } from './refusal.ts'
import type {
  ApprovalRecord,
  DeviceRecord,
  GrantRecord,
  RequestRecord,
  State,
  TaskRecord,
  TokenRecord,
} from './state.ts'

/**
 * Bytes of a caller's texts, and the owner whose share of the tenant's memory they use. An agent shares
 * with the agents it registered.
 */
export type KeptBytes = Readonly<{
  /** The agent's id; for a client that is not an agent, its `client_id`. */
  owner: string
  bytes: number
}>

/**
 * The texts of a caller that a tenant stores because of an event, until they expire. Members of a fixed
 * size do not count, because the number of records is limited separately.
 */
export const keptBytesOf = (event: Event): KeptBytes | undefined => {
  switch (event.type) {
    case 'task.opened': {
      const { agentId, name, type } = event.task
      return share(agentId, [name, type])
    }
    case 'permission.requested': {
      const { agentId, detail, justification, callbackUrl } = event.request
      return share(agentId, [detail, justification, callbackUrl])
    }
    case 'approval.asked': {
      const { agentId, task, reason, meta } = event.approval
      return share(agentId, [task, reason, meta])
    }
    case 'token.issued': {
      const { agentId, clientId, details, audience } = event.token
      return share(agentId ?? clientId, [details, audience])
    }
    case 'grant.given': {
      const { clientId, scope, redirectUri, challenge, nonce, audience, details } = event.grant
      return share(clientId, [scope, redirectUri, challenge, nonce, audience, details])
    }
    case 'authorization.pushed':
      return share(event.pushed.clientId, event.pushed.parameters)
    case 'device.asked':
      return share(event.device.clientId, [event.device.scope])
    case 'assertion.used':
      return share(event.clientId, event.jti)
    default:
      return undefined
  }
}

/** For each kind of record that stores texts of callers: the event that stored it. */
export const storedBy = {
  task: ({ task }: TaskRecord): Event => ({ type: 'task.opened', task }),
  request: ({ request }: RequestRecord): Event => ({
    type: 'permission.requested',
    request,
    score: 0,
  }),
  approval: ({ approval }: ApprovalRecord): Event => ({ type: 'approval.asked', approval }),
  token: ({ token }: TokenRecord): Event => ({ type: 'token.issued', token }),
  grant: ({ grant }: GrantRecord): Event => ({ type: 'grant.given', grant }),
  pushed: (pushed: PushedRequest): Event => ({ type: 'authorization.pushed', pushed }),
  device: ({ device }: DeviceRecord): Event => ({ type: 'device.asked', device }),
  assertion: (used: string): Event => {
    const [clientId = '', jti = ''] = used.split(/ (.*)/s)
    return { type: 'assertion.used', clientId, jti, expiresAt: 0 }
  },
}

/** The events that stored the texts of callers in a state. */
export const storedEvents = (state: State): Event[] => [
  ...Array.from(state.tasks.values(), storedBy.task),
  ...Array.from(state.requests.values(), storedBy.request),
  ...Array.from(state.approvals.values(), storedBy.approval),
  ...Array.from(state.tokens.values(), storedBy.token),
  ...Array.from(state.grants.values(), storedBy.grant),
  ...Array.from(state.pushed.values(), storedBy.pushed),
  ...Array.from(state.devices.values(), storedBy.device),
  ...Array.from(state.assertions, storedBy.assertion),
]

/** Adds the bytes of an event; with -1 it subtracts them. */
export const countKept = (state: State, event: Event, times: 1 | -1 = 1): void => {
  const kept = keptBytesOf(event)
  if (kept === undefined) return
  add(state, rootOf(state, kept.owner), times * kept.bytes)
  state.keptBytes += times * kept.bytes
}

/**
 * Checks that there is room for new texts: in the share of their owner, and in the tenant.
 * @throws {Refused} `limit_reached`
 */
export const refuseBeyondShare = (state: State, events: readonly Event[]): void => {
  const { bytes_per_agent: perAgent, bytes_per_tenant: perTenant } = state.policy.limits
  const added = new Map<string, number>()
  let sum = state.keptBytes
  for (const event of events) {
    const kept = keptBytesOf(event)
    if (kept === undefined || kept.bytes === 0) continue
    const owner = rootOf(state, kept.owner)
    const before = added.get(owner) ?? state.keptBytesBy.get(owner) ?? 0
    added.set(owner, before + kept.bytes)
    sum += kept.bytes
    if (before + kept.bytes > perAgent) {
      refuse({ error: 'limit_reached', what: 'bytes stored for one agent', limit: perAgent })
    }
    if (sum > perTenant) {
      refuse({ error: 'limit_reached', what: 'bytes stored for one tenant', limit: perTenant })
    }
  }
}

const share = (owner: string, words: unknown): KeptBytes => ({ owner, bytes: sizeOf(words) })

const add = ({ keptBytesBy }: State, owner: string, bytes: number): void => {
  const sum = (keptBytesBy.get(owner) ?? 0) + bytes
  if (sum > 0) keptBytesBy.set(owner, sum)
  else keptBytesBy.delete(owner)
}
