import {
  type AuthorizationDetail,
  anyCovers,
  canonical,
} from '../server/wire/authorization-detail.ts'
import type { Challenged } from './allow.ts'
import { ApprovalPendingError, EscalationRefusedError } from './errors.ts'
import { asRefusal, refuseDecided, refuseNotAllowed } from './escalation-refusal.ts'
import type { Escalating, JitFetchSettings } from './jit-fetch-options.ts'
import { type Hop, placeOf } from './redirect.ts'
import { SingleFlight } from './single-flight.ts'
import { type CachedToken, type Place, TokenCache } from './token-cache.ts'

/** The tokens of a task, each for one origin, and how to obtain another one. */
export class Escalator {
  readonly #jit: Escalating
  readonly #settings: JitFetchSettings
  readonly #flights = new SingleFlight<CachedToken>()
  #cache = new TokenCache()
  /** The messages of this task's denials, by the canonical text of the detail. */
  #denied = new Map<string, string>()
  #cacheOf: string | undefined

  constructor(jit: Escalating, settings: JitFetchSettings) {
    this.#jit = jit
    this.#settings = settings
    this.#cacheOf = jit.taskId
  }

  /** The JIT token for what was last required at this method, origin and path. */
  heldFor(place: Place): CachedToken | undefined {
    return this.#tokens.heldFor(place, this.#jit.agent.now())
  }

  /**
   * The token for an origin that has not required anything yet: the wide token at its one origin, a token
   * for that origin alone at the others, or none where the issuer knows no resource indicators.
   */
  async baseToken(origin: string, signal?: AbortSignal): Promise<CachedToken | undefined> {
    const { wideTokenOrigin, resourceIndicators } = this.#settings
    const isWide = origin === wideTokenOrigin
    if (!isWide && !resourceIndicators) return undefined
    const token = await this.#jit.agent.token({
      ...(isWide ? {} : { resource: origin }),
      signal,
    })
    return { token, origin, details: [], until: Number.POSITIVE_INFINITY }
  }

  /** From now on, what is required there is this. */
  remember(place: Place, required: AuthorizationDetail): void {
    this.#tokens.remember(place, required)
  }

  forget(held: CachedToken): void {
    this.#tokens.forget(held)
    this.#jit.agent.forgetToken(held.token)
  }

  /**
   * A token for the detail: another one that is held already, or a new one shared by all who ask.
   * @param used the token that was not enough
   * @throws {EscalationRefusedError}
   */
  async escalate(
    required: AuthorizationDetail,
    used: CachedToken | undefined,
    { method, url }: Hop,
    signal?: AbortSignal,
  ): Promise<CachedToken> {
    const request = { method, url: new URL(url) }
    if (!(await this.#settings.allows(required, request))) throw refuseNotAllowed(required)
    signal?.throwIfAborted()
    if (used !== undefined && anyCovers(used.details, required)) this.#tokens.forget(used)
    const held = this.#tokens.covering(required, url.origin, this.#jit.agent.now())
    if (held !== undefined) return held
    const detail = canonical(required)
    const denial = this.#settings.askAgain ? undefined : this.#denied.get(detail)
    if (denial !== undefined) throw new EscalationRefusedError('denied', required, denial)
    const key = `${this.#jit.taskId} ${url.origin} ${detail}`
    return this.#flights.run(key, (shared) => this.#obtain(required, request, shared), signal)
  }

  /** Tokens and denials belong to one task. */
  get #tokens(): TokenCache {
    if (this.#cacheOf !== this.#jit.taskId) {
      this.#cache = new TokenCache()
      this.#denied = new Map()
    }
    this.#cacheOf = this.#jit.taskId
    return this.#cache
  }

  async #obtain(
    required: AuthorizationDetail,
    request: Challenged,
    signal: AbortSignal,
  ): Promise<CachedToken> {
    try {
      const requestId = await this.#approval(required, request, signal)
      return await this.#exchange(requestId, required, request.url.origin, signal)
    } catch (error) {
      const refusal = asRefusal(error, required)
      if (refusal instanceof EscalationRefusedError && refusal.reason === 'denied') {
        this.#denied.set(canonical(required), refusal.message)
      }
      throw refusal
    }
  }

  /** The id of a request that has been approved. */
  async #approval(
    required: AuthorizationDetail,
    request: Challenged,
    signal: AbortSignal,
  ): Promise<string> {
    const { limit, whenPending, observe } = this.#settings
    const asked =
      (await this.#jit.takeRequest(required, { signal })) ??
      (await this.#request(required, request, signal))
    const { request_id: requestId, status, risk_level: riskLevel } = asked
    observe({ step: 'requested', requestId, status, riskLevel })
    if (status === 'pending' && whenPending === 'throw') {
      this.#jit.keepRequest(requestId, required)
      throw new ApprovalPendingError(requestId, required)
    }
    const decided =
      status === 'pending' ? await this.#jit.waitForApproval(asked, { limit, signal }) : asked
    if (decided.status !== 'approved') throw refuseDecided(decided, required)
    return decided.request_id
  }

  async #request(required: AuthorizationDetail, request: Challenged, signal: AbortSignal) {
    const { ttl, justify } = this.#settings
    const justification = (await justify(required, request)) ?? `Required for ${placeOf(request)}`
    return this.#jit.requestPermission(structuredClone(required), { ttl, signal, justification })
  }

  /** The token of an approved request, for the origin that required it and no other. */
  async #exchange(
    requestId: string,
    required: AuthorizationDetail,
    origin: string,
    signal: AbortSignal,
  ): Promise<CachedToken> {
    const { skew, resourceIndicators, observe } = this.#settings
    const { now } = this.#jit.agent
    const start = now()
    const token = await this.#jit.getToken(requestId, {
      ...(resourceIndicators ? { resource: origin } : {}),
      signal,
    })
    const held = {
      token: token.access_token,
      origin,
      details: structuredClone(token.authorization_details ?? [required]),
      until: start + token.expires_in - skew,
    }
    this.#tokens.keep(held, now())
    observe({ step: 'granted', requestId, expiresIn: token.expires_in })
    return held
  }
}
