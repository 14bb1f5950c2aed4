import { type RouteName, routes } from '../wire/index.ts'
import { createRouter } from '../wire/routes/router.ts'
import type { AnyArea, Core, FindTenant, Next, Routed } from './core.ts'
import { errorAnswer } from './errors.ts'
import type { HttpRequest } from './message.ts'
import type { OwnTenant } from './own-tenant.ts'

/** Finds route and tenant, then runs `next`. Unknown paths get 404, unknown methods 405. */
export const dispatch = (
  {
    areas,
    findTenant,
    ownTenant = (call, answer) => answer(call.request),
  }: Readonly<{
    areas: readonly AnyArea[]
    findTenant: FindTenant
    /** Surrounds everything that is done with a tenant. */
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
    const answer = await ownTenant({ request: received, params, area }, (request) => {
      const context = (area.findTenant ?? findTenant)({ request, params })
      return next({ name, route: routes[name], area, request, params, context })
    })
    const { shapeAnswer = (it) => it } = area
    const shaped = shapeAnswer(answer)
    return received.method === 'HEAD' ? { ...shaped, body: undefined } : shaped
  }
}

const lookUp = (
  findRoute: ReturnType<typeof createRouter<RouteName>>,
  { method, path }: HttpRequest,
) => {
  try {
    const found = findRoute(method, path)
    if (found === undefined) {
      return errorAnswer(404, 'not_found', `there is no ${printable(path)} here`)
    }
    if ('name' in found) return found
    const allow = found.allow.join(', ')
    return errorAnswer(405, 'method_not_allowed', `expected ${allow}`, {}, { allow })
  } catch {
    return errorAnswer(400, 'invalid_request', 'the path is not percent-encoded UTF-8')
  }
}

const printable = (path: string) => path.slice(0, 200).replace(/[^!-~]/g, '?')
