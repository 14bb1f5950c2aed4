import { z } from 'zod'
import type { IntrospectionView } from '../api/revocation.ts'
import { InvalidToken } from '../signing/invalid-token.ts'
import { createKeySet, type FindKeys } from '../signing/key-set.ts'
import { encodeBasic } from '../wire/basic-credentials.ts'
import { AuthorizationDetail } from '../wire/index.ts'
import { mostAnswerValues, readJson } from '../wire/json.ts'
import { longestAnswer, readText } from '../wire/read-text.ts'

export type RemoteIssuerOptions = Readonly<{
  /** Base URL of the tenant, `…/t/acme/api/v1` or `…/orgs/acme/api/v1`. The metadata are below it. */
  tenant: string
  /** Allowed values of `issuer` in the metadata (RFC 8414 §3.3). */
  issuers: readonly string[]
  /** Client credentials for introspection. */
  client?: Readonly<{ clientId: string; clientSecret: string }> | undefined
  fetch: typeof globalThis.fetch
  /** Epoch seconds. */
  now: () => number
  /** Minimum seconds between two fetches of the keys because of an unknown `kid`. */
  coolDown: number
  /** Seconds for which fetched keys are cached; a withdrawn key is accepted no longer than that. */
  keysLifetime: number
  /** Timeout for an answer, in milliseconds. */
  timeout: number
  /** Resolves after the given seconds. Default: in real time. */
  pause?: (seconds: number) => Promise<unknown>
}>

/** A remote issuer: its metadata, its keys, its introspection. */
export class RemoteIssuer {
  readonly #options: RemoteIssuerOptions
  /** Allowed schemes of the endpoints in the metadata: not weaker than the tenant's own. */
  readonly #schemes: readonly string[]
  #metadata: Metadata | undefined
  /** The last valid key set; undefined before the first fetch. */
  #keys: FindKeys | undefined
  /** The key set as text: unchanged keys are not imported again. */
  #published: string | undefined
  #fetchedAt = Number.NEGATIVE_INFINITY
  #triedAt = Number.NEGATIVE_INFINITY
  #failure: unknown
  /** Number of fetches begun, and how many of these had ended when the last one ended. */
  #begun = 0
  #ended = 0
  /** A running fetch. */
  #refreshing: Promise<void> | undefined
  /** A fetch scheduled for the end of the cool-down. */
  #next: Promise<void> | undefined

  /** @throws {TypeError} for a tenant URL that is not http or https */
  constructor(options: RemoteIssuerOptions) {
    const url = URL.parse(options.tenant)
    if (url === null || !/^https?:$/.test(url.protocol)) {
      throw new TypeError(`tenant: expected an http or https URL, received "${options.tenant}"`)
    }
    this.#options = options
    this.#schemes = url.protocol === 'http:' ? ['http:', 'https:'] : ['https:']
  }

  /**
   * Fetches keys on first use and when they are too old. An unknown `kid` triggers a fetch, immediately
   * or at the end of the cool-down (JWT-08), so invented names do not flood the issuer, and the token
   * of a new key is not rejected. After a failed fetch the last valid keys stay. Rejects with an error
   * other than `InvalidToken` while the issuer's keys are not available.
   */
  readonly findKeys: FindKeys = async (header) => {
    const begunBefore = this.#begun
    for (;;) {
      const keys = this.#freshKeys ?? (await this.#firstKeys())
      try {
        return await keys(header)
      } catch (failed) {
        const isUnknown = failed instanceof InvalidToken && failed.reason === 'unknown_key'
        if (!isUnknown || this.#ended > begunBefore) throw failed
        const fetched = this.#refreshing ?? this.#refreshSoon()
        if (fetched === undefined) throw failed
        await fetched.catch(() => {})
      }
    }
  }

  /** Introspection (RFC 7662 §2.1). Rejects when the issuer gives no valid answer. */
  readonly introspect = async (token: string): Promise<IntrospectionView> => {
    const { clientId, clientSecret } = this.#options.client ?? missingClient()
    const { introspection_endpoint: endpoint } = await this.#discovered()
    if (endpoint === undefined) throw new TypeError('the issuer has no introspection endpoint')
    return IntrospectionAnswer.parse(
      await this.#json(endpoint, {
        method: 'POST',
        headers: {
          authorization: encodeBasic({ id: clientId, secret: clientSecret }),
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
      }),
    )
  }

  /** Undefined when keys were never fetched, or too long ago. */
  get #freshKeys(): FindKeys | undefined {
    const { now, keysLifetime } = this.#options
    return now() < this.#fetchedAt + keysLifetime ? this.#keys : undefined
  }

  async #firstKeys(): Promise<FindKeys> {
    const isPaused = this.#options.now() < this.#triedAt + pauseAfterFailure
    if (isPaused && this.#refreshing === undefined && this.#failure !== undefined) {
      throw this.#failure
    }
    await this.#refresh()
    return this.#keys as FindKeys
  }

  /** Fetches at the end of the cool-down; undefined when that takes longer than a request may wait. */
  #refreshSoon(): Promise<void> | undefined {
    const { now, coolDown, pause = realPause } = this.#options
    const left = this.#triedAt + coolDown - now()
    if (left <= 0) return this.#refresh()
    if (left > longestPause) return undefined
    this.#next ??= pause(left).then(() => {
      this.#next = undefined
      return this.#refresh()
    })
    return this.#next
  }

  #refresh(): Promise<void> {
    this.#refreshing ??= this.#fetchKeys().finally(() => {
      this.#refreshing = undefined
      this.#ended = this.#begun
    })
    return this.#refreshing
  }

  async #fetchKeys() {
    this.#begun++
    this.#triedAt = this.#options.now()
    try {
      const { jwks_uri: uri } = await this.#discovered()
      const { keys } = RemoteJwks.parse(await this.#json(uri))
      const published = JSON.stringify(keys)
      if (published !== this.#published) this.#keys = createKeySet(keys)
      this.#published = published
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
      throw new TypeError(
        `issuer in the metadata: expected ${issuers.join(' or ')}, received ${metadata.issuer}`,
      )
    }
    this.#requireScheme('jwks_uri', metadata.jwks_uri)
    this.#requireScheme('introspection_endpoint', metadata.introspection_endpoint)
    this.#metadata = metadata
    return metadata
  }

  #requireScheme(name: string, url: string | undefined): void {
    if (url === undefined || this.#schemes.includes(new URL(url).protocol)) return
    throw new TypeError(
      `${name} in the metadata: expected ${this.#schemes.join(' or ')}, received ${url.slice(0, 200)}`,
    )
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
    const text = await readText(answer)
    if (text === undefined) throw new TypeError(`${url} answered more than ${longestAnswer} bytes`)
    return readJson(text, { mostValues: mostAnswerValues })
  }
}

/** Seconds between attempts while there are no keys. */
const pauseAfterFailure = 1

/** Seconds that a request waits for the next allowed fetch of keys. */
const longestPause = 1

const realPause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))

const Metadata = z.looseObject({
  issuer: z.string(),
  jwks_uri: z.url(),
  introspection_endpoint: z.url().optional(),
})
type Metadata = z.infer<typeof Metadata>

/** Skips keys that cannot be used. */
const RemoteJwks = z.object({ keys: z.array(z.record(z.string(), z.unknown())).max(100) })

/** A remote issuer may omit more members than ours (RFC 7662 §2.2). */
const IntrospectionAnswer = z.looseObject({
  active: z.boolean(),
  jti: z.string().optional(),
  exp: z.number().optional(),
  scope: z.string().optional(),
  authorization_details: z.array(AuthorizationDetail).optional(),
})

const missingClient = () => {
  throw new TypeError('introspection needs client credentials')
}
