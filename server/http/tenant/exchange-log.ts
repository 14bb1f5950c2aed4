import { setImmediate } from 'node:timers/promises'
import { maskKnown, type SecretHashes } from '../../signing/known-secrets.ts'
import { peekJwt } from '../../signing/peek.ts'
import type { DecodedToken, Exchange, Exchanges, RouteName, Seat } from '../../wire/index.ts'
import { jwtsIn } from '../../wire/jwt-shape.ts'
import { firstPage, placeAfter } from '../../wire/log-page.ts'
import { sizeOf } from '../../wire/size-of.ts'
import { violationsOf } from '../../wire/violations.ts'
import type { Answer, HttpRequest } from '../message.ts'
import { encodeAnswer } from '../message.ts'
import { mask, maskHeaders } from './mask.ts'

/** Limits on the stored exchanges of a tenant. */
export type ExchangeLogLimits = Readonly<{
  /** Minimum number of stored exchanges; there are at most twice as many. Default 1000. */
  exchanges?: number | undefined
  /** Maximum bytes of all stored requests and answers. Default 16 MiB. */
  bytes?: number | undefined
  /** Maximum stored bytes of one body; the rest is cut off. Default 64 KiB. */
  bodyBytes?: number | undefined
}>

const defaults = { exchanges: 1000, bytes: 16 * 1024 * 1024, bodyBytes: 64 * 1024 }

type Recorded = Readonly<{
  at: number
  seat: Exclude<Seat, 'control'>
  route: RouteName
  request: HttpRequest
  answer: Answer
  /** `seq` of the newest journal entry before the exchange began, and after it ended. */
  meanwhile: readonly [number, number]
}>

/** The recorded requests and answers of a tenant. Recording is cheap: secrets are masked on reading. */
export class ExchangeLog {
  forgotten = 0
  readonly #recorded: Kept[] = []
  /** Cache of exchanges that are already masked, checked and decoded. */
  readonly #shown = new WeakMap<Kept, Exchange>()
  readonly #limits: typeof defaults
  readonly #secrets: () => SecretHashes
  #bytes = 0

  /** @param secrets the secrets of the tenant, which are masked wherever they occur */
  constructor(
    {
      exchanges = defaults.exchanges,
      bytes = defaults.bytes,
      bodyBytes = defaults.bodyBytes,
    }: ExchangeLogLimits = {},
    secrets: () => SecretHashes = () => new Set(),
  ) {
    this.#limits = { exchanges, bytes, bodyBytes }
    this.#secrets = secrets
  }

  get last(): number {
    return this.forgotten + this.#recorded.length
  }

  record(recorded: Recorded): void {
    const kept = toKept(recorded, this.#limits.bodyBytes)
    this.#recorded.push(kept)
    this.#bytes += kept.bytes
    const { length } = this.#recorded
    const { exchanges, bytes } = this.#limits
    if (length >= 2 * exchanges) this.#forget(length - exchanges)
    else if (this.#bytes > bytes) this.#forget(Math.ceil(length / 2))
  }

  /** The exchanges after a `seq`, oldest first, with secrets masked. */
  after(seq: number): Exchange[] {
    return this.#recorded
      .slice(Math.max(0, seq - this.forgotten))
      .map(this.#showFrom(Math.max(seq, this.forgotten)))
  }

  /** All stored exchanges, oldest first. Yields to other requests between two pages. */
  async all(): Promise<Exchange[]> {
    for (let next = 0, more = true; more; ) ({ next, more = false } = await this.#nextPage(next))
    await setImmediate()
    return this.after(0)
  }

  async #nextPage(seq: number): Promise<Exchanges> {
    await setImmediate()
    return this.pageAfter(seq)
  }

  /** The first page of exchanges after a `seq`. */
  pageAfter(seq: number): Exchanges {
    const from = Math.max(0, seq - this.forgotten)
    const page = firstPage(this.#recorded.slice(from), ({ bytes }) => bytes)
    const exchanges = page.map(this.#showFrom(this.forgotten + from))
    return {
      exchanges,
      ...placeAfter(exchanges, from + page.length >= this.#recorded.length, this),
    }
  }

  clear(): void {
    this.#forget(this.#recorded.length)
  }

  #forget(count: number): void {
    this.forgotten += count
    for (const { bytes } of this.#recorded.splice(0, count)) this.#bytes -= bytes
  }

  #showFrom(seq: number): (kept: Kept, at: number) => Exchange {
    const secrets = this.#secrets()
    return (kept, at) => {
      const before = this.#shown.get(kept)
      if (before) return before
      const exchange = toExchange(kept, seq + at + 1, secrets)
      this.#shown.set(kept, exchange)
      return exchange
    }
  }
}

/** The stored form of an exchange, and its approximate size in bytes. */
type Kept = Recorded &
  Readonly<{
    bytes: number
    /** Violations of an answer whose stored body is truncated. */
    violations?: string[]
  }>

const toKept = (recorded: Recorded, most: number): Kept => {
  const { route, request, answer } = recorded
  const bodies = [request.body.length, sizeOf(answer.body)]
  const others = sizeOf([request.path, request.headers, answer.headers]) + request.query.size * 32
  const kept = {
    ...recorded,
    bytes: overhead + others + bodies.reduce((sum, bytes) => sum + Math.min(bytes, most), 0),
    ...(request.body.length > most
      ? { request: { ...request, body: cut(request.body, most) } }
      : {}),
  }
  if (sizeOf(answer.body) <= most) return kept
  const { headers, body } = encodeAnswer(answer)
  const violations = messagesOf(route, answer)
  return { ...kept, answer: { ...answer, headers, body: cut(body ?? '', most) }, violations }
}

/** Where an answer violates the schema of its route. */
const messagesOf = (route: RouteName, { status, body }: Answer): string[] =>
  status >= 400 ? [] : violationsOf(route, status, body).map(({ message }) => message)

/** Approximate overhead of one exchange, in bytes. */
const overhead = 512

/** A copy, because a slice would keep the whole text in memory. */
const cut = (body: string, most: number): string =>
  Buffer.from(`${body.slice(0, most)}… (${body.length - most} characters more)`).toString()

const toExchange = (
  { at, seat, route, request, answer, violations, meanwhile }: Kept,
  seq: number,
  secrets: SecretHashes,
): Exchange => {
  const { headers, body } = encodeAnswer(answer)
  const maskText = (text: string) => maskKnown(mask(text), secrets)
  const maskFields = (fields: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(maskHeaders(fields)).map(([name, value]) => [name, maskKnown(value, secrets)]),
    )
  const query = request.query.toString()
  return {
    seq,
    at,
    seat,
    route,
    request: {
      method: request.method,
      path: maskText(query === '' ? request.path : `${request.path}?${query}`),
      headers: maskFields(request.headers),
      body: maskText(request.body),
    },
    answer: {
      status: answer.status,
      headers: maskFields(headers),
      body: maskText(body ?? ''),
      ...(answer.fault === undefined ? {} : { fault: answer.fault }),
    },
    violations: violations ?? messagesOf(route, answer),
    tokens: [
      ...tokensIn('request', request.headers.authorization),
      ...tokensIn('request', request.body),
      ...tokensIn('answer', body ?? ''),
    ],
    meanwhile: [...meanwhile],
  }
}

/** Each JWT in a text, without its signature, with the name of its field. */
const tokensIn = (side: string, text = ''): DecodedToken[] =>
  jwtsIn(text).flatMap(({ at, jwt }) => {
    const before = text.slice(Math.max(0, at - 64), at)
    const name = /([\w-]+)"?\s*[:=]\s*"?$/.exec(before)?.[1] ?? 'authorization'
    const peeked = peekJwt(jwt)
    return peeked === undefined ? [] : [{ where: `${side} ${name}`, ...peeked }]
  })
