import { type RouteName, routes } from '../wire/index.ts'
import { createRouter } from '../wire/routes/router.ts'
import type { AnyArea, Core, FindTenant, Next, Routed } from './core.ts'
import { errorAnswer } from './errors.ts'
import type { LogLine } from './log.ts'
import { type About, type Answer, encodeAnswer, type HttpRequest } from './message.ts'
import type { OwnTenant } from './own-tenant.ts'
import type { TenantContext } from './tenant/tenant-context.ts'

/** Finds route and tenant, then runs `next`. Unknown paths get 404, unknown methods 405. */
export const dispatch = (
  {
    seat,
    areas,
    findTenant,
    ownTenant = (call, answer) => answer(call.request),
  }: Readonly<{
    seat: LogLine['seat']
    areas: readonly AnyArea[]
    findTenant: FindTenant
    /** Runs around every handler of a tenant. */
    ownTenant?: OwnTenant | undefined
  }>,
  next: Next<Routed>,
): Core => {
  const areaOf = new Map(
    areas.flatMap((area) => Object.keys(area.handlers).map((name) => [name as RouteName, area])),
  )
  const findRoute = createRouter([...areaOf.keys()])
  return async (received) => {
    const found = lookUp(findRoute, received)
    if ('status' in found) return found
    const { name, params } = found
    const area = areaOf.get(name) as AnyArea
    let answered: TenantContext | undefined
    const answer = await ownTenant({ request: received, params, area }, (request) => {
      const context = underName(
        (area.findTenant ?? findTenant)({ request, params }),
        seat,
        request.base,
      )
      answered = context
      return next({ name, route: routes[name], area, request, params, context })
    })
    const { shapeAnswer = (it) => it } = area
    const { auth } = routes[name]
    const about: About = {
      route: name,
      ...(answered && { tenant: answered.tenant.slug }),
      // The grants of the token endpoint authenticate in different ways.
      isAuthenticated:
        name === 'oauth.token' ? answer.status === 200 : auth !== 'none' && answer.status !== 401,
    }
    const shaped = { ...shapeAnswer(answer, name), about }
    return received.method === 'HEAD' ? withoutBody(shaped) : shaped
  }
}

/** The tenant for this request: URLs in answers have the request's base URL. */
const underName = (
  context: TenantContext | undefined,
  seat: LogLine['seat'],
  base: string | undefined,
): TenantContext | undefined => {
  if (context === undefined || base === undefined) return context
  const { origins } = context
  return { ...context, origins: { ...origins, configured: origins, [seat]: base } }
}

/** With the header fields of GET, including `Content-Type` (RFC 9110 §9.3.2). */
const withoutBody = (answer: Answer): Answer => ({
  ...answer,
  headers:
    answer.body instanceof ReadableStream ? { ...answer.headers } : encodeAnswer(answer).headers,
  body: undefined,
})

const lookUp = (
  findRoute: ReturnType<typeof createRouter<RouteName>>,
  { method, path }: HttpRequest,
) => {
  try {
    const found = findRoute(method, path)
    if (found === undefined) {
      const near = path.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '')
      const hint = near !== path && findRoute(method, near) ? `; expected ${printable(near)}` : ''
      return errorAnswer(404, 'not_found', `unknown path: ${printable(path)}${hint}`)
    }
    if ('name' in found) return found
    const allow = found.allow.join(', ')
    return errorAnswer(405, 'method_not_allowed', `expected the method ${allow}`, {}, { allow })
  } catch {
    return errorAnswer(400, 'invalid_request', 'the path is not percent-encoded UTF-8')
  }
}

const printable = (path: string) => path.slice(0, 200).replace(/[^!-~]/g, '?')
