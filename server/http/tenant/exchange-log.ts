import { peekJwt } from '../../signing/peek.ts'
import type { DecodedToken, Exchange, RouteName, Seat } from '../../wire/index.ts'
import { jwtsIn } from '../../wire/jwt-shape.ts'
import type { Answer, HttpRequest } from '../message.ts'
import { encodeAnswer } from '../message.ts'
import { mask, maskHeaders } from './mask.ts'
import { violationsOf } from './violations.ts'

/** The newest exchanges a tenant keeps, and the most characters of their requests together. */
const kept = 1000
const mostCharacters = 16 * 1024 * 1024

type Recorded = Readonly<{
  at: number
  seat: Exclude<Seat, 'control'>
  route: RouteName
  request: HttpRequest
  answer: Answer
  /** The newest journal entry before the exchange began, and when it was over. */
  meanwhile: readonly [number, number]
}>

/** The recorded requests and answers of a tenant. Recording is cheap: masking waits for a reader. */
export class ExchangeLog {
  forgotten = 0
  readonly #recorded: Recorded[] = []
  /** What has been shown once need not be masked, checked and decoded again. */
  readonly #shown = new WeakMap<Recorded, Exchange>()
  readonly #keep: number
  readonly #most: number
  #characters = 0

  constructor(keep = kept, most = mostCharacters) {
    this.#keep = keep
    this.#most = most
  }

  get last(): number {
    return this.forgotten + this.#recorded.length
  }

  record(recorded: Recorded): void {
    this.#recorded.push(recorded)
    this.#characters += recorded.request.body.length
    const { length } = this.#recorded
    if (length >= 2 * this.#keep) this.#forget(length - this.#keep)
    if (this.#characters > this.#most) this.#forget(Math.ceil(length / 2))
  }

  /** What came after an exchange, oldest first, secrets masked. */
  after(seq: number): Exchange[] {
    const from = Math.max(0, seq - this.forgotten)
    return this.#recorded.slice(from).map((recorded, at) => {
      const before = this.#shown.get(recorded)
      if (before) return before
      const exchange = toExchange(recorded, this.forgotten + from + at + 1)
      this.#shown.set(recorded, exchange)
      return exchange
    })
  }

  clear(): void {
    this.#forget(this.#recorded.length)
  }

  #forget(count: number): void {
    this.forgotten += count
    for (const { request } of this.#recorded.splice(0, count)) {
      this.#characters -= request.body.length
    }
  }
}

const toExchange = (
  { at, seat, route, request, answer, meanwhile }: Recorded,
  seq: number,
): Exchange => {
  const { headers, body } = encodeAnswer(answer)
  const query = request.query.toString()
  return {
    seq,
    at,
    seat,
    route,
    request: {
      method: request.method,
      path: mask(query === '' ? request.path : `${request.path}?${query}`),
      headers: maskHeaders(request.headers),
      body: mask(request.body),
    },
    answer: {
      status: answer.status,
      headers: maskHeaders(headers),
      body: mask(body ?? ''),
      ...(answer.fault === undefined ? {} : { fault: answer.fault }),
    },
    violations: violationsOf(route, answer.status, answer.body),
    tokens: [
      ...tokensIn('request', request.headers.authorization),
      ...tokensIn('request', request.body),
      ...tokensIn('answer', body ?? ''),
    ],
    meanwhile: [...meanwhile],
  }
}

/** Each JWT in a text, with the name it stands under, and without its signature. */
const tokensIn = (side: string, text = ''): DecodedToken[] =>
  jwtsIn(text).flatMap(({ at, jwt }) => {
    const before = text.slice(Math.max(0, at - 64), at)
    const name = /([\w-]+)"?\s*[:=]\s*"?$/.exec(before)?.[1] ?? 'authorization'
    const peeked = peekJwt(jwt)
    return peeked === undefined ? [] : [{ where: `${side} ${name}`, ...peeked }]
  })
