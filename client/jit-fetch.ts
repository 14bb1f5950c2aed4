import { type AuthorizationDetail, anyCovers } from '../server/wire/authorization-detail.ts'
import { MalformedChallenge } from '../server/wire/challenge.ts'
import { readText } from '../server/wire/read-text.ts'
import type { Fetch } from './agent.ts'
import { makeReplayable } from './body.ts'
import { EscalationRefusedError, RedirectRefusedError } from './errors.ts'
import { rememberRefusal } from './escalation-refusal.ts'
import { Escalator } from './escalator.ts'
import {
  type Escalating,
  type JitFetchOptions,
  type JitFetchSettings,
  readJitFetchOptions,
} from './jit-fetch-options.ts'
import { toFetchError } from './network-failure.ts'
import { followRedirect, type Hop, placeOf } from './redirect.ts'
import { readResponseChallenge } from './response-challenge.ts'
import { withDeadline } from './time.ts'
import type { CachedToken } from './token-cache.ts'

/**
 * A drop-in `fetch` that escalates. It sends the agent's wide token, or the JIT token for the detail
 * last required at this method, origin and path. After a challenge it requests the first missing detail
 * and repeats the request once; it returns the answer to the second request, even a 403.
 *
 * - Requests to other origins, and requests with their own `Authorization`, are passed through
 * unchanged.
 * - An answer with a malformed challenge is returned. After a 401 the token is deleted, and the 401 is
 * returned.
 * - Redirects within the origin are followed with the token. Redirects to other origins are followed
 * without token and body, with safe headers only.
 */
export const createJitFetch = (jit: Escalating, options: JitFetchOptions): Fetch => {
  const { agent } = jit
  const settings = readJitFetchOptions(options)
  const sender: Sender = { agent, settings, escalator: new Escalator(jit, settings) }

  return async (input, init) => {
    const request = isRequest(input) ? input : undefined
    const url = URL.parse(request?.url ?? String(input))
    const headers = new Headers(init?.headers ?? request?.headers)
    if (url === null || !settings.origins.has(url.origin) || headers.has('authorization')) {
      return agent.fetch(input, init)
    }
    const signal = (init?.signal === undefined ? request?.signal : init.signal) ?? undefined
    const body = await makeReplayable(init?.body ?? request?.body, settings.bodyLimit, signal)
    const method = normalizeMethod(init?.method ?? request?.method ?? 'GET')
    const rest = { ...(request && settingsOf(request)), ...withoutBody(init) }
    assertSendable({ url, method, headers, body }, rest)
    return followRedirects(
      sender,
      { url, method, headers, body },
      {
        rest,
        redirect: init?.redirect ?? request?.redirect ?? 'follow',
        signal,
        escalated: false,
        left: false,
      },
    )
  }
}

/** State shared by all calls of one jit fetch. */
type Sender = Readonly<{
  agent: Escalating['agent']
  settings: JitFetchSettings
  escalator: Escalator
}>

/** State of one call. */
type Call = {
  readonly rest: RequestInit
  readonly redirect: NonNullable<RequestInit['redirect']>
  readonly signal: AbortSignal | undefined
  escalated: boolean
  /** It was redirected to another origin, and gets no token from then on. */
  left: boolean
  held?: CachedToken | undefined
}

const followRedirects = async (sender: Sender, first: Hop, call: Call): Promise<Response> => {
  const { redirects } = sender.settings
  let hop = first
  for (let count = 0; ; count += 1) {
    const home = hop.url.origin === first.url.origin && !call.left
    const response = home ? await sendEscalating(sender, hop, call) : await send(sender, hop, call)
    const next = call.redirect === 'manual' ? undefined : followRedirect(response, hop)
    if (next === undefined) return count === 0 ? response : markRedirected(response)
    discard(response)
    if (call.redirect === 'error' || count === redirects) {
      throw new RedirectRefusedError(
        `${placeOf(hop)}: ${call.redirect === 'error' ? 'redirects' : `more than ${redirects} redirects`}`,
      )
    }
    call.left ||= next.url.origin !== hop.url.origin
    hop = next
  }
}

/** The answer of an agent's origin, after at most one escalation per call. */
const sendEscalating = async (sender: Sender, hop: Hop, call: Call): Promise<Response> => {
  const { settings, escalator } = sender
  call.held =
    escalator.heldFor(hop) ?? call.held ?? (await escalator.baseToken(hop.url.origin, call.signal))
  const response = await send(sender, hop, call, call.held)
  const required = call.escalated ? undefined : await findMissing(sender, response, hop, call)
  if (required === undefined) {
    if (response.status === 401 && call.held) escalator.forget(call.held)
    return response
  }
  call.escalated = true
  try {
    call.held = await escalator.escalate(required, call.held, hop, call.signal)
  } catch (error) {
    if (!(error instanceof EscalationRefusedError)) {
      discard(response)
      throw error
    }
    settings.observe({ step: 'refused', reason: error.reason, message: error.message })
    if (settings.onRefusal === 'throw') {
      discard(response)
      throw error
    }
    rememberRefusal(response, error)
    return response
  }
  escalator.remember(hop, required)
  discard(response)
  const second = await send(sender, hop, call, call.held)
  if (second.status === 401) escalator.forget(call.held)
  return second
}

/** The details the answer requires; undefined without a valid challenge. */
const findMissing = async (
  { agent, settings: { observe } }: Sender,
  response: Response,
  hop: Hop,
  call: Call,
): Promise<AuthorizationDetail | undefined> => {
  const request = placeOf(hop)
  try {
    const details = await readResponseChallenge(response, (read) =>
      withDeadline(request, agent.deadline, call.signal, read),
    )
    const held = call.held?.details ?? []
    const required = details?.find((detail) => !anyCovers(held, detail)) ?? details?.[0]
    if (required) observe({ step: 'challenged', request, required })
    return required
  } catch (error) {
    if (!(error instanceof MalformedChallenge)) throw error
    observe({ step: 'malformed', request, message: error.message })
    return undefined
  }
}

/**
 * Sends one request. Errors of `fetch` are thrown unchanged, unless the network failed. The deadline
 * applies until the headers arrive; the body may take longer.
 */
const send = (
  { agent }: Sender,
  { url, ...request }: Hop,
  { rest, signal }: Call,
  held?: CachedToken,
): Promise<Response> => {
  const what = placeOf({ url, ...request })
  const headers = new Headers(request.headers)
  if (held) headers.set('authorization', `Bearer ${held.token}`)
  return withDeadline(what, agent.deadline, signal, async (signal) => {
    try {
      return await agent.fetch(url, {
        ...rest,
        ...request,
        headers,
        body: request.body ?? null,
        redirect: 'manual',
        signal,
      })
    } catch (cause) {
      throw toFetchError(cause, `${what}: could not be reached`, held ? [held.token] : [])
    }
  })
}

/** A `Request`, including one of another realm or another copy of undici. */
const isRequest = (input: unknown): input is Request =>
  typeof input === 'object' && input !== null && 'url' in input && 'headers' in input

/**
 * Rejects what `fetch` rejects, before anything is sent.
 * @throws {TypeError} for a request that the Fetch standard does not allow
 */
const assertSendable = ({ url, ...request }: Hop, { signal: _, ...rest }: RequestInit): void => {
  void new Request(url, { ...rest, ...request, body: request.body ?? null })
}

/** Sets `redirected` as `fetch` does, because this client follows redirects itself. */
const markRedirected = (response: Response): Response =>
  Object.defineProperty(response, 'redirected', { value: true, configurable: true })

/** Methods that the Fetch standard writes in upper case. */
const normalizeMethod = (method: string) =>
  /^(?:delete|get|head|options|post|put)$/i.test(method) ? method.toUpperCase() : method

const settingsOf = ({
  cache,
  credentials,
  integrity,
  keepalive,
  mode,
  referrer,
  referrerPolicy,
}: Request): RequestInit => ({
  cache,
  credentials,
  integrity,
  keepalive,
  mode,
  referrer,
  referrerPolicy,
})

const withoutBody = (init: RequestInit = {}): RequestInit => {
  const { body: _, duplex: __, ...rest } = init
  return rest
}

/**
 * Ends an answer that is not used. A short body is read: the connection can be used again, and happy-dom
 * throws an uncaught error for a stream that was cancelled.
 */
const discard = (response: Response): void => {
  void readText(response, 2 ** 16, AbortSignal.timeout(1000)).catch(() => undefined)
}
