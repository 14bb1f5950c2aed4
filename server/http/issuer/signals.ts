import type { Stream } from '../../issuer/event.ts'
import {
  acknowledge,
  createStream,
  deleteStream,
  knownEvents,
  type Receiver,
  requireOwnStream,
  streamsOf,
  verifyStream,
} from '../../issuer/signals.ts'
import {
  type CreateStream,
  pollDelivery,
  pushDelivery,
  type SsfConfiguration,
  type StreamConfiguration,
} from '../../wire/index.ts'
import { isoTime } from '../iso-time.ts'
import { created, type Handlers, noContent, ok } from '../message.ts'
import { basePath, issuerOf } from '../origin/issuer-urls.ts'
import { answerWith } from '../refusals.ts'
import type { TenantContext } from '../tenant/tenant-context.ts'
import { waitForEntry } from '../tenant/wait-for-entry.ts'
import type { IssuerContext } from './context.ts'
import type { Principal } from './oauth/bearer.ts'
import { signedSet } from './security-events.ts'

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
      answerWith(400, 'invalid_request', `delivery.endpoint_url: ${objection}`)
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
    if (query.stream_id === undefined) {
      const streams = streamsOf(state, clientId).map(({ stream }) =>
        streamView(context, stream, request.path),
      )
      return ok(state.dialect.stream_list === 'array' ? streams : { streams })
    }
    return ok(
      streamView(context, requireOwnStream(state, query.stream_id, clientId).stream, request.path),
    )
  },

  'ssf.stream.delete': ({ context, principal, query }) => {
    const { tenant, pushHeaders } = context
    const { clientId } = receiverOf(principal())
    const own = streamsOf(tenant.state, clientId)
    const only = own.length === 1 ? own[0]?.stream.id : undefined
    const streamId = query.stream_id ?? only
    if (streamId === undefined && own.length > 1) {
      answerWith(400, 'invalid_request', 'stream_id: required, because there are several streams')
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

/** Maximum number of signals in one poll. */
const signalsPerPoll = 100

/**
 * The owner of a stream: an agent receives events about itself, a resource server and an approver all
 * events.
 */
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

/** A stream as its owner sees it. Never contains the authorization of its pushes. */
const streamView = (
  { tenant, origins }: TenantContext,
  { id, issuer, audience, events, endpoint, authorized, createdAt }: Stream,
  requestPath: string,
  requested: readonly string[] = events,
): StreamConfiguration => {
  const base = origins.issuer + basePath(tenant.slug, requestPath)
  return {
    stream_id: id,
    iss: issuer,
    aud: audience.length === 1 ? (audience[0] ?? '') : [...audience],
    events_supported: [...knownEvents],
    events_requested: [...requested],
    events_delivered: [...events],
    delivery: {
      ...(endpoint === undefined
        ? { method: pollDelivery, endpoint_url: `${base}/ssf/poll/${id}` }
        : { method: pushDelivery, endpoint_url: endpoint }),
      authorization_configured: authorized === true,
    },
    status: 'enabled',
    created_at: isoTime(createdAt),
  }
}

const authorizationOf = (delivery: CreateStream['delivery']): string | undefined =>
  delivery?.authorization_header ??
  (delivery?.authorization_token === undefined
    ? undefined
    : `Bearer ${delivery.authorization_token}`)

/** Maximum duration of a long poll, in real milliseconds. */
const longestPoll = 30_000

/** Further long polls return immediately. */
const mostPolls = 100

const waitForSignals = async (context: TenantContext, streamId: string): Promise<void> => {
  const { tenant, timers, ended, polling } = context
  const isThere = () => tenant.state.streams.get(streamId)?.waiting.length !== 0
  if (isThere() || polling.count >= mostPolls || ended.signal.aborted) return
  polling.count += 1
  const { signal } = ended
  await waitForEntry(tenant.journal, isThere, { milliseconds: longestPoll, signal, timers })
  polling.count -= 1
}
