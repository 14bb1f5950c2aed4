import type { Signal, Stream } from '../../issuer/event.ts'
import {
  acknowledge,
  createStream,
  deleteStream,
  eventUri,
  knownEvents,
  type Receiver,
  requireOwnStream,
  streamsOf,
  verifyStream,
} from '../../issuer/signals.ts'
import type { StreamRecord } from '../../issuer/state.ts'
import { deliver } from '../../outbound/deliveries.ts'
import { NotSent } from '../../outbound/outbound.ts'
import { type Header, signJwt } from '../../signing/sign.ts'
import {
  type CreateStream,
  pollDelivery,
  pushDelivery,
  type SecurityEventToken,
  type SsfConfiguration,
  type StreamConfiguration,
} from '../../wire/index.ts'
import { basePath, issuerOf } from '../issuer-urls.ts'
import { created, type Handlers, noContent, ok } from '../message.ts'
import { answerWith } from '../refusals.ts'
import type { TenantContext } from '../tenant-context.ts'
import type { IssuerContext } from './context.ts'
import type { Principal } from './oauth/bearer.ts'

export const signalHandlers: Handlers<
  | 'ssf.configuration'
  | 'ssf.stream.create'
  | 'ssf.stream.read'
  | 'ssf.stream.delete'
  | 'ssf.verify'
  | 'ssf.poll',
  IssuerContext
> = {
  'ssf.configuration': ({ context, request }) => ok(configuration(context, request.path)),

  'ssf.stream.create': ({ context, principal, body, request }) => {
    const { tenant, outbound, pushHeaders } = context
    const { delivery } = body
    const endpoint = delivery?.method === pushDelivery ? delivery.endpoint_url : undefined
    const objection = endpoint === undefined ? undefined : outbound.objection(endpoint)
    if (objection !== undefined) {
      answerWith(400, 'invalid_request', `delivery.endpoint_url: refused, ${objection}`)
    }
    const receiver = receiverOf(principal())
    const header = authorizationOf(delivery)
    const [{ stream }] = tenant.run(createStream, {
      ...receiver,
      issuer: issuerOf(context, request.path),
      audience: [body.audience ?? receiver.clientId].flat(),
      requested: body.events_requested ?? knownEvents,
      endpoint,
      authorized: header !== undefined,
    })
    if (header !== undefined) pushHeaders.set(stream.id, header)
    return created(streamView(context, stream, request.path, body.events_requested))
  },

  'ssf.stream.read': ({ context, principal, query, request }) => {
    const { state } = context.tenant
    const { clientId } = receiverOf(principal())
    return ok(
      query.stream_id === undefined
        ? streamsOf(state, clientId).map(({ stream }) => streamView(context, stream, request.path))
        : streamView(
            context,
            requireOwnStream(state, query.stream_id, clientId).stream,
            request.path,
          ),
    )
  },

  'ssf.stream.delete': ({ context, principal, query }) => {
    const { tenant, pushHeaders } = context
    const { clientId } = receiverOf(principal())
    const own = streamsOf(tenant.state, clientId)
    const only = own.length === 1 ? own[0]?.stream.id : undefined
    const streamId = query.stream_id ?? only
    if (streamId === undefined && own.length > 1) {
      answerWith(400, 'invalid_request', 'stream_id: expected one, since there are several streams')
    }
    tenant.run(deleteStream, { clientId, streamId: streamId ?? '' })
    pushHeaders.delete(streamId ?? '')
    return noContent
  },

  'ssf.verify': ({ context, principal, body }) => {
    context.tenant.run(verifyStream, {
      clientId: receiverOf(principal()).clientId,
      streamId: body.stream_id,
      state: body.state,
    })
    return noContent
  },

  'ssf.poll': async ({ context, principal, params, body }) => {
    const { streamId = '' } = params
    const { tenant } = context
    const { clientId } = receiverOf(principal())
    const rejected = Object.keys(body.setErrs ?? {})
    tenant.run(acknowledge, { clientId, streamId, jtis: [...(body.ack ?? []), ...rejected] })
    const most = Math.min(body.maxEvents ?? signalsPerPoll, signalsPerPoll)
    if (!body.returnImmediately && most > 0) await waitForSignals(context, streamId)
    const { stream, waiting } = requireOwnStream(tenant.state, streamId, clientId)
    const sets = await Promise.all(
      waiting.slice(0, most).map(async (it) => [it.jti, await signedSet(context, stream, it)]),
    )
    return ok({
      sets: Object.fromEntries(sets),
      ...(waiting.length > most ? { moreAvailable: true } : {}),
    })
  },
}

/** The most signals one poll gets. */
const signalsPerPoll = 100

/** Whose streams they are: an agent hears of itself, a resource server and an approver of all. */
const receiverOf = ({ agent, user, agentHeld, permissions, claims }: Principal): Receiver => {
  if (agent !== undefined && !agent.resourceServer) {
    return { clientId: agent.clientId, agentId: agent.id }
  }
  if (agent?.resourceServer) return { clientId: agent.clientId }
  if (permissions.some((it) => it === 'jit.approve' || it === 'ssf.manage')) {
    return { clientId: (!agentHeld && user?.id) || claims.client_id }
  }
  return answerWith(403, 'access_denied', 'expected an agent, or the permission ssf.manage')
}

const configuration = (context: TenantContext, requestPath: string): SsfConfiguration => {
  const base = context.origins.issuer + basePath(context.tenant.slug, requestPath)
  return {
    spec_version: '1_0',
    issuer: issuerOf(context, requestPath),
    jwks_uri: `${base}/.well-known/jwks.json`,
    delivery_methods_supported: [pushDelivery, pollDelivery],
    configuration_endpoint: `${base}/ssf/stream`,
    verification_endpoint: `${base}/ssf/verify`,
    events_supported: [...knownEvents],
    default_subjects: 'ALL',
    authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6749' }],
  }
}

/** A stream as its owner sees it; what authorizes a push is never shown again. */
const streamView = (
  { tenant, origins }: TenantContext,
  { id, issuer, audience, events, endpoint }: Stream,
  requestPath: string,
  requested: readonly string[] = events,
): StreamConfiguration => {
  const base = origins.issuer + basePath(tenant.slug, requestPath)
  return {
    stream_id: id,
    iss: issuer,
    aud: [...audience],
    events_supported: [...knownEvents],
    events_requested: [...requested],
    events_delivered: [...events],
    delivery:
      endpoint === undefined
        ? { method: pollDelivery, endpoint_url: `${base}/ssf/poll/${id}` }
        : { method: pushDelivery, endpoint_url: endpoint },
    status: 'enabled',
  }
}

const authorizationOf = (delivery: CreateStream['delivery']): string | undefined =>
  delivery?.authorization_header ??
  (delivery?.authorization_token === undefined
    ? undefined
    : `Bearer ${delivery.authorization_token}`)

/** RFC 8417 §2.2; `typ` as SSF wants it (SET-02). */
const setHeader: Header = { typ: 'secevent+jwt' }

const signedSet = ({ keys }: TenantContext, stream: Stream, signal: Signal): Promise<string> =>
  signJwt(keys.current, setOf(stream, signal), setHeader)

/** One event a token, without `sub` and `exp` (SET-03, SET-08). */
const setOf = ({ issuer, audience }: Stream, signal: Signal): SecurityEventToken => ({
  iss: issuer,
  aud: [...audience],
  iat: signal.at,
  jti: signal.jti,
  sub_id: subjectOf(issuer, signal.about),
  events: { [eventUri(signal.event)]: contentOf(signal) },
})

/** A task is a session of the agent's persona; a receiver knows it by the `sub` of its tokens. */
const subjectOf = (iss: string, about: Signal['about']): SecurityEventToken['sub_id'] => {
  if ('streamId' in about) return { format: 'opaque', id: about.streamId }
  if ('tokenId' in about) return { format: 'jwt_id', iss, jti: about.tokenId }
  return {
    format: 'complex',
    session: { format: 'opaque', id: about.caepSessionId },
    user: { format: 'iss_sub', iss, sub: about.sub },
  }
}

const contentOf = ({ event, at, by, reason, state }: Signal): Record<string, unknown> => {
  if (event === 'verification') return state === undefined ? {} : { state }
  return {
    event_timestamp: at,
    initiating_entity: by,
    reason_admin: { en: reason },
    // CAEP 1.0 §3.2: the new values. Nothing is granted any more.
    ...(event === 'token-claims-change' ? { claims: { authorization_details: [] } } : {}),
  }
}

/** A long poll waits this many real milliseconds at most. */
const longestPoll = 30_000

/** More than these find out at once. */
const mostPolls = 100

const waitForSignals = async (context: TenantContext, streamId: string): Promise<void> => {
  const { tenant, timers, ended, polling } = context
  const isThere = () => tenant.state.streams.get(streamId)?.waiting.length !== 0
  if (isThere() || polling.count >= mostPolls || ended.signal.aborted) return
  polling.count += 1
  await new Promise<void>((resolve) => {
    const done = () => {
      timers.clear(timer)
      unlisten()
      ended.signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = timers.set(done, longestPoll)
    const unlisten = tenant.journal.listen(() => isThere() && done())
    ended.signal.addEventListener('abort', done)
  })
  polling.count -= 1
}

/** Pushes what waits in streams that have a place to push to, one after the other (RFC 8935). */
export const startPushing = (context: TenantContext): void => {
  const { tenant, ended } = context
  const busy = new Set<string>()
  const push = () => {
    for (const record of tenant.state.streams.values()) pushNextSignal(context, record, busy, push)
  }
  const unlisten = tenant.journal.listen(push)
  ended.signal.addEventListener('abort', unlisten, { once: true })
  push()
}

const pushNextSignal = (
  context: TenantContext,
  { stream, waiting: [next] }: StreamRecord,
  busy: Set<string>,
  goOn: () => void,
) => {
  const { tenant, agenda } = context
  if (stream.endpoint === undefined || next === undefined || busy.has(stream.id)) return
  const about = { streamId: stream.id, jti: next.jti }
  busy.add(stream.id)
  const isPlanned = deliver(
    agenda,
    tenant.clock.now,
    () => pushSignal(context, stream, next),
    (attempt) => {
      if (attempt.reason === undefined || attempt.final) busy.delete(stream.id)
      tenant.happen([
        attempt.reason === undefined
          ? { type: 'signal.delivered', ...about, attempt: attempt.attempt }
          : { type: 'signal.failed', ...about, ...attempt },
      ])
      goOn()
    },
  )
  if (!isPlanned) busy.delete(stream.id)
}

/** PSH-01, PSH-05. What the receiver says no to, it would say no to again (RFC 8935 §2.3). */
const pushSignal = async (
  context: TenantContext,
  stream: Stream,
  signal: Signal,
): Promise<number> => {
  const { tenant, outbound, pushHeaders, ended } = context
  if (!tenant.state.streams.has(stream.id)) throw new NotSent('the stream is closed', true)
  const authorization = pushHeaders.get(stream.id)
  if (stream.authorized && authorization === undefined) {
    throw new NotSent('what authorizes the push is not kept over a restart', true)
  }
  const status = await outbound.post(
    stream.endpoint as string,
    {
      'content-type': 'application/secevent+jwt',
      accept: 'application/json',
      ...(authorization === undefined ? {} : { authorization }),
    },
    await signedSet(context, stream, signal),
    ended.signal,
  )
  if (status === 400) throw new NotSent('the receiver refused it', true)
  return status
}
