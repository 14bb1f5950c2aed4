import { type Route, type RouteName, routes } from '../../wire/index.ts'
import { createRouter } from '../../wire/routes/router.ts'
import type { Step } from '../core.ts'
import type { Answer, HttpRequest } from '../message.ts'

/**
 * Allows pages of every origin to call the endpoints of issuer and API (Fetch §3.2), without cookies.
 * The control plane, the approvals page, the consent page and all other HTML pages are excluded.
 */
export const shareAcrossOrigins = (names: readonly RouteName[]): Step<HttpRequest> => {
  const findRoute = createRouter(names.filter(isShared))
  const find = (method: string, path: string) => {
    try {
      return findRoute(method, path)
    } catch {
      return undefined
    }
  }
  const isSharedAt = (method: string, path: string): boolean => {
    const found = find(method, path)
    return found !== undefined && 'name' in found
  }
  return async (request, next) => {
    const { method, path, headers } = request
    const wanted = headers['access-control-request-method']
    if (method === 'OPTIONS' && headers.origin !== undefined && wanted !== undefined) {
      return isSharedAt(wanted, path) ? preflightAnswer(wanted, request) : next(request)
    }
    const answer = await next(request)
    if (method === 'OPTIONS') {
      const found = find(method, path)
      return found !== undefined && 'allow' in found ? namingMethods(found.allow, answer) : answer
    }
    return isSharedAt(method, path) ? share(answer) : answer
  }
}

const isShared = (name: RouteName): boolean => {
  const { seat, pages }: Route = routes[name]
  return seat !== 'control' && pages === undefined
}

/** `*` does not include `Authorization`, so the requested header fields are repeated. */
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

/**
 * An answer to OPTIONS that is not a preflight, or is one whose `Origin` was lost on the way: the
 * MSW handlers see those of happy-dom without it.
 */
const namingMethods = (methods: readonly string[], answer: Answer): Answer => ({
  ...answer,
  headers: {
    ...answer.headers,
    'access-control-allow-origin': '*',
    'access-control-allow-methods': methods.join(', '),
  },
})

const isFieldList = (text: string) => /^[\w!#$%&'*+.^`|~, -]{1,2048}$/.test(text)

const share = (answer: Answer): Answer => ({
  ...answer,
  headers: { ...shared, ...answer.headers },
})

/** Header fields that pages can read only when they are listed (Fetch §4.10). */
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
