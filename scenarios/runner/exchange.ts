import { cloneMessage } from '../../server/wire/clone-message.ts'
import type { RouteName, Seat } from '../../server/wire/index.ts'
import { findRoute } from '../../server/wire/routes/router.ts'
import type { Violation } from '../../server/wire/violations.ts'
import { type Answer, readAnswer } from '../language/answer.ts'
import { violationsOfText } from './violations.ts'

/** One request of the suite, and its answer. */
export type Exchange = Readonly<{
  /** Number of the step that sent it: `3`, or `5.1.2` inside a parallel one. */
  step: string
  seat: Seat
  route: RouteName | null
  request: Readonly<{
    method: string
    url: string
    headers: Readonly<Record<string, string>>
    body: string
  }>
  answer: Readonly<{
    status: number
    headers: Readonly<Record<string, string>>
    body: string
  }>
  /** In milliseconds. */
  duration: number
  /** Where the answer breaks its own wire schema. */
  violations: readonly Violation[]
}>

/** Sends a request and records the exchange. The response is readable again only with `read`. */
export const exchange = async (
  seat: Seat,
  step: string,
  request: Request,
  send: typeof fetch,
  read: 'once' | 'again' = 'again',
): Promise<Readonly<{ response: Response; exchange: Exchange }>> => {
  const sent = request.body === null ? undefined : cloneMessage(request)
  const started = performance.now()
  const response = await send(request)
  const text = await (read === 'again' ? cloneMessage(response) : response).text()
  const duration = performance.now() - started

  const { pathname, search } = new URL(request.url)
  const route = findRoute(seat, request.method, pathname)
  const headers = Object.fromEntries(response.headers)
  return {
    response,
    exchange: {
      step,
      seat,
      route: route ?? null,
      request: {
        method: request.method,
        url: `${new URL(request.url).origin}${pathname}${search}`,
        headers: Object.fromEntries(request.headers),
        body: (await sent?.text()) ?? '',
      },
      answer: { status: response.status, headers, body: text },
      duration,
      violations: violationsOfText(route, response.status, headers, text),
    },
  }
}

export const answerOf = ({ answer, violations }: Exchange): Answer =>
  readAnswer(answer.status, answer.headers, answer.body, violations)
