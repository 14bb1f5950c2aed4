import {
  type AuthorizationDetail,
  anyCovers,
  canonical,
} from '../server/wire/authorization-detail.ts'
import { MalformedChallenge, readChallenge, readChallengeBody } from '../server/wire/challenge.ts'
import type { Fetch, LumoAuthAgent } from './agent.ts'
import { type Allow, type Challenged, permits, reading } from './allow.ts'
import { makeReplayable } from './body.ts'
import {
  ApiError,
  ApprovalTimeoutError,
  ConfigError,
  EscalationRefusedError,
  LumoAuthError,
  NetworkError,
  RedirectRefusedError,
  type RefusalReason,
} from './errors.ts'
import type { JitContext } from './jit-context.ts'
import { followRedirect, type Hop, placeOf } from './redirect.ts'
import { SingleFlight } from './single-flight.ts'
import { withDeadline } from './time.ts'
import { type CachedToken, TokenCache } from './token-cache.ts'

export type JitFetchOptions = Readonly<{
  /** Where tokens may go. URLs are taken for their origin. Everywhere else it is a plain `fetch`. */
  origins: readonly string[]
  /** What may be asked for. Default `reading`. */
  allow?: Allow
  /** Why the permission is needed, for policy and approver. Default: names the call. */
  justification?: string | ((detail: AuthorizationDetail, request: Challenged) => string)
  /** Seconds a permission is asked for. Default 300, at most 900. */
  ttl?: number
  /** Seconds before its expiry at which a token is no longer used. Default 10. */
  skew?: number
  /** Seconds to wait for an approval. Default 300. */
  limit?: number
  /** When the permission is not obtained: the original answer (see `refusalOf`), or a thrown error. */
  onRefusal?: 'return' | 'throw'
  /** Bytes of a streamed body that are held for the retry. Default 1 MiB. */
  bodyLimit?: number
  /** Redirects followed at most. Default 20, as `fetch` does. */
  redirects?: number
  /** Hears of each step of an escalation; never sees a token. */
  observe?: (step: JitStep) => void
}>

/** What happens in an escalation, in this order. */
export type JitStep =
  | { step: 'challenged'; request: string; required: AuthorizationDetail }
  | { step: 'malformed'; request: string; message: string }
  | { step: 'requested'; requestId: string; status: string; riskLevel: string | undefined }
  | { step: 'granted'; requestId: string; expiresIn: number }
  | { step: 'refused'; reason: RefusalReason; message: string }

/** What is needed of a `JitContext`. */
export type Escalating = Pick<
  JitContext,
  'taskId' | 'requestPermission' | 'waitForApproval' | 'getToken'
> & {
  readonly agent: Pick<LumoAuthAgent, 'token' | 'forgetToken' | 'fetch' | 'now' | 'deadline'>
}

/** Why the answer of a jit fetch is still the one from before the escalation. */
export const refusalOf = (response: Response): EscalationRefusedError | undefined =>
  refusals.get(response)

/**
 * A drop-in `fetch` that escalates. It sends the wide token of the agent, or the JIT token for what
 * was last required at this method, origin and path. To a challenge it answers by requesting the
 * first detail that is missing, and repeats the request once; a second refusal is the answer.
 *
 * - Other origins, and calls with an `Authorization` of their own, pass through untouched.
 * - A malformed challenge is no challenge. A 401 makes it forget the token, and is the answer.
 * - Redirects within the origin are followed with the token, to other origins without it (and
 *   without a body, and with harmless headers only).
 */
export const createJitFetch = (jit: Escalating, options: JitFetchOptions): Fetch => {
  const origins = originsOf(options.origins)
  const { skew = 10, bodyLimit = 2 ** 20, redirects = 20, observe } = options
  const { agent } = jit
  const allows = permits(options.allow ?? reading, origins)
  const flights = new SingleFlight<CachedToken>()
  let wallet = new TokenCache()
  let walletOf = jit.taskId

  /** Tokens die with their task. */
  const tokens = (): TokenCache => {
    if (walletOf !== jit.taskId) wallet = new TokenCache()
    walletOf = jit.taskId
    return wallet
  }

  const follow = async (first: Hop, call: Call): Promise<Response> => {
    let hop = first
    for (let count = 0; ; count += 1) {
      const home = hop.url.origin === first.url.origin && !call.left
      const response = home ? await answered(hop, call) : await send(hop, call)
      const next = call.redirect === 'manual' ? undefined : followRedirect(response, hop)
      if (next === undefined) return response
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

  /** The answer at the agent's own origins, after at most one escalation a call. */
  const answered = async (hop: Hop, call: Call): Promise<Response> => {
    call.held = tokens().heldFor(hop, agent.now()) ?? call.held ?? (await wide(call.signal))
    const response = await sendWith(call.held, hop, call)
    const required = call.escalated ? undefined : await missing(response, hop, call)
    if (required === undefined) {
      if (response.status === 401) forget(call.held)
      return response
    }
    call.escalated = true
    const used = call.held
    try {
      call.held = await escalate(required, used, hop, call.signal)
    } catch (error) {
      if (!(error instanceof EscalationRefusedError)) throw error
      observe?.({ step: 'refused', reason: error.reason, message: error.message })
      if (options.onRefusal === 'throw') throw error
      refusals.set(response, error)
      return response
    }
    tokens().remember(hop, required)
    discard(response)
    const second = await sendWith(call.held, hop, call)
    if (second.status === 401) forget(call.held)
    return second
  }

  const wide = async (signal?: AbortSignal): Promise<CachedToken> => ({
    token: await agent.token({ signal }),
    details: [],
    until: Number.POSITIVE_INFINITY,
  })

  const forget = (held: CachedToken): void => {
    tokens().forget(held)
    agent.forgetToken(held.token)
  }

  /** What the answer says is missing, if it says so in a way that can be understood. */
  const missing = async (
    response: Response,
    hop: Hop,
    call: Call,
  ): Promise<AuthorizationDetail | undefined> => {
    try {
      const details = await challengeOf(response, (read) =>
        withDeadline(placeOf(hop), agent.deadline, call.signal, read),
      )
      const held = call.held?.details ?? []
      const required = details?.find((detail) => !anyCovers(held, detail)) ?? details?.[0]
      if (required) observe?.({ step: 'challenged', request: placeOf(hop), required })
      return required
    } catch (error) {
      if (!(error instanceof MalformedChallenge)) throw error
      observe?.({ step: 'malformed', request: placeOf(hop), message: error.message })
      return undefined
    }
  }

  /** A token for the detail: another one that is held already, or a new one shared by all who ask. */
  const escalate = async (
    required: AuthorizationDetail,
    used: CachedToken,
    hop: Hop,
    signal?: AbortSignal,
  ): Promise<CachedToken> => {
    const request = { method: hop.method, url: new URL(hop.url) }
    if (!allows(required, request)) {
      throw new EscalationRefusedError(
        'not_allowed',
        required,
        `not asked for: ${describeDetail(required)} is beyond what this client may ask for`,
      )
    }
    if (anyCovers(used.details, required)) tokens().forget(used)
    const held = tokens().covering(required, agent.now())
    if (held !== undefined) return held
    const key = `${jit.taskId} ${canonical(required)}`
    return flights.run(key, (shared) => obtain(required, request, shared), signal)
  }

  const obtain = async (
    required: AuthorizationDetail,
    request: Challenged,
    signal: AbortSignal,
  ): Promise<CachedToken> => {
    const { ttl, limit } = options
    const { justification = `Required for ${placeOf(request)}` } = options
    try {
      const asked = await jit.requestPermission(required, {
        ttl,
        signal,
        justification:
          typeof justification === 'function' ? justification(required, request) : justification,
      })
      observe?.({
        step: 'requested',
        requestId: asked.request_id,
        status: asked.status,
        riskLevel: asked.risk_level,
      })
      const decided =
        asked.status === 'pending' ? await jit.waitForApproval(asked, { limit, signal }) : asked
      if (decided.status !== 'approved') throw createRefusal(decided, required)
      const start = agent.now()
      const token = await jit.getToken(decided, { signal })
      const held = {
        token: token.access_token,
        details: token.authorization_details ?? [required],
        until: start + token.expires_in - skew,
      }
      tokens().keep(held, agent.now())
      observe?.({ step: 'granted', requestId: decided.request_id, expiresIn: token.expires_in })
      return held
    } catch (error) {
      throw asRefusal(error, required)
    }
  }

  const sendWith = (held: CachedToken, hop: Hop, call: Call): Promise<Response> => {
    const headers = new Headers(hop.headers)
    headers.set('authorization', `Bearer ${held.token}`)
    return send({ ...hop, headers }, call, [held.token])
  }

  /** The deadline ends when the answer begins: a long body may take its time. */
  const send = (
    { url, ...request }: Hop,
    { rest, signal }: Call,
    secrets: readonly string[] = [],
  ): Promise<Response> => {
    const what = placeOf({ url, ...request })
    return withDeadline(what, agent.deadline, signal, async (signal) => {
      try {
        return await agent.fetch(url, {
          ...rest,
          ...request,
          body: request.body ?? null,
          redirect: 'manual',
          signal,
        })
      } catch (cause) {
        throw new NetworkError(`${what}: could not be reached`, { cause, secrets })
      }
    })
  }

  return async (input, init) => {
    const request = input instanceof Request ? input : undefined
    const url = URL.parse(request?.url ?? String(input))
    const headers = new Headers(init?.headers ?? request?.headers)
    if (url === null || !origins.has(url.origin) || headers.has('authorization')) {
      return agent.fetch(input, init)
    }
    const signal = init?.signal ?? request?.signal
    const given = init?.body === undefined ? request?.body : init.body
    const body = await makeReplayable(given, bodyLimit, signal)
    const method = normalizeMethod(init?.method ?? request?.method ?? 'GET')
    return follow(
      { url, method, headers, body },
      {
        rest: { ...(request && settingsOf(request)), ...withoutBody(init) },
        redirect: init?.redirect ?? request?.redirect ?? 'follow',
        signal,
        escalated: false,
        left: false,
      },
    )
  }
}

/** What a call remembers on its way. */
type Call = {
  readonly rest: RequestInit
  readonly redirect: NonNullable<RequestInit['redirect']>
  readonly signal: AbortSignal | undefined
  escalated: boolean
  /** It was redirected to another origin, and gets no token any more. */
  left: boolean
  held?: CachedToken
}

const refusals = new WeakMap<Response, EscalationRefusedError>()

const originsOf = (urls: readonly string[]): ReadonlySet<string> => {
  const origins = urls.map((url) => {
    const parsed = URL.parse(url)
    if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
      throw new ConfigError(`not an http(s) origin: ${JSON.stringify(url)}`)
    }
    return parsed.origin
  })
  if (origins.length === 0) {
    throw new ConfigError('no origins: say where tokens may go with the option `origins`')
  }
  return new Set(origins)
}

/** Methods the Fetch standard writes in upper case, whatever the caller wrote. */
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

const discard = (response: Response): void => {
  response.body?.cancel().catch(() => undefined)
}

/**
 * The details of a challenge, from the headers or a JSON body. The body stays readable, and is read
 * to its end when short, so that the answer can wait for an approval without its connection.
 */
const challengeOf = async (
  response: Response,
  bounded: <T>(read: (signal: AbortSignal) => Promise<T>) => Promise<T>,
): Promise<readonly AuthorizationDetail[] | undefined> => {
  if (response.status !== 401 && response.status !== 403) return undefined
  const named = readChallenge(response.status, response.headers)
  const isJson = /^application\/(?:[\w.-]+\+)?json\b/i.test(
    response.headers.get('content-type') ?? '',
  )
  const inBody = named === undefined && response.status === 403 && isJson
  if (named === undefined && !inBody) return undefined
  const body = await bounded((signal) => readBeginning(response, signal)).catch(undefinedUnlessLate)
  const details = named ?? readChallengeBody(parseJson(body))
  if (details?.some((detail) => isDeeper(detail, deepest))) {
    throw new MalformedChallenge(`the challenge is nested deeper than ${deepest} levels`)
  }
  return details
}

const longestBody = 64 * 1024
const deepest = 16

/** The whole body if it is short; the response itself can still be read. */
const readBeginning = async (
  response: Response,
  signal: AbortSignal,
): Promise<string | undefined> => {
  const reader = response.clone().body?.getReader()
  const decoder = new TextDecoder()
  const stop = () => void reader?.cancel().catch(() => undefined)
  signal.addEventListener('abort', stop, { once: true })
  try {
    let text = ''
    let length = 0
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true }
      if (done || value === undefined) return text + decoder.decode()
      length += value.byteLength
      if (length > longestBody) {
        stop()
        return undefined
      }
      text += decoder.decode(value, { stream: true })
    }
  } catch {
    return undefined
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

const undefinedUnlessLate = (error: unknown): undefined => {
  if (error instanceof LumoAuthError && error.code === 'deadline_exceeded') return undefined
  throw error
}

const parseJson = (text: string | undefined): unknown => {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1)))

const describeDetail = ({ type, actions = [], identifier = '' }: AuthorizationDetail): string =>
  [type, actions.join(', '), identifier].filter(Boolean).join(' ').slice(0, 200)

type Decided = Awaited<ReturnType<JitContext['waitForApproval']>>

const createRefusal = (decided: Decided, required: AuthorizationDetail): EscalationRefusedError => {
  const reason = decided.review_notes ?? decided.deny_reason ?? decided.message
  const status =
    decided.status === 'expired' || decided.status === 'revoked' ? decided.status : 'denied'
  return new EscalationRefusedError(
    status,
    required,
    `${describeDetail(required)} was ${status === 'denied' ? decided.status : status}${reason ? `: ${reason.slice(0, 500)}` : ''}`,
  )
}

/** Refusals end the escalation; anything else is trouble the caller must hear of. */
const asRefusal = (error: unknown, required: AuthorizationDetail): unknown => {
  if (error instanceof ApprovalTimeoutError) {
    return new EscalationRefusedError(
      'timeout',
      required,
      `${describeDetail(required)} was not decided within ${error.limit} s`,
      { cause: error },
    )
  }
  if (error instanceof ApiError && error.status < 500 && error.status !== 401) {
    return new EscalationRefusedError(
      'issuer',
      required,
      `${describeDetail(required)} was refused: ${error.description ?? error.serverCode ?? error.status}`,
      { cause: error },
    )
  }
  return error
}
