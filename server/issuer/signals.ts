import type { Decide } from './decide.ts'
import type { Entry, EventOf, RevocationReason, Signal, Stream, Task, Token } from './event.ts'
import { refuse } from './refusal.ts'
import type { State, StreamRecord } from './state.ts'

/** Where the events of CAEP and of SSF itself have their names. */
const caep = 'https://schemas.openid.net/secevent/caep/event-type/'
const ssf = 'https://schemas.openid.net/secevent/ssf/event-type/'

export const eventUri = (event: Signal['event']): string =>
  (event === 'verification' ? ssf : caep) + event

/** What a stream may ask for. A verification comes unasked. */
export const knownEvents: readonly string[] = [
  eventUri('session-revoked'),
  eventUri('token-claims-change'),
]

/** The end of a task: the session is over, and with it all its tokens. */
export const aboutTask = (
  { id, caepSessionId }: Task,
  agentName: string,
  entry: Entry & EventOf<'task.completed' | 'task.suspended'>,
): Signal => ({
  jti: String(entry.seq),
  at: entry.at,
  event: 'session-revoked',
  about: { taskId: id, caepSessionId, sub: `agent:${agentName}:task:${id}` },
  by: entry.type !== 'task.suspended' ? 'system' : entry.by === undefined ? 'policy' : 'admin',
  reason: entry.type === 'task.suspended' ? entry.reason : 'the task was completed',
})

/**
 * The end of one token. A JIT token is a grant within a session that goes on; any other is a session
 * by itself. What dies with its task is told by the end of the task.
 */
export const aboutToken = (
  { jti, kind, sub }: Token,
  { seq, at, reason }: Entry & EventOf<'token.revoked'>,
): Signal | undefined => {
  if (reason === 'task_completed' || reason === 'task_suspended') return undefined
  return {
    jti: String(seq),
    at,
    event: kind === 'jit' ? 'token-claims-change' : 'session-revoked',
    about: { tokenId: jti, sub },
    by: initiators[reason] ?? 'system',
    reason: `the token was revoked: ${reason}`,
  }
}

/** Who a revocation came from (CAEP, `initiating_entity`); the system where no reason says more. */
const initiators: { readonly [Reason in RevocationReason]?: Signal['by'] } = {
  revoked_by_client: 'user',
  revoked_by_approver: 'admin',
}

export const verification = ({
  seq,
  at,
  streamId,
  state,
}: Entry & EventOf<'stream.verified'>): Signal => ({
  jti: String(seq),
  at,
  event: 'verification',
  about: { streamId },
  by: 'system',
  reason: 'the receiver asked for it',
  ...(state === undefined ? {} : { state }),
})

/** Who asks about streams: a client, and the agent whose events alone it may hear of. */
export type Receiver = Readonly<{ clientId: string; agentId?: string | undefined }>

export type CreateStream = Receiver &
  Readonly<{
    issuer: string
    audience: readonly string[]
    requested: readonly string[]
    endpoint?: string | undefined
    authorized?: boolean | undefined
  }>

/** An agent hears of its own tasks and tokens; a resource server and an approver of all. */
export const createStream: Decide<CreateStream, readonly [EventOf<'stream.created'>]> = (
  state,
  { clientId, agentId, issuer, audience, requested, endpoint, authorized },
  { now, id },
) => {
  const limit = state.policy.limits.streams_per_client
  if (streamsOf(state, clientId).length >= limit) {
    refuse({ error: 'limit_reached', what: 'streams for one client', limit })
  }
  const stream: Stream = {
    id: id('ssf'),
    clientId,
    issuer,
    audience,
    events: knownEvents.filter((uri) => requested.includes(uri)),
    createdAt: now,
    ...(agentId === undefined ? {} : { agentId }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(authorized ? { authorized } : {}),
  }
  return [{ type: 'stream.created', stream }]
}

export const deleteStream: Decide<Readonly<{ clientId: string; streamId: string }>> = (
  state,
  { clientId, streamId },
) => {
  requireOwnStream(state, streamId, clientId)
  return [{ type: 'stream.deleted', streamId }]
}

/** Puts a verification into the stream, unless many wait there already (STM-07). */
export const verifyStream: Decide<
  Readonly<{ clientId: string; streamId: string; state?: string | undefined }>
> = (state, { clientId, streamId, state: echo }) => {
  const { waiting } = requireOwnStream(state, streamId, clientId)
  if (waiting.filter(({ event }) => event === 'verification').length >= mostVerifications) {
    refuse({ error: 'limit_reached', what: 'undelivered verifications', limit: mostVerifications })
  }
  return [{ type: 'stream.verified', streamId, ...(echo === undefined ? {} : { state: echo }) }]
}

const mostVerifications = 10

/** What the receiver has is not told again; names that do not wait are no error (RFC 8936 §2.2). */
export const acknowledge: Decide<
  Readonly<{ clientId: string; streamId: string; jtis: readonly string[] }>
> = (state, { clientId, streamId, jtis }) => {
  const { waiting } = requireOwnStream(state, streamId, clientId)
  const known = waiting.map(({ jti }) => jti).filter((jti) => jtis.includes(jti))
  return known.length === 0 ? [] : [{ type: 'signal.acknowledged', streamId, jtis: known }]
}

export const streamsOf = ({ streams }: State, clientId: string): StreamRecord[] =>
  [...streams.values()].filter(({ stream }) => stream.clientId === clientId)

/** @throws {Refused} `unknown_stream`, the same for one of somebody else */
export const requireOwnStream = (
  { streams }: State,
  streamId: string,
  clientId: string,
): StreamRecord => {
  const record = streams.get(streamId)
  return record?.stream.clientId === clientId ? record : refuse({ error: 'unknown_stream' })
}
