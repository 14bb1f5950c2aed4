import type { Signal, Stream } from '../../issuer/event.ts'
import type { StreamRecord } from '../../issuer/state.ts'
import { deliver } from '../../outbound/deliveries.ts'
import { NotSent } from '../../outbound/outbound.ts'
import type { TenantContext } from '../tenant/tenant-context.ts'
import { signedSet } from './security-events.ts'

/** Pushes the signals of each push stream, one after the other (RFC 8935). */
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
      // Interrupted by the end of this process; the next process resumes it.
      if (attempt.reason !== undefined && context.ended.signal.aborted) return
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

/** PSH-01, PSH-05. A signal that the receiver rejects is not sent again (RFC 8935 §2.3). */
const pushSignal = async (
  context: TenantContext,
  stream: Stream,
  signal: Signal,
): Promise<number> => {
  const { tenant, outbound, pushHeaders, ended } = context
  if (!tenant.state.streams.has(stream.id)) throw new NotSent('the stream is closed', true)
  const authorization = pushHeaders.get(stream.id)
  if (stream.authorized && authorization === undefined) {
    throw new NotSent('the authorization of the push was lost in a restart', true)
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
  if (status === 400) throw new NotSent('the receiver rejected it', true)
  // A page of 200 shows that something else than the receiver answered (RFC 8935 §2.2).
  if (status >= 200 && status < 300 && status !== 202) {
    throw new NotSent(`the answer was ${status}, expected 202`)
  }
  return status
}
