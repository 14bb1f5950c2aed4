import { type Route, type RouteName, routes } from '../wire/index.ts'
import { createRouter } from '../wire/routes/router.ts'
import type { Step } from './core.ts'
import type { Answer, HttpRequest } from './message.ts'

/**
 * Lets pages of every origin call the endpoints of issuer and API (Fetch §3.2), without cookies. The
 * control plane, the approvals page, the consent page and every other page for a person are left out.
 */
export const shareAcrossOrigins = (names: readonly RouteName[]): Step<HttpRequest> => {
  const findRoute = createRouter(names.filter(isShared))
  const isSharedAt = (method: string, path: string): boolean => {
    try {
      const found = findRoute(method, path)
      return found !== undefined && 'name' in found
    } catch {
      return false
    }
  }
  return async (request, next) => {
    const { method, path, headers } = request
    const wanted = headers['access-control-request-method']
    if (method === 'OPTIONS' && headers.origin !== undefined && wanted !== undefined) {
      return isSharedAt(wanted, path) ? preflightAnswer(wanted, request) : next(request)
    }
    const answer = await next(request)
    return isSharedAt(method, path) ? share(answer) : answer
  }
}

const isShared = (name: RouteName): boolean => {
  const { seat, pages }: Route = routes[name]
  return seat !== 'control' && pages === undefined
}

/** `*` does not stand for `Authorization`, so the header fields that were asked for are repeated. */
const preflightAnswer = (method: string, { headers }: HttpRequest): Answer => {
  const fields = headers['access-control-request-headers']
  return {
    status: 204,
    headers: {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': method,
      ...(fields === undefined || !isFieldList(fields)
        ? {}
        : { 'access-control-allow-headers': fields }),
      'access-control-max-age': '600',
      vary: 'Access-Control-Request-Method, Access-Control-Request-Headers',
    },
  }
}

const isFieldList = (text: string) => /^[\w!#$%&'*+.^`|~, -]{1,2048}$/.test(text)

const share = (answer: Answer): Answer => ({
  ...answer,
  headers: { ...shared, ...answer.headers },
})

/** Header fields that a page can read only where they are named (Fetch §4.10). */
const shared = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': [
    'WWW-Authenticate',
    'Insufficient-Authorization-Details',
    'Retry-After',
    'X-RateLimit-Limit',
    'X-RateLimit-Remaining',
    'X-RateLimit-Reset',
    'X-Request-Id',
  ].join(', '),
}
