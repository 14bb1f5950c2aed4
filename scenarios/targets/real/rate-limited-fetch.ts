import { setTimeout as sleep } from 'node:timers/promises'
import { cloneMessage } from '../../../server/wire/clone-message.ts'
import { SkipScenario } from '../../language/target.ts'
import { Unreachable, unreachableBy } from './unreachable.ts'

export type RateLimitedFetchOptions = Readonly<{
  /** Allowed origins, or hosts (with port), which are allowed over https. */
  hosts: ReadonlySet<string>
  perMinute: number
  /** Maximum number of requests. */
  total: number
  /** Timeout of an answer, and longest wait for a rate limit, in seconds. */
  timeout: number
  wait: number
  /** Aborts running reads. Afterwards only `urgent` requests are sent. */
  signal: AbortSignal
  /** Called with the seconds of a wait of two seconds or more, once for each. */
  onWait?: (seconds: number) => void
  fetch?: typeof globalThis.fetch
}>

/** Maximum bytes read of an answer, far above every answer of the contract. */
export const longestAnswer = 2 * 1024 * 1024

/**
 * A `fetch` with limits: only allowed hosts, a rate limit, and Retry-After is obeyed. Does not
 * follow redirects or read unlimited bodies.
 */
export class RateLimitedFetch {
  /** Number of requests sent, and of those for cleaning up. */
  sent = 0
  urgent = 0
  /** Seconds spent waiting, for the rate limit and for `Retry-After`. */
  waited = 0
  readonly #options: RateLimitedFetchOptions
  readonly #fetch: typeof globalThis.fetch
  /** Times of the latest requests, as many as a minute may have. */
  readonly #times: number[] = []
  #quietUntil = 0
  #waitedUntil = 0

  constructor(options: RateLimitedFetchOptions) {
    this.#options = options
    this.#fetch = options.fetch ?? globalThis.fetch
  }

  /** @throws {SkipScenario} at a limit, @throws {Unreachable} where there is no answer */
  readonly fetch: typeof fetch = (input, init) => this.send(new Request(input, init))

  /** @param urgent a cleaning-up request, exempt from the total and from interruption */
  async send(request: Request, { urgent = false } = {}): Promise<Response> {
    const { hosts, total, signal } = this.#options
    const { protocol, origin, host } = new URL(request.url)
    const name = protocol === 'https:' ? host : origin
    if (!hosts.has(origin) && !hosts.has(name)) {
      throw new SkipScenario(
        `${name} is not a host of this target; add hosts: [${name}] to allow it`,
      )
    }
    for (let attempt = 1; ; attempt++) {
      if (!urgent && signal.aborted) throw new SkipScenario('interrupted')
      if (!urgent && this.sent - this.urgent >= total) {
        throw new SkipScenario(`the limit of ${total} requests is reached`)
      }
      this.sent += 1
      if (urgent) this.urgent += 1
      await this.#turn(urgent)
      const response = await this.#once(cloneMessage(request), urgent)
      const later = retryAfterOf(response)
      if (later === undefined || attempt === 3 || later > this.#options.wait) return response
      this.#quietUntil = Math.max(this.#quietUntil, performance.now() + later * 1000)
    }
  }

  /** Waits until the rate limit allows the request. */
  async #turn(urgent: boolean) {
    const { perMinute } = this.#options
    const now = performance.now()
    const oldest = this.#times.length < perMinute ? undefined : this.#times.shift()
    const at = Math.max(now, (oldest ?? Number.NEGATIVE_INFINITY) + 60_000, this.#quietUntil)
    this.#times.push(at)
    if (at <= now) return
    if (at - now >= 2000 && at - this.#waitedUntil >= 2000) {
      this.#options.onWait?.(Math.round((at - now) / 1000))
    }
    this.waited += Math.max(0, at - Math.max(now, this.#waitedUntil)) / 1000
    this.#waitedUntil = Math.max(this.#waitedUntil, at)
    await waitUnlessInterrupted(at - now, urgent ? undefined : this.#options.signal)
  }

  async #once(request: Request, urgent: boolean): Promise<Response> {
    const { timeout, signal } = this.#options
    const given = request.signal
    const late = AbortSignal.timeout(timeout * 1000)
    try {
      const response = await this.#fetch(request, {
        redirect: 'manual',
        signal: AbortSignal.any([given, late, ...(urgent || isWrite(request) ? [] : [signal])]),
      })
      return await readWhole(response, new URL(request.url).host)
    } catch (error) {
      if (error instanceof Unreachable) throw error
      if (!urgent && signal.aborted) throw new SkipScenario('interrupted')
      throw unreachableBy(error, request.url, timeout)
    }
  }
}

/** Its answer names what must be cleaned up, so it is awaited even after an interruption. */
const isWrite = ({ method }: Request) => method !== 'GET'

/** Seconds from Retry-After (RFC 9110 §10.2.3). */
const retryAfterOf = ({ status, headers }: Response): number | undefined => {
  const after = headers.get('retry-after')
  if ((status !== 429 && status !== 503) || after === null) return undefined
  const seconds = Number(after)
  const until = Number.isFinite(seconds) ? seconds : (Date.parse(after) - Date.now()) / 1000
  return Number.isFinite(until) ? Math.max(0, until) : undefined
}

/** The answer with its body already read. */
const readWhole = async (response: Response, host: string): Promise<Response> => {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > longestAnswer) {
      throw new Unreachable(
        `${host} answered with more than ${longestAnswer / 1024 / 1024} MiB; the rest was not read`,
      )
    }
    chunks.push(chunk)
  }
  const body = [101, 204, 205, 304].includes(response.status) ? null : Buffer.concat(chunks)
  return new Response(body, { status: response.status, headers: response.headers })
}

/** @throws {SkipScenario} when the signal aborts */
export const waitUnlessInterrupted = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
  sleep(milliseconds, undefined, { signal }).catch(() => {
    throw new SkipScenario('interrupted')
  })
