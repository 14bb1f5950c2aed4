import { type AuthorizationDetail, canonical, covers } from '../server/wire/authorization-detail.ts'

/** A token, its origin and its details. The agent's wide token has no details. */
export type CachedToken = Readonly<{
  token: string
  /** The only origin that receives the token: the one that required it. */
  origin: string
  details: readonly AuthorizationDetail[]
  /** Epoch seconds after which it is not used any more. */
  until: number
}>

/** The parts of a request that determine the required detail; the query does not. */
export type Place = Readonly<{ method: string; url: URL }>

/**
 * The JIT tokens of one task by origin and detail, and the detail last required at each place. A token
 * for one origin is never used for another (RES-07).
 */
export class TokenCache {
  readonly #tokens = new Map<string, CachedToken>()
  readonly #required = new Map<string, AuthorizationDetail>()

  /** The token for the detail last required here, if there is one. */
  heldFor(place: Place, now: number): CachedToken | undefined {
    const required = this.#required.get(keyOf(place))
    return required && this.covering(required, place.url.origin, now)
  }

  /** A token of this origin that is sufficient for the detail. */
  covering(required: AuthorizationDetail, origin: string, now: number): CachedToken | undefined {
    return this.#tokens
      .values()
      .find(
        (held) =>
          held.origin === origin &&
          now < held.until &&
          held.details.some((detail) => covers(detail, required)),
      )
  }

  keep(held: CachedToken, now: number): void {
    for (const [key, old] of this.#tokens) if (now >= old.until) this.#tokens.delete(key)
    if (now < held.until) {
      this.#tokens.set(`${held.origin} ${held.details.map(canonical).join()}`, held)
    }
  }

  forget(held: CachedToken): void {
    for (const [key, kept] of this.#tokens) if (kept === held) this.#tokens.delete(key)
  }

  remember(place: Place, required: AuthorizationDetail): void {
    const key = keyOf(place)
    this.#required.delete(key)
    this.#required.set(key, required)
    const [oldest] = this.#required.keys()
    if (this.#required.size > mostPlaces && oldest !== undefined) this.#required.delete(oldest)
  }
}

const mostPlaces = 1000

const keyOf = ({ method, url }: Place) => `${method.toUpperCase()} ${url.origin}${url.pathname}`
