import { type Route, type RouteName, routes } from '../wire/index.ts'
import { errorAnswer } from './errors.ts'
import type { Answer, Handlers, HttpRequest } from './message.ts'
import { parse } from './parse.ts'
import { answerOf } from './refusals.ts'
import { createRouter } from './router.ts'

/** A seat without a host: from a request to its answer. It never throws. */
export type Core = (request: HttpRequest) => Promise<Answer>

/** A request whose route is known, on its way to the handler. */
export type Routed<N extends RouteName> = Readonly<{
  name: N
  route: Route
  request: HttpRequest
  params: Readonly<Record<string, string>>
}>

/** What somebody at the seam hands to the handler in place of what came. */
export type Change = Readonly<{
  request?: HttpRequest
  params?: Readonly<Record<string, string>>
  /** Told to the handler in place of what `open` finds out, which may also throw. */
  context?: (honest: () => Promise<object>) => object | Promise<object>
}>

/** The answer inside the seam; it may be asked for again, or for something else. */
export type Inner = (change?: Change) => Promise<Answer>

export type CoreOptions<N extends RouteName, Context> = Readonly<{
  handlers: Handlers<N, Context>
  /** What the handlers know beside the call: it finds the tenant and authenticates. */
  open: (routed: Routed<N>) => Context | Promise<Context>
  /** The one seam around every answer: records, and misbehaves when told to. */
  around?: (routed: Routed<N>, answer: Inner) => Promise<Answer>
  /** Hears of bugs; the client learns nothing of them. */
  onBug?: (bug: unknown, request: HttpRequest) => void
}>

/** Routes, parses, authenticates, answers: the same for every host. */
export const createCore = <N extends RouteName, Context extends object>({
  handlers,
  open,
  around = (_routed, answer) => answer(),
  onBug = () => {},
}: CoreOptions<N, Context>): Core => {
  const find = createRouter(Object.keys(handlers) as N[])

  const answer = async (routed: Routed<N>, knowing?: Change['context']): Promise<Answer> => {
    const { name, route, request, params } = routed
    try {
      const context = knowing ? await knowing(async () => open(routed)) : await open(routed)
      const { query, body } = parse(route, request)
      // The schemas of this very route have just said that the call is of its type.
      const handler = handlers[name] as (call: unknown) => Answer | Promise<Answer>
      return unstored(
        route,
        await handler({ ...context, route: name, request, params, query, body }),
      )
    } catch (thrown) {
      return answerOf(thrown) ?? bugAnswer(thrown, request)
    }
  }

  const seamed = async (routed: Routed<N>): Promise<Answer> => {
    try {
      return await around(routed, ({ context, ...changed } = {}) =>
        answer({ ...routed, ...changed }, context),
      )
    } catch (thrown) {
      return answerOf(thrown) ?? bugAnswer(thrown, routed.request)
    }
  }

  const bugAnswer = (bug: unknown, request: HttpRequest): Answer => {
    onBug(bug, request)
    return errorAnswer(500, 'server_error', 'the harness has a bug; its own log says more')
  }

  return async (request) => {
    const found = lookUp(find, request)
    if ('status' in found) return found
    const routed = { name: found.name, route: routes[found.name], request, params: found.params }
    const answered = await seamed(routed)
    return request.method === 'HEAD' ? { ...answered, body: undefined } : answered
  }
}

/** What one caller alone may see is not kept on the way, unless the handler knows better (THR-27). */
const unstored = ({ auth }: Route, answer: Answer): Answer =>
  auth === 'none' || answer.headers?.['cache-control'] !== undefined
    ? answer
    : { ...answer, headers: { ...answer.headers, 'cache-control': 'no-store' } }

const lookUp = <N extends RouteName>(
  find: ReturnType<typeof createRouter<N>>,
  { method, path }: HttpRequest,
) => {
  try {
    const found = find(method, path)
    if (found === undefined) return errorAnswer(404, 'not_found', `there is no ${shown(path)} here`)
    if ('name' in found) return found
    const allow = found.allow.join(', ')
    return errorAnswer(405, 'method_not_allowed', `expected ${allow}`, {}, { allow })
  } catch {
    return errorAnswer(400, 'invalid_request', 'the path is not percent-encoded UTF-8')
  }
}

const shown = (path: string) => path.slice(0, 200).replace(/[^!-~]/g, '?')
