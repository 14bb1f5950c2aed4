import type { Exchange, RouteName, Seat } from '../wire/index.ts'
import { encoded } from './fetch.ts'
import type { Answer, HttpRequest } from './message.ts'
import { violationsOf } from './parse.ts'

/** The newest exchanges a tenant keeps. */
const kept = 1000

type Recorded = Readonly<{
  at: number
  seat: Exclude<Seat, 'control'>
  route: RouteName
  request: HttpRequest
  answer: Answer
}>

/** The recorded requests and answers of a tenant. Recording is cheap: masking waits for a reader. */
export class ExchangeLog {
  forgotten = 0
  readonly #recorded: Recorded[] = []
  readonly #keep: number

  constructor(keep = kept) {
    this.#keep = keep
  }

  get last(): number {
    return this.forgotten + this.#recorded.length
  }

  record(recorded: Recorded): void {
    this.#recorded.push(recorded)
    if (this.#recorded.length >= 2 * this.#keep) {
      this.forgotten += this.#recorded.length - this.#keep
      this.#recorded.splice(0, this.#recorded.length - this.#keep)
    }
  }

  /** What came after an exchange, oldest first, secrets masked. */
  after(seq: number): Exchange[] {
    const from = Math.max(0, seq - this.forgotten)
    return this.#recorded
      .slice(from)
      .map((recorded, at) => shown(recorded, this.forgotten + from + at + 1))
  }

  clear(): void {
    this.forgotten = this.last
    this.#recorded.length = 0
  }
}

const shown = ({ at, seat, route, request, answer }: Recorded, seq: number): Exchange => {
  const { headers, body } = encoded(answer)
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
    answer: { status: answer.status, headers: maskHeaders(headers), body: mask(body ?? '') },
    violations: violationsOf(route, answer.status, answer.body),
  }
}

const secretHeaders = new Set(['authorization', 'cookie', 'set-cookie', 'x-api-key', 'dpop'])

const maskHeaders = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      secretHeaders.has(name) ? value.replace(/^(\w+ )?.*$/s, '$1***') : mask(value),
    ]),
  )

const secretNames =
  'client_secret|access_token|refresh_token|id_token|subject_token|actor_token|token|client_assertion|code|code_verifier|assertion|approval_token|authorization_token|password'

/** Masks by name in forms, queries and JSON, and by shape wherever a JWT stands. */
export const mask = (text: string): string =>
  text
    .replace(new RegExp(`(^|[?&])(${secretNames})=[^&]*`, 'g'), '$1$2=***')
    .replace(new RegExp(`("(?:${secretNames})"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"`, 'g'), '$1"***"')
    .replace(/\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g, '***')
