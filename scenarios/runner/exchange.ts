import type { z } from 'zod'
import {
  ErrorBody,
  pathsOf,
  type Route,
  type RouteName,
  routes,
  type Seat,
} from '../../server/wire/index.ts'
import type { Answer } from '../language/answer.ts'
import { withoutUnions } from '../language/issues.ts'

/** One request the suite made, and what came back. */
export type Exchange = Readonly<{
  /** Which step made it: `3`, or `5.1.2` inside a parallel one. */
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
  violations: readonly string[]
}>

/** Sends a request and keeps the exchange. Only where `read` asks for it can the response be read again. */
export const exchange = async (
  seat: Seat,
  step: string,
  request: Request,
  send: typeof fetch,
  read: 'once' | 'again' = 'again',
): Promise<Readonly<{ response: Response; exchange: Exchange }>> => {
  const sent = request.body === null ? undefined : request.clone()
  const started = performance.now()
  const response = await send(request)
  const text = await (read === 'again' ? response.clone() : response).text()
  const duration = performance.now() - started

  const { pathname, search } = new URL(request.url)
  const route = routeOf(seat, request.method, pathname)
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
      violations: violationsOf(route, response.status, headers, text),
    },
  }
}

export const answerOf = ({ answer, violations }: Exchange): Answer => ({
  status: answer.status,
  headers: answer.headers,
  body: answer.body === '' ? undefined : (parseJson(answer.body) ?? answer.body),
  violations,
})

/** The route a request belongs to; of two that fit, the one with fewer parameters. */
export const routeOf = (seat: Seat, method: string, path: string): RouteName | undefined => {
  const single = path.replace(/^\/+/, '/')
  return compiled.find((it) => it.seat === seat && it.method === method && it.pattern.test(single))
    ?.name
}

/** Where an answer breaks its wire schema. */
export const violationsOf = (
  name: RouteName | undefined,
  status: number,
  headers: Readonly<Record<string, string>>,
  text: string,
): string[] => {
  const { pages, answers }: Partial<Route> = name === undefined ? {} : routes[name]
  if (pages && headers['content-type']?.startsWith('text/html')) return []
  if (status >= 400) return violationsOfJson(ErrorBody, headers, text)
  if (name === undefined || answers === undefined) return []
  const schema = answers[status]
  if (schema === undefined) {
    return [`${name} answers ${Object.keys(answers).join(' or ')}, not ${status}`]
  }
  if (schema === null)
    return text === ''
      ? []
      : [`${name} ${status} has no body in the contract, but ${text.length} bytes came`]
  return violationsOfJson(schema, headers, text)
}

const violationsOfJson = (
  schema: z.ZodType,
  headers: Readonly<Record<string, string>>,
  text: string,
): string[] => {
  const type = headers['content-type'] ?? 'nothing'
  if (!/^application\/([\w.-]+\+)?json\b/.test(type)) return [`content-type is ${type}, not JSON`]
  const body = parseJson(text)
  if (body === undefined) return ['the body is not JSON']
  const parsed = schema.safeParse(body)
  return parsed.success
    ? []
    : withoutUnions(parsed.error.issues).map(
        ({ path, message }) => `${path.join('.') || 'body'}: ${message}`,
      )
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const compiled = (Object.entries(routes) as [RouteName, Route][])
  .flatMap(([name, route]) =>
    pathsOf(route).map((path) => ({
      name,
      seat: route.seat,
      method: route.method,
      parameters: path.split(':').length,
      pattern: new RegExp(
        `^${path.replaceAll(/[.+*?^${'$'}()|[\]\\]/g, '\\$&').replaceAll(/:\w+/g, '[^/]+')}$`,
      ),
    })),
  )
  .sort((a, b) => a.parameters - b.parameters)
