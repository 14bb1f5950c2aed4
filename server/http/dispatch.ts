import { type RouteName, routes } from '../wire/index.ts'
import { createRouter } from '../wire/routes/router.ts'
import type { AnyArea, Core, FindTenant, Next, Routed } from './core.ts'
import { errorAnswer } from './errors.ts'
import type { HttpRequest } from './message.ts'

/** Finds route and tenant, then runs `next`. Unknown paths get 404, unknown methods 405. */
export const dispatch = (
  { areas, findTenant }: Readonly<{ areas: readonly AnyArea[]; findTenant: FindTenant }>,
  next: Next<Routed>,
): Core => {
  const areaOf = new Map(
    areas.flatMap((area) => Object.keys(area.handlers).map((name) => [name as RouteName, area])),
  )
  const findRoute = createRouter([...areaOf.keys()])
  return async (request) => {
    const found = lookUp(findRoute, request)
    if ('status' in found) return found
    const { name, params } = found
    const area = areaOf.get(name) as AnyArea
    const context = (area.findTenant ?? findTenant)({ request, params })
    const answer = await next({ name, route: routes[name], area, request, params, context })
    const { shapeAnswer = (it) => it } = area
    const shaped = shapeAnswer(answer)
    return request.method === 'HEAD' ? { ...shaped, body: undefined } : shaped
  }
}

const lookUp = (
  findRoute: ReturnType<typeof createRouter<RouteName>>,
  { method, path }: HttpRequest,
) => {
  try {
    const found = findRoute(method, path)
    if (found === undefined) {
      return errorAnswer(404, 'not_found', `unknown path: ${printable(path)}`)
    }
    if ('name' in found) return found
    const allow = found.allow.join(', ')
    return errorAnswer(405, 'method_not_allowed', `expected the method ${allow}`, {}, { allow })
  } catch {
    return errorAnswer(400, 'invalid_request', 'the path is not percent-encoded UTF-8')
  }
}

const printable = (path: string) => path.slice(0, 200).replace(/[^!-~]/g, '?')
