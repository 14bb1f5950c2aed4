import type { Signal, Stream } from '../../issuer/event.ts'
import { eventUri } from '../../issuer/signals.ts'
import { type Header, signJwt } from '../../signing/sign.ts'
import type { SecurityEventToken } from '../../wire/index.ts'
import type { TenantContext } from '../tenant/tenant-context.ts'

/** RFC 8417 §2.2; `typ` as SSF requires it (SET-02). */
const setHeader: Header = { typ: 'secevent+jwt' }

/** The JWT that sends a signal to a stream. */
export const signedSet = (
  { keys }: Pick<TenantContext, 'keys'>,
  stream: Stream,
  signal: Signal,
): Promise<string> => signJwt(keys.current, setOf(stream, signal), setHeader)

/** One event per token, without `sub` and `exp` (SET-03, SET-08). */
const setOf = ({ issuer, audience }: Stream, signal: Signal): SecurityEventToken => ({
  iss: issuer,
  aud: [...audience],
  iat: signal.at,
  jti: signal.jti,
  sub_id: subjectOf(issuer, signal.about),
  events: { [eventUri(signal.event)]: contentOf(signal) },
})

/** A task is a session of the agent's persona; its subject is the `sub` of the task's tokens. */
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
    // CAEP 1.0 §3.2: the new values of the claims. The token grants nothing any more.
    ...(event === 'token-claims-change' ? { claims: { authorization_details: [] } } : {}),
  }
}
