import { z } from 'zod'
import type { IntrospectionView } from '../api/revocation.ts'
import { importPublicKey, type VerificationKey } from '../signing/keys.ts'
import { AuthorizationDetail } from '../wire/index.ts'

export type RemoteIssuerOptions = Readonly<{
  /** Base URL of the tenant, `…/t/acme/api/v1` or `…/orgs/acme/api/v1`: below it are the metadata. */
  tenant: string
  /** What the metadata may call themselves (RFC 8414 §3.3). */
  issuers: readonly string[]
  /** Who introspects. */
  client?: Readonly<{ clientId: string; clientSecret: string }> | undefined
  fetch: typeof globalThis.fetch
  /** Epoch seconds. */
  now: () => number
  /** Seconds between two fetches of the keys that an unknown `kid` may cause. */
  coolDown: number
  /** Seconds for which fetched keys are believed; a withdrawn key is good for no longer. */
  keysLifetime: number
  /** Milliseconds to wait for an answer. */
  timeout: number
}>

/** An issuer at the other end of the network: its metadata, its keys, its introspection. */
export class RemoteIssuer {
  readonly #options: RemoteIssuerOptions
  #metadata: Metadata | undefined
  #keys: ReadonlyMap<string, VerificationKey> = new Map()
  #fetchedAt = Number.NEGATIVE_INFINITY
  #triedAt = Number.NEGATIVE_INFINITY
  #failure: unknown
  #refreshing: Promise<void> | undefined

  constructor(options: RemoteIssuerOptions) {
    this.#options = options
  }

  /**
   * The key of this name. Keys are fetched when first needed and when they are too old; a name that
   * is not among them fetches anew, but at most once per cool-down, whoever makes names up (JWT-08).
   * Rejects while the issuer's keys cannot be had.
   */
  readonly key = async (kid: string): Promise<VerificationKey | undefined> => {
    const { now, keysLifetime, coolDown } = this.#options
    const isFresh = now() < this.#fetchedAt + keysLifetime
    const known = isFresh ? this.#keys.get(kid) : undefined
    if (known !== undefined) return known
    const pause = isFresh ? coolDown : Math.min(coolDown, pauseAfterFailure)
    const isPaused = this.#refreshing === undefined && now() < this.#triedAt + pause
    if (isPaused && isFresh) return undefined
    if (isPaused && this.#failure !== undefined) throw this.#failure
    try {
      await this.#refresh()
    } catch (failure) {
      if (!isFresh) throw failure
    }
    return this.#keys.get(kid)
  }

  /** RFC 7662 §2.1. Rejects unless the issuer gives an answer that can be understood. */
  readonly introspect = async (token: string): Promise<IntrospectionView> => {
    const { clientId, clientSecret } = this.#options.client ?? missingClient()
    const { introspection_endpoint: endpoint } = await this.#discovered()
    if (endpoint === undefined) throw new TypeError('the issuer has no introspection endpoint')
    const credentials = [clientId, clientSecret].map(formEncoded).join(':')
    return IntrospectionAnswer.parse(
      await this.#json(endpoint, {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
      }),
    )
  }

  #refresh(): Promise<void> {
    this.#refreshing ??= this.#fetchKeys().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  async #fetchKeys() {
    this.#triedAt = this.#options.now()
    try {
      const { jwks_uri: uri } = await this.#discovered()
      const { keys } = RemoteJwks.parse(await this.#json(uri))
      const usable = keys.map(importPublicKey).filter((key) => key !== undefined)
      this.#keys = new Map(usable.map((key) => [key.kid, key]))
      this.#fetchedAt = this.#triedAt
      this.#failure = undefined
    } catch (failure) {
      this.#failure = failure
      this.#metadata = undefined
      throw failure
    }
  }

  async #discovered(): Promise<Metadata> {
    if (this.#metadata !== undefined) return this.#metadata
    const { tenant, issuers } = this.#options
    const base = tenant.replace(/\/+$/, '')
    const metadata = Metadata.parse(
      await this.#json(`${base}/.well-known/oauth-authorization-server`),
    )
    if (!issuers.includes(metadata.issuer)) {
      throw new TypeError(`the metadata are of ${metadata.issuer}, not of ${issuers.join(' or ')}`)
    }
    this.#metadata = metadata
    return metadata
  }

  async #json(url: string, request: RequestInit = {}): Promise<unknown> {
    const { fetch, timeout } = this.#options
    const answer = await fetch(url, {
      ...request,
      headers: { accept: 'application/json', ...request.headers },
      redirect: 'error',
      signal: AbortSignal.timeout(timeout),
    })
    if (!answer.ok) throw new TypeError(`${url} answered ${answer.status}`)
    return answer.json()
  }
}

/** Without any keys, seconds until the issuer is tried again. */
const pauseAfterFailure = 1

const Metadata = z.looseObject({
  issuer: z.string(),
  jwks_uri: z.url(),
  introspection_endpoint: z.url().optional(),
})
type Metadata = z.infer<typeof Metadata>

/** Keys we cannot use are somebody else's; they do not spoil ours. */
const RemoteJwks = z.object({ keys: z.array(z.record(z.string(), z.unknown())).max(100) })

/** More than our own issuer promises may be missing (RFC 7662 §2.2). */
const IntrospectionAnswer = z.looseObject({
  active: z.boolean(),
  jti: z.string().optional(),
  exp: z.number().optional(),
  scope: z.string().optional(),
  authorization_details: z.array(AuthorizationDetail).optional(),
})

/** RFC 6749 §2.3.1 encodes both before Basic joins them. */
const formEncoded = (text: string) => new URLSearchParams([['', text]]).toString().slice(1)

const missingClient = () => {
  throw new TypeError('introspection needs client credentials')
}
