import type { Route } from '../wire/index.ts'
import { type Next, type Routed, unwrap } from './core.ts'
import type { Answer } from './message.ts'

/**
 * Calls the handler of the route.
 * @throws the error of authentication first, then that of parsing: a request without credentials gets
 * 401, whatever else is wrong
 */
export const handle: Next<Routed> = async (routed) => {
  const { name, route, area, request, params } = routed
  const known = unwrap(routed.authentication)
  const { query, body } = unwrap(routed.input)
  // The schemas of this route have validated the call.
  const handler = area.handlers[name] as (call: unknown) => Answer | Promise<Answer>
  return forbidStoring(
    route,
    await handler({ ...known, route: name, request, params, query, body }),
  )
}

/** Answers of authenticated routes get `no-store`, unless the handler sets `Cache-Control` (THR-27). */
const forbidStoring = ({ auth }: Route, answer: Answer): Answer =>
  auth === 'none' || answer.headers?.['cache-control'] !== undefined
    ? answer
    : { ...answer, headers: { ...answer.headers, 'cache-control': 'no-store' } }
